"""Where photos come from. A source lists them once; a partition of the list is read by a worker."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from services.common.errors import OkoError


class UnusableInput(Exception):
    """The input as a whole cannot be captioned; says what to do about it."""


class NotFound(OkoError):
    status, code, title = 404, "not-found", "There is no such file"


class UnreadableRecord(OkoError):
    status, code, title = 422, "unreadable-record", "The record cannot be read"


class Kind(StrEnum):
    FILES = "files"
    PARQUET = "parquet"
    WEBDATASET = "webdataset"


@dataclass(frozen=True, slots=True)
class Partition:
    """Some records of the input, always the same ones: what a worker takes and may repeat."""

    number: int
    source: str
    """The file that holds the records, or their list."""
    start: int
    stop: int
    """Range in that file: bytes of the list (files), rows (Parquet); 0 and 0: all of it."""


@dataclass(frozen=True, slots=True)
class Record:
    key: str
    """Names the record in the output; unique as long as the input's own keys are."""
    load: Callable[[], bytes]
    """The image file. Called in a thread; raises `OkoError`."""


class Source(Protocol):
    """One kind of input."""

    def records(self, partition: Partition) -> Iterator[Record]:
        """The records of a partition, in an order that never changes.

        Raises:
            UnreadableRecord: What comes after cannot be read.
        """
        ...


def refuse(error: OkoError) -> bytes:
    """For `Record.load`, when it is known before that there is no image."""
    raise error
