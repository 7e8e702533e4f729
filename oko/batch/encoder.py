"""A partition → its photos' features. Reads ahead, so that the model never waits for storage."""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, count, islice
from queue import SimpleQueue

from oko.batch.job import Job
from oko.batch.plan import Part, source
from oko.batch.rows import Encoded, Failure
from oko.batch.sources import Partition, Record, UnreadableRecord, refuse
from oko.batch.storage import Folder
from oko.batch.trial import Trial
from oko.encoding import BulkEncoder
from services.common.errors import OkoError
from services.common.features import Features
from services.encoder.session import EncoderSession

READERS = 4
"""Files read at the same time for each core: at 0.3 s a photo, this hides a second of latency."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A record whose image has been read, or could not be."""

    key: str
    image: bytes | OkoError
    digest: str = ""


class Encoder:
    """Holds the model; one per process."""

    def __init__(self, job: Job, *, careful: bool) -> None:
        """Loads the model.

        Args:
            job: What to do.
            careful: Another process has died of these photos, or may have: try each one first.

        Raises:
            ModelsUnavailable: As named.
        """
        self._job = job
        self._trial = Trial(job.limits) if careful else None
        self._source = source(job.request, Folder(job.output), job.max_bytes)
        self._session = EncoderSession(job.manifest().encoder, 1, job.encoder_precision)
        self._readers = ThreadPoolExecutor(READERS * job.cores, thread_name_prefix="read")

    def close(self) -> None:
        """Ends the threads and processes."""
        self._readers.shutdown()
        if self._trial is not None:
            self._trial.close()

    def __call__(self, partition: Partition) -> Iterator[Encoded]:
        """The parts of a partition, in their order: the same ones whenever it is done again."""
        photos = self._loaded(partition)
        following = next(photos, None)
        for number in count():
            first = () if following is None else (following,)
            rest = islice(photos, self._job.request.records - len(first))
            loaded, features = self._encode(chain(first, rest))
            following = next(photos, None)
            part = Part(partition.number, number, last=following is None)
            yield _encoded(part, loaded, features)
            if following is None:
                return

    def _loaded(self, partition: Partition) -> Iterator[Loaded]:
        """The records in their order, with some being read ahead."""
        records = self._records(partition)
        ahead: deque[Future[Loaded]] = deque()
        for record in records:
            ahead.append(self._readers.submit(self._load, record))
            if len(ahead) > READERS * self._job.cores:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()

    def _load(self, record: Record) -> Loaded:
        try:
            image = record.load()
            if self._trial is not None:
                self._trial.survive(image)
        except OkoError as error:
            return Loaded(record.key, error)
        except Exception as error:  # a record must never end the run
            return Loaded(record.key, UnreadableRecord(f"{error!r:.200}"))
        return Loaded(record.key, image, f"sha256:{hashlib.sha256(image).hexdigest()}")

    def _records(self, partition: Partition) -> Iterator[Record]:
        try:
            yield from self._source.records(partition)
        except UnreadableRecord as error:  # the rest of the file is lost, the run is not
            yield Record(partition.source, partial(refuse, error))

    def _encode(
        self, photos: Iterable[Loaded]
    ) -> tuple[list[Loaded], dict[int, Features | OkoError]]:
        """The photos, and what became of each by its place."""
        answers: SimpleQueue[tuple[int, Features | OkoError]] = SimpleQueue()

        def answer(index: int, result: Features | OkoError) -> None:
            answers.put((index, result))

        loaded: list[Loaded] = []
        results: dict[int, Features | OkoError] = {}
        under_way = 0
        with BulkEncoder(
            self._session, self._job.limits, self._job.cores, answer, answer
        ) as encoder:
            for index, photo in enumerate(photos):
                if isinstance(photo.image, OkoError):
                    results[index] = photo.image
                else:
                    encoder.submit(index, photo.image)
                    under_way += 1
                loaded.append(Loaded(photo.key, b"", photo.digest))
                if under_way > encoder.room:
                    results.update([answers.get()])
                    under_way -= 1
            results.update(answers.get() for _ in range(under_way))
        return loaded, results


def _encoded(part: Part, loaded: list[Loaded], results: dict[int, Features | OkoError]) -> Encoded:
    keys, digests, features, failures = [], [], [], []
    for index, photo in enumerate(loaded):
        result = results[index]
        if isinstance(result, OkoError):
            failures.append(Failure(photo.key, result.code, result.detail))
        else:
            keys.append(photo.key)
            digests.append(photo.digest)
            features.append(result)
    return Encoded(part, keys, digests, features, failures)
