"""How much the gateway takes on at the same time: images in progress and bytes of uploads."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.common.errors import Overloaded
from services.gateway.metrics import GatewayMetrics


class Admission:
    """Counts instead of queueing: what cannot be taken now is refused at once."""

    def __init__(self, max_images: int, max_bytes: int, metrics: GatewayMetrics) -> None:
        self._max_images = max_images
        self._max_bytes = max_bytes
        self._metrics = metrics
        self._images = 0
        self._bytes = 0

    def check(self) -> None:
        """Raises `Overloaded` when not even one image could be taken; asked before an upload."""
        if self._images >= self._max_images:
            raise self._full("images")

    @contextmanager
    def images(self, count: int) -> Iterator[None]:
        """Holds a place for `count` images. Raises `Overloaded` when there is none."""
        if self._images and self._images + count > self._max_images:
            raise self._full("images")
        self._images += count
        self._metrics.images_in_flight.set(self._images)
        try:
            yield
        finally:
            self._images -= count
            self._metrics.images_in_flight.set(self._images)

    @contextmanager
    def upload(self) -> Iterator["UploadMemory"]:
        """Memory of one request's upload, given back at the end of the block."""
        memory = UploadMemory(self)
        try:
            yield memory
        finally:
            self._grow(-memory.held)

    def _grow(self, size: int) -> None:
        if size > 0 and self._bytes + size > self._max_bytes:
            raise self._full("upload-memory")
        self._bytes += size
        self._metrics.upload_bytes.set(self._bytes)

    def _full(self, reason: str) -> Overloaded:
        self._metrics.shed_one(reason)
        return Overloaded("Too many images are being captioned right now; try again.")


class UploadMemory:
    """Bytes that one request holds."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.held = 0

    def add(self, size: int) -> None:
        """Raises `Overloaded` when all uploads together would hold too much."""
        self._admission._grow(size)  # noqa: SLF001 - two halves of one thing
        self.held += size
