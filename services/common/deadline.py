"""How long an answer is still wanted. Travels between services as remaining milliseconds."""

import time
from dataclasses import dataclass
from typing import Self

from services.common.errors import DeadlinePassed, InvalidParameter

HEADER = "X-Deadline-Ms"


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on this process's monotonic clock, in seconds."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Self:
        return cls(time.monotonic() + seconds)

    @classmethod
    def from_header(cls, value: str | None, longest_ms: int) -> Self:
        """Reads the caller's wish, never longer than ours.

        Remaining time travels instead of a clock time, so hosts need no common clock.

        Args:
            value: Content of `X-Deadline-Ms`, a positive whole number, or None.
            longest_ms: The service's own limit.

        Raises:
            InvalidParameter: The header is not a positive whole number.
        """
        if value is None:
            return cls.after(longest_ms / 1000)
        if not (value.isascii() and value.isdigit() and len(value) <= 9 and int(value) > 0):
            raise InvalidParameter(
                f"The header {HEADER} must be a positive number of milliseconds.", field=HEADER
            )
        return cls.after(min(int(value), longest_ms) / 1000)

    def remaining(self) -> float:
        """Seconds left, negative when the deadline has passed."""
        return self.at - time.monotonic()

    def share(self, part: float) -> "Deadline":
        """An earlier deadline that leaves the rest of the time for what comes after."""
        return Deadline.after(self.remaining() * part)

    def passed(self) -> bool:
        return self.remaining() <= 0

    def to_header(self) -> str:
        return str(max(1, int(self.remaining() * 1000)))

    def error(self) -> DeadlinePassed:
        return DeadlinePassed(
            "The answer was not ready in time; try again, or allow more time.", retry_after_s=1.0
        )

    def check(self) -> None:
        """Raises `DeadlinePassed` when nobody waits for the answer any more."""
        if self.passed():
            raise self.error()
