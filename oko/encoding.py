"""Many photos → features, on all cores: files are read and decoded ahead of the encoder."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Self

from oko.captioned import Image, read_file
from services.common.accepted_images import ImageLimits
from services.common.errors import OkoError
from services.common.features import Features
from services.common.images import Pixels, decode_square
from services.encoder.session import EncoderSession

AHEAD = 4
"""Photos under way per worker: enough that a slow file holds no worker up."""


class BulkEncoder:
    """Workers that run the model one photo each, side by side, on one core each.

    For throughput this beats one run on all cores: no core waits for another, so what the decoder
    takes from one costs the others nothing. The weights are in memory once.
    """

    def __init__(
        self,
        session: EncoderSession,
        limits: ImageLimits,
        workers: int,
        on_features: Callable[[int, Features], None],
        on_error: Callable[[int, OkoError], None],
    ) -> None:
        """Configures the encoder; a context manager, whose threads end with it.

        Args:
            session: With one thread per run.
            limits: Larger images are refused.
            workers: Photos encoded at the same time.
            on_features: Told a photo's features, float16 [64, D], by the number it was submitted
                with. Both callbacks are called in threads of the encoder and must not block.
            on_error: Told why a photo has none.
        """
        self._session = session
        self._limits = limits
        self._on_features = on_features
        self._on_error = on_error
        self._ready: SimpleQueue[tuple[int, Pixels] | None] = SimpleQueue()
        self._stopping = False
        self._decoding = ThreadPoolExecutor(max(2, workers // 4), thread_name_prefix="decode")
        self._workers = [
            threading.Thread(target=self._work, name=f"encode-{number}", daemon=True)
            for number in range(workers)
        ]

    def __enter__(self) -> Self:
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping = True
        self._decoding.shutdown(wait=True, cancel_futures=True)
        for _ in self._workers:
            self._ready.put(None)
        for worker in self._workers:
            worker.join()

    @property
    def room(self) -> int:
        """Photos that the caller should keep under way: memory is bounded and no core waits."""
        return AHEAD * len(self._workers)

    def submit(self, index: int, image: Image) -> None:
        """Queues a photo. What becomes of it is told to the callbacks, under `index`."""
        self._decoding.submit(self._decode, index, image)

    def _decode(self, index: int, image: Image) -> None:
        try:
            data = read_file(image) if isinstance(image, Path) else image
            self._ready.put((index, decode_square(data, self._session.side, self._limits)))
        except Exception as error:  # the caller must hear of it, whatever it is
            self._on_error(index, _named(error))

    def _work(self) -> None:
        while (photo := self._ready.get()) is not None and not self._stopping:
            index, pixels = photo
            try:
                (features,) = self._session.run([pixels])
            except Exception as error:  # as above
                self._on_error(index, _named(error))
            else:
                self._on_features(index, features)


def _named(error: Exception) -> OkoError:
    return error if isinstance(error, OkoError) else OkoError(repr(error))
