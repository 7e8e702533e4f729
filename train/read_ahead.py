"""Reading while computing: the next batch is made ready while this one is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def read_ahead(read: Callable[[T], R], jobs: Sequence[T]) -> Iterator[R]:
    """``read(job)`` of every job, in order, one ahead in a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        upcoming = pool.submit(read, jobs[0]) if jobs else None
        for following in range(1, len(jobs) + 1):
            ready = upcoming.result()
            if following < len(jobs):
                upcoming = pool.submit(read, jobs[following])
            yield ready
