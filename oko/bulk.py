"""One run over many photos: as many under way as keep the cores busy, and no more."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from queue import SimpleQueue

from oko.captioned import Captioned, Image
from oko.decoding import BulkDecoder
from oko.encoding import BulkEncoder
from services.common.accepted_images import ImageLimits
from services.common.errors import OkoError
from services.common.features import Features
from services.decoder.captions import Caption
from services.decoder.languages import Languages
from services.decoder.search import SearchOptions
from services.encoder.session import EncoderSession


class BulkRun:
    """Lasts for one iteration over `answers`, in one thread, which also takes the input."""

    def __init__(
        self,
        session: EncoderSession,
        languages: Languages,
        limits: ImageLimits,
        *,
        workers: int,
        most_under_way: int,
        codes: Sequence[str],
        options: SearchOptions,
    ) -> None:
        """Configures the run.

        Args:
            session: With one thread per run.
            languages: Started, with queues for `most_under_way`.
            limits: Larger images are refused.
            workers: Photos encoded at the same time.
            most_under_way: Photos taken from the input and not answered yet.
            codes: Languages to caption in.
            options: Beam size and the rest.
        """
        self._most_under_way = most_under_way
        self._encoding = self._under_way = 0
        self._events: SimpleQueue[Captioned | None] = SimpleQueue()  # None: one left the encoder
        self._decoder = BulkDecoder(languages, codes, options, self._done, self._failed)
        self._encoder = BulkEncoder(session, limits, workers, self._encoded, self._not_encoded)

    def answers(self, images: Iterable[Image]) -> Iterator[Captioned]:
        """Each image's captions or error, once, in the order in which they are done."""
        waiting = enumerate(images)
        more = True
        try:
            with self._encoder:
                while more or self._under_way:
                    more = more and self._take(waiting)
                    if not (more or self._encoding):
                        self._decoder.flush()
                    if self._under_way:
                        yield from self._next()
        finally:
            self._decoder.cancel()

    def _take(self, waiting: Iterator[tuple[int, Image]]) -> bool:
        """Submits what there is room for; False when the input has ended."""
        while self._encoding < self._encoder.room and self._under_way < self._most_under_way:
            photo = next(waiting, None)
            if photo is None:
                return False
            self._encoder.submit(*photo)
            self._encoding += 1
            self._under_way += 1
        return True

    def _next(self) -> Iterator[Captioned]:
        event = self._events.get()
        if event is None:
            self._encoding -= 1
        else:
            self._under_way -= 1
            yield event

    def _encoded(self, index: int, features: Features) -> None:
        self._decoder.submit(index, features)
        self._events.put(None)

    def _not_encoded(self, index: int, error: OkoError) -> None:
        self._events.put(None)
        self._failed(index, error)

    def _done(self, index: int, captions: Mapping[str, list[Caption]]) -> None:
        self._events.put(Captioned(index, captions))

    def _failed(self, index: int, error: OkoError) -> None:
        self._events.put(Captioned(index, error=error))
