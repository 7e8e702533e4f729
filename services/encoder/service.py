"""The encoder's one job, from bytes to features: digest, cache, decode, batch, cache."""

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter

from services.common.accepted_images import ImageLimits
from services.common.budget import ByteBudget
from services.common.cache import Cache, MemoryCache, Outcome
from services.common.deadline import Deadline
from services.common.errors import DeadlinePassed, Overloaded
from services.common.features import pack_features
from services.common.health import State
from services.common.images import ImageHeader, decode_square, read_header
from services.common.manifest import EncoderModel, ModelFile
from services.common.redis_cache import RedisCache
from services.encoder.batching import Batcher
from services.encoder.flight import SingleFlight
from services.encoder.metrics import EncoderMetrics
from services.encoder.session import EncoderSession
from services.encoder.settings import EncoderSettings

_SMALL = 2**18
"""Bytes that are hashed in less time than a change of threads takes."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """`features` is a `.npy` file; `digest` names the image, `sha256:` and 64 hex digits."""

    features: bytes
    digest: str
    header: ImageHeader
    cache: Outcome
    timings: dict[str, float]


class EncoderService:
    """Made and used on one event loop."""

    def __init__(
        self, settings: EncoderSettings, session: EncoderSession, metrics: EncoderMetrics
    ) -> None:
        self._session = session
        self._metrics = metrics
        self._limits = ImageLimits(settings.max_pixels, settings.max_decode_bytes)
        self._memory = ByteBudget(settings.max_decode_bytes)
        self._threads = ThreadPoolExecutor(
            settings.encoder_decode_threads, thread_name_prefix="image-decode"
        )
        self._hashing = ThreadPoolExecutor(1, thread_name_prefix="image-hash")
        self._batcher = Batcher(
            session.run,
            batch_size=settings.encoder_batch_size,
            wait_s=settings.encoder_batch_wait_ms / 1000,
            queue_size=settings.encoder_queue_size,
            on_batch=metrics.observe_batch,
            on_depth=metrics.queue_depth.set,
        )
        self._flight: SingleFlight[bytes] = SingleFlight()
        self.cache = _cache(settings, session.file)

    def start(self) -> None:
        self._batcher.start()

    async def stop(self) -> None:
        await self._batcher.stop()
        await self.cache.close()
        self._threads.shutdown(wait=True)
        self._hashing.shutdown(wait=True)

    @property
    def model(self) -> EncoderModel:
        return self._session.model

    def parts(self) -> dict[str, State]:
        return {
            "model": "ok" if self._batcher.alive else "down",
            "cache": self.cache.state(),
        }

    async def encode(self, data: bytes, deadline: Deadline) -> Encoded:
        """Features of one image, from the cache when it has been seen before.

        Raises:
            NotAnImage, CorruptImage, EmptyImage, TooManyPixels: The image's fault.
            Overloaded, DeadlinePassed: Too busy.
        """
        try:
            return await self._encode(data, deadline)
        except Overloaded:
            self._metrics.shed_one("queue")
            raise

    async def _encode(self, data: bytes, deadline: Deadline) -> Encoded:
        timings: dict[str, float] = {}
        started = perf_counter()
        digest, header = await self._identified(data)
        timings["header"] = (perf_counter() - started) * 1000
        started = perf_counter()
        lookup = await self.cache.get(digest)
        timings["cache"] = (perf_counter() - started) * 1000
        self._metrics.cache.labels(lookup.outcome).inc()
        if lookup.value is not None:
            return Encoded(lookup.value, digest, header, "hit", timings)
        features = await self._joined(digest, data, header, deadline, timings)
        return Encoded(features, digest, header, lookup.outcome, timings)

    async def _identified(self, data: bytes) -> tuple[str, ImageHeader]:
        """Off the event loop only when it pays; never behind images that are being decoded."""
        if len(data) <= _SMALL:
            return _identify(data, self._limits)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._hashing, _identify, data, self._limits)

    async def _joined(
        self,
        digest: str,
        data: bytes,
        header: ImageHeader,
        deadline: Deadline,
        timings: dict[str, float],
    ) -> bytes:
        """Computes the features, or joins whoever is computing them already."""
        own = False

        async def compute() -> bytes:
            nonlocal own
            own = True
            return await self._compute(digest, data, header, deadline, timings)

        while True:
            try:
                async with asyncio.timeout(max(0.0, deadline.remaining())):
                    return await self._flight.do(digest, compute)
            except TimeoutError:
                raise deadline.error() from None
            except (DeadlinePassed, Overloaded):
                if own or deadline.passed():
                    raise
                # The caller we joined was in more of a hurry than we are: do it ourselves.

    async def _compute(
        self,
        digest: str,
        data: bytes,
        header: ImageHeader,
        deadline: Deadline,
        timings: dict[str, float],
    ) -> bytes:
        self._batcher.check_room(deadline)
        loop = asyncio.get_running_loop()
        started = perf_counter()
        async with self._memory.hold(header.decode_bytes):
            deadline.check()
            pixels = await loop.run_in_executor(
                self._threads, decode_square, data, self._session.side, self._limits
            )
        decoded = perf_counter()
        features = pack_features(await self._batcher.encode(pixels, deadline))
        timings["decode"] = (decoded - started) * 1000
        timings["model"] = (perf_counter() - decoded) * 1000
        self._metrics.observe_stage("decode", decoded - started)
        self._metrics.observe_stage("model", perf_counter() - decoded)
        await self.cache.put(digest, features)
        return features


def _identify(data: bytes, limits: ImageLimits) -> tuple[str, ImageHeader]:
    return "sha256:" + hashlib.sha256(data).hexdigest(), read_header(data, limits)


def _cache(settings: EncoderSettings, file: ModelFile) -> Cache:
    if settings.redis_url is None:
        return MemoryCache(settings.cache_bytes)
    return RedisCache(
        settings.redis_url,
        f"oko:features:{file.digest}:",
        settings.cache_ttl_s,
        settings.redis_timeout_ms / 1000,
    )
