"""Processor time that the services could have had: the measure on a machine that is shared."""

import time

import psutil

from tests.load import pids
from tests.processes import Stack


class ProcessorTime:
    """From when it is made. Time that is left idle counts: the services could have used it.

    What other processes take does not, be they strangers or the clients, which in earnest have
    machines of their own.
    """

    def __init__(self, stack: Stack) -> None:
        self._services = [psutil.Process(pid) for pid in pids(stack).values()]
        self._started = time.monotonic()
        self._others_before = self._others()

    def core_seconds(self) -> float:
        cores = psutil.cpu_count() or 1
        elapsed = time.monotonic() - self._started
        return cores * elapsed - (self._others() - self._others_before)

    def _others(self) -> float:
        machine = psutil.cpu_times()
        busy = sum(machine) - machine.idle - machine.iowait - machine.guest - machine.guest_nice
        own = (process.cpu_times() for process in self._services)
        return float(busy - sum(times.user + times.system for times in own))
