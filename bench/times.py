"""How long work takes, as quantiles."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Times:
    """Seconds of each repetition, in no order."""

    seconds: Sequence[float]

    def quantile(self, share: float) -> float:
        """Milliseconds; 0.5 is the median."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def p50(self) -> float:
        return self.quantile(0.5)


def repeated(work: Callable[[], object], seconds: float = 1.5, least: int = 5) -> Times:
    """Does `work` once unmeasured, then for so long and at least so often."""
    work()
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while len(taken) < least or time.perf_counter() < end:
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return Times(taken)
