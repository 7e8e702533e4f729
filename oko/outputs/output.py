"""What every kind of output can do."""

from typing import Protocol

from oko.rows import Row
from oko.stop import CannotWork
from services.common.errors import OkoError


class UnusableOutput(CannotWork):
    """The output as a whole cannot be written; says what to do about it."""


class CannotWrite(OkoError):
    status, code, title = 500, "cannot-write", "What was found cannot be written"


class Output(Protocol):
    def wants(self, path: str) -> bool:
        """Whether this photo's captions are still missing here."""
        ...

    def write(self, row: Row) -> None:
        """Writes a photo's captions, so that they stay if the process is killed right after.

        Raises:
            CannotWrite: This photo's cannot be written; others may.
            UnusableOutput: Nothing can be written any more.
        """
        ...

    def close(self) -> None:
        """Completes the output. What has been written so far is kept whatever happened."""
        ...
