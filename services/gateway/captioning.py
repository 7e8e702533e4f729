"""From an image to its caption: encoder, decoder, and the answer put together."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal, cast

from services.common.context import RequestContext
from services.common.deadline import Deadline
from services.gateway.caption_cache import CaptionCache
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
    """Stateless but for the cache; one per process."""

    encoder: EncoderClient
    decoder: DecoderClient
    cache: CaptionCache
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
        key = await self.cache.key(image, parameters)
        caption = await self._finished(key, context, started)
        if caption is None:
            encoded = await self.encoder.encode(image, deadline, context)
            between = perf_counter()
            answer = await self.decoder.decode(encoded, parameters, deadline, context)
            times = (started, between, perf_counter())
            caption = self._assembled(answer, encoded, context, times)
            await self._keep(key, caption)
        return await self._shown(caption, image, parameters, deadline)

    async def stream(
        self,
        image: bytes,
        parameters: CaptionParameters,
        deadline: Deadline,
        context: RequestContext,
    ) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
        """The same as events: `image`, `word`…, `caption`. Raises as `caption` does."""
        started = perf_counter()
        key = await self.cache.key(image, parameters)
        caption = await self._finished(key, context, started)
        if caption is not None:
            yield "image", {**caption.image.model_dump(), "cache": caption.cache}
            shown = await self._shown(caption, image, parameters, deadline)
            for index, word in enumerate(shown.words):
                known = word.model_dump(exclude={"overlay"}, exclude_none=True)
                yield "word", {"index": index, **known}
            yield "caption", shown.model_dump(exclude_none=True)
            return
        encoded = await self.encoder.encode(image, deadline, context)
        between = perf_counter()
        async with self.decoder.stream(encoded, parameters, deadline, context) as events:
            yield "image", {**_image(encoded).model_dump(), "cache": encoded.cache}
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
                    caption = self._assembled(data, encoded, context, times)
                    await self._keep(key, caption)
                    shown = await self._shown(caption, image, parameters, deadline)
                    yield "caption", shown.model_dump(exclude_none=True)
                    return
        raise UpstreamUnavailable("The decoder stopped before the caption was complete.")

    async def _finished(
        self, key: str | None, context: RequestContext, started: float
    ) -> Caption | None:
        """The caption, when it was answered before."""
        caption = None if key is None else await self.cache.get(key)
        if caption is None:
            return None
        seconds = perf_counter() - started
        self.metrics.captions.labels(caption.language, "caption").inc()
        self.metrics.observe_stage("caption-cache", seconds)
        context.timings["cache"] = seconds * 1000
        context.facts.update(language=caption.language, cache="caption")
        return caption.model_copy(
            update={
                "cache": "hit",
                "status": "ok",
                "timings_ms": Timings(encoder=0, decoder=0, total=round(seconds * 1000, 1)),
                "request_id": context.request_id,
            }
        )

    async def _keep(self, key: str | None, caption: Caption) -> None:
        if key is not None:
            await self.cache.put(key, caption)

    async def _shown(
        self, caption: Caption, image: bytes, parameters: CaptionParameters, deadline: Deadline
    ) -> Caption:
        """With as much of its heatmaps as was asked for."""
        if parameters.heatmap == "grid":
            return caption
        if parameters.heatmap == "overlay":
            return await self.heatmaps.drawn(caption, image, deadline)
        words = [word.model_copy(update={"attention": None}) for word in caption.words]
        return caption.model_copy(update={"words": words})

    def _assembled(
        self,
        answer: Mapping[str, Any],
        encoded: EncodedImage,
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
            words=[
                Word(
                    text=word["text"],
                    probability=word["probability"],
                    attention=_grid(word["attention"]),
                )
                for word in best["words"]
            ],
            alternatives=[
                Alternative(caption=other["caption"], score=other["score"]) for other in others
            ],
            image=_image(encoded),
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


def _image(encoded: EncodedImage) -> Image:
    return Image(
        width=encoded.width, height=encoded.height, digest=encoded.digest, kind=encoded.kind
    )


def _grid(attention: list[float]) -> Attention:
    """64 values → 8 rows of 8."""
    return [attention[row : row + GRID] for row in range(0, len(attention), GRID)]
