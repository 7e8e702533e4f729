"""The decoder's HTTP face."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from services.common import sse, wire
from services.common.application import application
from services.common.context import RequestContext, context_of
from services.common.deadline import HEADER as DEADLINE
from services.common.deadline import Deadline
from services.common.disconnect import unless_disconnected
from services.common.errors import (
    BodyTooLarge,
    DeadlinePassed,
    FeatureModelMismatch,
    Forbidden,
    InvalidFeatures,
    InvalidParameter,
    OkoError,
    Overloaded,
    ShuttingDown,
    Unauthorized,
    UnknownLanguage,
    UploadTooSlow,
)
from services.common.health import HealthSource
from services.common.internal import InternalToken
from services.common.manifest import read_manifest
from services.common.problems import problem_document, problem_responses
from services.common.uploads import BodyLimits, read_body
from services.decoder.captions import Caption, Word
from services.decoder.languages import Language, Languages
from services.decoder.metrics import DecoderMetrics
from services.decoder.search import SearchOptions
from services.decoder.settings import DecoderSettings


class WordOut(BaseModel):
    text: str
    probability: float
    attention: list[float]
    """64 values, row-major over the 8×8 grid; they sum to 1."""


class CaptionOut(BaseModel):
    caption: str
    score: float
    words: list[WordOut]


class CaptionsOut(BaseModel):
    language: str
    model: str
    encoder: str
    captions: list[CaptionOut]


_BODY = {
    "requestBody": {
        "required": True,
        "content": {wire.MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}
_PROBLEMS = problem_responses(
    *(Unauthorized, Forbidden, UploadTooSlow, BodyTooLarge, FeatureModelMismatch),
    *(InvalidFeatures, InvalidParameter, UnknownLanguage),
    *(Overloaded, ShuttingDown, DeadlinePassed),
)


def build_app(settings: DecoderSettings) -> tuple[FastAPI, HealthSource]:
    """The application and the source of its health, whose `draining` the server sets."""
    manifest = read_manifest(settings.models_dir)
    metrics = DecoderMetrics()
    languages = Languages.load(manifest, settings, metrics)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        languages.start()
        yield
        languages.stop()

    health = HealthSource(
        parts=languages.parts,
        details=lambda: {
            "decoders": {code: model.digest for code, model in manifest.decoders.items()}
        },
    )
    app = application("Oko decoder", "Image features in, captions out.", lifespan, health, metrics)
    router = APIRouter(prefix="/v1", dependencies=[Depends(InternalToken(settings.internal_token))])
    largest = wire.LARGEST_HEADER + max(
        (each.cells * each.dimensions * 2 for each in languages.by_code.values()), default=0
    )
    limits = BodyLimits(largest, settings.body_idle_s, 2 * settings.body_idle_s)

    @router.get("/models", summary="The decoders of the manifest")
    async def models() -> dict[str, Any]:
        return dict(manifest.document["decoders"])

    async def prepared(request: Request, code: str) -> tuple[Language, wire.Features, Deadline]:
        language = languages[code]
        language.require_encoder(request.headers.get(wire.FEATURE_MODEL))
        body = await read_body(request, limits)
        deadline = Deadline.from_header(request.headers.get(DEADLINE), settings.deadline_ms)
        return language, wire.unpack_features(body, language.cells, language.dimensions), deadline

    def count(language: Language, captions: Sequence[Caption], context: RequestContext) -> None:
        code = language.model.language
        metrics.captions.labels(code).inc()
        metrics.words.labels(code).inc(len(captions[0].words))
        context.facts.update(language=code, words=len(captions[0].words))

    @router.post(
        "/captions",
        summary="Decode features into captions",
        openapi_extra=_BODY,
        responses=_PROBLEMS,
    )
    async def captions(
        request: Request,
        response: Response,
        options: Annotated[SearchOptions, Depends(_options(settings))],
        language: Annotated[str, Query(description="A language of /v1/models")] = "en",
    ) -> CaptionsOut:
        chosen, features, deadline = await prepared(request, language)
        found = await unless_disconnected(request, chosen.decode(features, options, deadline))
        count(chosen, found, context_of(request))
        response.headers[wire.DECODER_MODEL] = chosen.model.digest
        return _captions_out(chosen, found)

    @router.post(
        "/captions/stream",
        summary="The same, word by word as server-sent events",
        openapi_extra=_BODY,
        response_class=StreamingResponse,
        responses={
            200: {"description": "Events", "content": {sse.MEDIA_TYPE: {}}},
            **_PROBLEMS,
        },
    )
    async def stream(
        request: Request,
        options: Annotated[SearchOptions, Depends(_options(settings))],
        language: Annotated[str, Query(description="A language of /v1/models")] = "en",
    ) -> StreamingResponse:
        chosen, features, deadline = await prepared(request, language)
        context = context_of(request)

        async def events() -> AsyncIterator[bytes]:
            index = 0
            try:
                async for found in chosen.stream(features, options, deadline):
                    if isinstance(found, Word):
                        word = {"index": index, **_word_out(found).model_dump()}
                        yield sse.event("word", word)
                        index += 1
                    else:
                        count(chosen, found, context)
                        yield sse.event("captions", _captions_out(chosen, found).model_dump())
            except OkoError as error:
                context.problem = error.code
                yield sse.event("problem", problem_document(error, context.request_id))

        return StreamingResponse(
            events(),
            media_type=sse.MEDIA_TYPE,
            headers={wire.DECODER_MODEL: chosen.model.digest, "Cache-Control": "no-store"},
        )

    app.include_router(router)
    return app, health


def _options(settings: DecoderSettings) -> Any:
    def options(
        beam_size: Annotated[int, Query(ge=1, le=10, description="Beams per caption")] = 3,
        max_words: Annotated[int, Query(ge=1, le=40, description="Longest caption")] = 20,
        n_best: Annotated[
            int, Query(ge=1, le=10, description="Captions wanted; no more come than beam_size")
        ] = 3,
    ) -> SearchOptions:
        n_best = min(n_best, beam_size)
        return SearchOptions(beam_size, max_words, n_best, settings.length_penalty)

    return options


def _word_out(word: Word) -> WordOut:
    return WordOut(
        text=word.text,
        probability=word.probability,
        attention=np.round(word.attention.astype(np.float64), 5).tolist(),
    )


def _captions_out(language: Language, captions: Sequence[Caption]) -> CaptionsOut:
    return CaptionsOut(
        language=language.model.language,
        model=language.model.digest,
        encoder=language.model.encoder,
        captions=[
            CaptionOut(
                caption=caption.text,
                score=caption.score,
                words=[_word_out(word) for word in caption.words],
            )
            for caption in captions
        ],
    )
