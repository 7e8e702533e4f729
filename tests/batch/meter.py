"""What a run takes, over all processes of the cluster and the command itself.

Sampled while the run lasts, since processes come and go.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import psutil

Processes = Callable[[], Iterable[psutil.Process]]


class CpuMeter:
    """Counts from when it is made. A sample is cheap; take one every second or so."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._before = dict(self._now())
        self._last = dict(self._before)

    def sample(self) -> None:
        self._last |= dict(self._now())

    @property
    def seconds(self) -> float:
        return sum(self._last.values()) - sum(self._before.values())

    def _now(self) -> Iterator[tuple[int, float]]:
        for process in self._processes():
            with suppress(psutil.Error):
                times = process.cpu_times()
                yield process.pid, times.user + times.system


class MemoryMeter:
    """Proportional set sizes: what several processes share counts once.

    The kernel walks all their pages for a sample, which takes the run's own time: none of these
    where speed is measured.
    """

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self.peak_megabytes = 0.0

    def sample(self) -> None:
        self.peak_megabytes = max(self.peak_megabytes, sum(self._now()))

    def _now(self) -> Iterator[float]:
        for process in self._processes():
            with suppress(psutil.Error):
                yield process.memory_full_info().pss / 1e6
