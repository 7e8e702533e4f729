"""The encoder and the decoder as the gateway sees them."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import httpx
from pydantic import SecretStr

from services.common import wire
from services.common.context import RequestContext
from services.common.deadline import Deadline
from services.common.errors import FeatureModelMismatch
from services.common.middleware import REQUEST_ID
from services.common.trace import HEADER as TRACEPARENT
from services.gateway.errors import ModelMismatch, UpstreamProblem, UpstreamUnavailable
from services.gateway.schemas import CaptionParameters
from services.gateway.upstream import Call, Upstream

ENCODER_SHARE = 0.7
"""Part of the time left that the encoder may use: an answer that the decoder has no time to use
would be work in vain, and under overload nothing else would be done."""


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """`features` is a `.npy` body, passed on as it is."""

    features: bytes
    model: str
    digest: str
    width: int
    height: int
    kind: str
    cache: str


class EncoderClient:
    def __init__(self, upstream: Upstream, token: SecretStr | None) -> None:
        self._upstream = upstream
        self._token = token

    async def encode(
        self, image: bytes, deadline: Deadline, context: RequestContext
    ) -> EncodedImage:
        """Features of one image; raises what `Upstream.open` raises."""
        headers = {"Content-Type": "application/octet-stream", **_passed_on(context, self._token)}
        response = await self._upstream.send(
            Call("/v1/features", image, headers, {}), deadline.share(ENCODER_SHARE)
        )
        try:
            width, height = response.headers[wire.IMAGE_SIZE].split("x")
            return EncodedImage(
                response.content,
                response.headers[wire.FEATURE_MODEL],
                response.headers[wire.IMAGE_DIGEST],
                int(width),
                int(height),
                response.headers[wire.IMAGE_KIND],
                response.headers[wire.CACHE],
            )
        except (KeyError, ValueError) as error:
            raise UpstreamUnavailable("The encoder's answer is not complete.") from error


class DecoderClient:
    def __init__(self, upstream: Upstream, token: SecretStr | None) -> None:
        self._upstream = upstream
        self._token = token

    async def decode(
        self,
        image: EncodedImage,
        parameters: CaptionParameters,
        deadline: Deadline,
        context: RequestContext,
    ) -> Mapping[str, Any]:
        """The decoder's JSON answer; raises what `Upstream.open` raises, and `ModelMismatch`."""
        call = self._call("/v1/captions", image, parameters, context)
        try:
            response = await self._upstream.send(call, deadline)
        except UpstreamProblem as problem:
            _translate(problem)
        document: Mapping[str, Any] = response.json()
        return document

    @asynccontextmanager
    async def stream(
        self,
        image: EncodedImage,
        parameters: CaptionParameters,
        deadline: Deadline,
        context: RequestContext,
    ) -> AsyncIterator[AsyncGenerator[tuple[str, dict[str, Any]], None]]:
        """The decoder's events as (name, data); raises as `decode` does."""
        call = self._call("/v1/captions/stream", image, parameters, context)
        try:
            async with self._upstream.open(call, deadline) as response:
                yield _events(response)
        except UpstreamProblem as problem:
            _translate(problem)
        except httpx.TransportError as error:
            raise UpstreamUnavailable(
                "The decoder went away while it was answering; try again.", retry_after_s=1.0
            ) from error

    def _call(
        self,
        path: str,
        image: EncodedImage,
        parameters: CaptionParameters,
        context: RequestContext,
    ) -> Call:
        return Call(
            path,
            image.features,
            {
                "Content-Type": wire.MEDIA_TYPE,
                wire.FEATURE_MODEL: image.model,
                **_passed_on(context, self._token),
            },
            {
                "language": parameters.language,
                "beam_size": parameters.beam_size,
                "n_best": parameters.n_best,
                "max_words": parameters.max_words,
            },
        )


def _passed_on(context: RequestContext, token: SecretStr | None) -> dict[str, str]:
    headers = {REQUEST_ID: context.request_id, TRACEPARENT: context.trace.to_header()}
    if token is not None:
        headers[wire.INTERNAL_TOKEN] = token.get_secret_value()
    return headers


def _translate(problem: UpstreamProblem) -> NoReturn:
    """A mismatch is not the client's fault: it passes when the update of the models is complete."""
    if problem.code == FeatureModelMismatch.code:
        raise ModelMismatch(
            "The models are being updated; try again.", retry_after_s=2.0
        ) from problem
    raise problem


async def _events(response: httpx.Response) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
    name = ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
