"""What a run takes, over all processes of the cluster and the command itself."""

from collections.abc import Callable, Iterable

import psutil


class Meter:
    """Sampled while the run lasts, since processes come and go."""

    def __init__(self, processes: Callable[[], Iterable[psutil.Process]]) -> None:
        self._processes = processes
        self._cpu: dict[int, float] = {}
        self._before: dict[int, float] = {}
        self.peak_megabytes = 0.0
        """Of proportional set sizes: what several processes share counts once."""
        self.sample()
        self._before, self.peak_megabytes = dict(self._cpu), 0.0

    def sample(self) -> None:
        """To be called every second or so."""
        megabytes = 0.0
        for process in self._processes():
            try:
                times = process.cpu_times()
                megabytes += process.memory_full_info().pss / 1e6
            except psutil.Error:
                continue
            self._cpu[process.pid] = times.user + times.system
        self.peak_megabytes = max(self.peak_megabytes, megabytes)

    @property
    def cpu_seconds(self) -> float:
        """Since the meter was made."""
        return sum(self._cpu.values()) - sum(self._before.values())
