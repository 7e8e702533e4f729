"""From an image to its caption: encoder, decoder, and the answer put together."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal, cast

from services.common.context import RequestContext
from services.common.deadline import Deadline
from services.gateway.clients import DecoderClient, EncodedImage, EncoderClient
from services.gateway.errors import UpstreamProblem, UpstreamUnavailable
from services.gateway.heatmaps import Heatmaps
from services.gateway.metrics import GatewayMetrics
from services.gateway.schemas import (
    Alternative,
    Attention,
    Caption,
    CaptionParameters,
    Image,
    Models,
    Timings,
    Word,
)

GRID = 8


@dataclass(frozen=True, slots=True)
class Captioner:
    """Stateless; one per process."""

    encoder: EncoderClient
    decoder: DecoderClient
    heatmaps: Heatmaps
    metrics: GatewayMetrics

    async def caption(
        self,
        image: bytes,
        parameters: CaptionParameters,
        deadline: Deadline,
        context: RequestContext,
    ) -> Caption:
        """Captions one image.

        Raises:
            OkoError: The problem to answer with.
        """
        started = perf_counter()
        encoded = await self.encoder.encode(image, deadline, context)
        between = perf_counter()
        answer = await self.decoder.decode(encoded, parameters, deadline, context)
        caption = self._assembled(
            answer, encoded, parameters, context, (started, between, perf_counter())
        )
        return await self._drawn(caption, image, parameters, deadline)

    async def stream(
        self,
        image: bytes,
        parameters: CaptionParameters,
        deadline: Deadline,
        context: RequestContext,
    ) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
        """The same as events: `image`, `word`…, `caption`. Raises as `caption` does."""
        started = perf_counter()
        encoded = await self.encoder.encode(image, deadline, context)
        between = perf_counter()
        async with self.decoder.stream(encoded, parameters, deadline, context) as events:
            yield (
                "image",
                {
                    "width": encoded.width,
                    "height": encoded.height,
                    "digest": encoded.digest,
                    "kind": encoded.kind,
                    "cache": encoded.cache,
                },
            )
            async for name, data in events:
                if name == "word":
                    if parameters.heatmap == "none":
                        data.pop("attention")
                    else:
                        data["attention"] = _grid(data["attention"])
                    yield name, data
                elif name == "problem":
                    raise UpstreamProblem.read(data)
                elif name == "captions":
                    times = (started, between, perf_counter())
                    caption = self._assembled(data, encoded, parameters, context, times)
                    drawn = await self._drawn(caption, image, parameters, deadline)
                    yield "caption", drawn.model_dump(exclude_none=True)
                    return
        raise UpstreamUnavailable("The decoder stopped before the caption was complete.")

    async def _drawn(
        self, caption: Caption, image: bytes, parameters: CaptionParameters, deadline: Deadline
    ) -> Caption:
        if parameters.heatmap != "overlay":
            return caption
        return await self.heatmaps.drawn(caption, image, deadline)

    def _assembled(
        self,
        answer: Mapping[str, Any],
        encoded: EncodedImage,
        parameters: CaptionParameters,
        context: RequestContext,
        times: tuple[float, float, float],
    ) -> Caption:
        started, between, finished = times
        best, *others = answer["captions"]
        self.metrics.captions.labels(answer["language"], encoded.cache).inc()
        self.metrics.observe_stage("encoder", between - started)
        self.metrics.observe_stage("decoder", finished - between)
        context.timings["encoder"] = (between - started) * 1000
        context.timings["decoder"] = (finished - between) * 1000
        context.facts.update(language=answer["language"], cache=encoded.cache)
        return Caption(
            caption=best["caption"],
            language=answer["language"],
            score=best["score"],
            words=[_word(word, parameters) for word in best["words"]],
            alternatives=[
                Alternative(caption=other["caption"], score=other["score"]) for other in others
            ],
            image=Image(
                width=encoded.width,
                height=encoded.height,
                digest=encoded.digest,
                kind=encoded.kind,
            ),
            models=Models(encoder=encoded.model, decoder=answer["model"]),
            cache=cast(Literal["hit", "miss", "bypass"], encoded.cache),
            timings_ms=Timings(
                encoder=round((between - started) * 1000, 1),
                decoder=round((finished - between) * 1000, 1),
                total=round((finished - started) * 1000, 1),
            ),
            status="degraded" if encoded.cache == "bypass" else "ok",
            request_id=context.request_id,
        )


def _word(word: Mapping[str, Any], parameters: CaptionParameters) -> Word:
    attention = None if parameters.heatmap == "none" else _grid(word["attention"])
    return Word(text=word["text"], probability=word["probability"], attention=attention)


def _grid(attention: list[float]) -> Attention:
    """64 values → 8 rows of 8."""
    return [attention[row : row + GRID] for row in range(0, len(attention), GRID)]
