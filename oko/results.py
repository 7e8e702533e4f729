"""What became of each photo of a run."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from oko.rows import Row
from services.common.errors import OkoError


@dataclass(frozen=True, slots=True)
class Result:
    """A row, or the error in its place."""

    index: int
    path: str
    row: Row | None = None
    error: OkoError | None = None


def in_order(results: Iterable[Result]) -> Iterator[Result]:
    """In the order of the input, for people; holds back what is done before its turn."""
    early: dict[int, Result] = {}
    turn = 0
    for result in results:
        early[result.index] = result
        while turn in early:
            yield early.pop(turn)
            turn += 1
