"""When to try again, and when to give up."""

import random
import time
from collections.abc import Callable

from oko.client.errors import ClientError, Problem, Unreachable

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 8.0
RETRIED = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that may be different next time. A caption changes nothing, so asking again is safe."""


class Patience:
    """One call's time, with all its attempts.

    Pauses double and are drawn at random below that (full jitter), so that callers that failed
    together do not come back together; they are never shorter than the service asks for.
    """

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """The time runs from now.

        Args:
            seconds: For all attempts together.
            clock: In seconds.
            uniform: A random number between two.
        """
        self._clock = clock
        self._uniform = uniform
        self._end = clock() + seconds
        self._longest = FIRST_PAUSE_S

    def remaining(self) -> float:
        """Seconds, at least a little: with no time at all a call would fail for another reason."""
        return max(0.001, self._end - self._clock())

    def pause(self, error: ClientError) -> float:
        """Seconds to wait before the next attempt; raises `error` when there should be none."""
        if not _may_pass(error):
            raise error
        pause = self._uniform(0, self._longest)
        self._longest = min(2 * self._longest, LONGEST_PAUSE_S)
        if isinstance(error, Problem) and error.retry_after_s is not None:
            pause += error.retry_after_s
        if pause >= self._end - self._clock():
            raise error
        return pause


def _may_pass(error: ClientError) -> bool:
    return isinstance(error, Unreachable) or (
        isinstance(error, Problem) and error.status in RETRIED
    )
