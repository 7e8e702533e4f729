"""Finished captions by photo, models and parameters: in memory, and in Redis when there is one."""

import asyncio
import hashlib
from collections.abc import Mapping

from pydantic import ValidationError

from services.common.cache import Cache, Lookup, MemoryCache
from services.common.health import State
from services.common.manifest import Manifest
from services.gateway.metrics import GatewayMetrics
from services.gateway.schemas import Caption, CaptionParameters
from services.gateway.settings import GatewaySettings

_SMALL = 2**18
"""Bytes that are hashed in less time than a change of threads takes."""


class CaptionCache:
    """Nothing is kept before `start`, which must be called on the event loop that uses it.

    Keys name the models of the manifest, and only answers of these models are kept: while an update
    is under way there are fewer hits, but never a caption of other models.
    """

    def __init__(
        self, manifest: Manifest, settings: GatewaySettings, metrics: GatewayMetrics
    ) -> None:
        self._encoder = manifest.encoder.digest
        self._decoders: Mapping[str, str] = {
            code: model.digest for code, model in manifest.decoders.items()
        }
        self._settings = settings
        self._metrics = metrics
        self._levels: list[Cache] = []  # nearest first

    def start(self) -> None:
        settings = self._settings
        if not settings.caption_cache_bytes:
            return
        self._levels.append(MemoryCache(settings.caption_cache_bytes))
        if settings.redis_url is not None:
            # Seven megabytes of Redis client that only those with Redis need.
            from services.common.redis_cache import RedisCache

            self._levels.append(
                RedisCache(
                    settings.redis_url,
                    "oko:captions:",
                    settings.caption_cache_ttl_s,
                    settings.redis_timeout_ms / 1000,
                )
            )

    def parts(self) -> Mapping[str, State]:
        """For health; nothing when there is nothing that could fail."""
        shared = [level.state() for level in self._levels if level.kind == "redis"]
        return {"caption-cache": shared[0]} if shared else {}

    async def close(self) -> None:
        for level in self._levels:
            await level.close()

    async def key(self, image: bytes, parameters: CaptionParameters) -> str | None:
        """Where the caption of an image is kept; None when it is not kept at all."""
        decoder = self._decoders.get(parameters.language)
        if decoder is None or not self._levels:
            return None
        if len(image) <= _SMALL:
            digest = _digest(image)
        else:
            digest = await asyncio.to_thread(_digest, image)
        n_best = min(parameters.n_best, parameters.beam_size)
        return (
            f"{self._encoder}:{decoder}:{digest}:"
            f"{parameters.beam_size}:{n_best}:{parameters.max_words}"
        )

    async def get(self, key: str) -> Caption | None:
        """The caption with its attention, as it was answered the first time."""
        lookup = Lookup("miss")
        for index, level in enumerate(self._levels):
            lookup = await level.get(key)
            caption = _parsed(lookup.value)
            if lookup.value is not None and caption is not None:
                for nearer in self._levels[:index]:
                    await nearer.put(key, lookup.value)
                self._metrics.caption_cache.labels("hit").inc()
                return caption
        self._metrics.caption_cache.labels(lookup.outcome).inc()
        return None

    async def put(self, key: str, caption: Caption) -> None:
        if (caption.models.encoder, caption.models.decoder) != (
            self._encoder,
            self._decoders[caption.language],
        ):
            return
        value = caption.model_dump_json(exclude_none=True).encode()
        for level in self._levels:
            await level.put(key, value)


def _digest(image: bytes) -> str:
    return hashlib.sha256(image).hexdigest()


def _parsed(value: bytes | None) -> Caption | None:
    """None as well for what an older gateway wrote in another form."""
    if value is None:
        return None
    try:
        return Caption.model_validate_json(value)
    except ValidationError:
        return None
