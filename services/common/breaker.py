"""Circuit breaker: after repeated failures, stop asking for a while."""

import time
from collections.abc import Callable
from typing import Literal

BreakerState = Literal["closed", "half-open", "open"]


class Breaker:
    """Opens after `threshold` failures in a row; lets one call through after `cool_down_s`.

    That call's outcome closes it or opens it again. Not thread-safe: for one event loop.
    """

    def __init__(
        self, threshold: int, cool_down_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._threshold = threshold
        self._cool_down_s = cool_down_s
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None
        self._trial_at: float | None = None

    @property
    def state(self) -> BreakerState:
        if self._opened_at is None:
            return "closed"
        waited = self._clock() - self._opened_at
        return "half-open" if waited >= self._cool_down_s else "open"

    def allows(self) -> bool:
        """Whether a call may be made now; in `half-open` only one per cool-down may."""
        if self.state == "closed":
            return True
        if self.state == "open":
            return False
        now = self._clock()
        if self._trial_at is not None and now - self._trial_at < self._cool_down_s:
            return False
        self._trial_at = now
        return True

    def succeeded(self) -> None:
        self._failures = 0
        self._opened_at = None
        self._trial_at = None

    def failed(self) -> None:
        self._failures += 1
        if self._failures >= self._threshold:
            self._opened_at = self._clock()
            self._trial_at = None
