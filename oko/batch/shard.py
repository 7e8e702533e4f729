"""The run without Ray: one of several processes that share the partitions out by their number."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Self

from oko.batch.decoder import Decoder
from oko.batch.encoder import Encoder
from oko.batch.job import Job
from oko.batch.plan import Request, read_request
from oko.batch.rows import Encoded, Written
from oko.batch.sources import Partition
from oko.batch.storage import Folder
from oko.batch.writer import write

WAITING = 2
"""Parts that may wait for the decoder: what bounds the memory."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` processes; the first one writes the plan, the others wait for it."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`2/8`: the third of eight. Raises `ValueError`."""
        index, count = map(int, text.split("/"))
        if not 0 <= index < count:
            raise ValueError(text)
        return cls(index, count)

    def of(self, partitions: Sequence[Partition]) -> list[Partition]:
        """Those that are this shard's."""
        return [each for each in partitions if each.number % self.count == self.index]


def wait_for_request(output: Folder, patience_s: float) -> Request:
    """The request of the plan, as soon as the first shard has written it.

    Raises:
        TimeoutError: There is none.
    """
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        request = read_request(output)
        if request is not None:
            return request
        time.sleep(1)
    raise TimeoutError("The first shard has written no plan.")


def run(partitions: Sequence[Partition], job: Job, shard: Shard) -> Iterator[Written]:
    """Captions partitions in this process; tells of each part when it is written."""
    output = Folder(job.output)
    begun = f"plan/begun-{shard.index}-of-{shard.count}"
    again = output.has(begun)
    output.write(begun, b"")
    with (
        closing(Encoder(job, careful=again)) as encoder,
        closing(Decoder(job)) as decoder,
        ThreadPoolExecutor(1) as decoding,
    ):

        def finish(encoded: Encoded) -> Written:
            return write(encoded, decoder(encoded), job.request, output)

        waiting: deque[Future[Written]] = deque()
        for partition in partitions:
            for encoded in encoder(partition):
                waiting.append(decoding.submit(finish, encoded))
                if len(waiting) > WAITING:
                    yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    output.remove(begun)  # it did not die
