"""Four times more than it can do for a minute: what is accepted is in time, the rest is told."""

import asyncio
import statistics
import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass

import psutil
import pytest

from tests.load import Load, distinct, pids, quantile, summary
from tests.pictures import fresh_photo
from tests.processes import Stack, running_stack
from tests.processor import ProcessorTime

pytestmark = pytest.mark.slow

DEADLINE_S = 8.0
SECONDS = 60.0
WORKERS = 12
"""At the same time, to find the capacity: fewer fill no batches, more find no more."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """With caches that are full before memory is measured: that they fill is what they are for."""
    small = {"cache_bytes": 2**22, "caption_cache_bytes": 2**19}
    with running_stack(tmp_path_factory.mktemp("overload"), **small) as running:
        yield running


@dataclass(frozen=True)
class Measured:
    a_second: float
    a_core_second: float
    """Per second of one core that others left to the services. On a machine of one's own the two
    say the same; here neighbours come and go within a minute."""
    memory: dict[str, int]
    """Most resident bytes by service: the encoder holds more while a run lasts."""

    def __str__(self) -> str:
        return f"{self.a_second:.1f}/s, {self.a_core_second:.2f} per core-second"


async def measured(stack: Stack, load: Load, work: Coroutine[None, None, None]) -> Measured:
    processes = {name: psutil.Process(pid) for name, pid in pids(stack).items()}
    memory = dict.fromkeys(processes, 0)
    processor, started = ProcessorTime(stack), time.monotonic()
    working = asyncio.ensure_future(work)
    while not working.done():
        for name, process in processes.items():
            memory[name] = max(memory[name], process.memory_info().rss)
        await asyncio.wait((working,), timeout=0.5)
    await working
    answered, seconds = len(load.ok()), time.monotonic() - started
    return Measured(answered / seconds, answered / processor.core_seconds(), memory)


async def test_overload(stack: Stack) -> None:
    photo = distinct(fresh_photo())
    await Load(stack.url, photo).closed_loop(WORKERS, seconds=3)
    calm = Load(stack.url, photo)
    capacity = await measured(stack, calm, calm.closed_loop(WORKERS, seconds=15))
    rate = 4 * capacity.a_second
    # Caches and the buffers of full queues are there before memory is compared.
    warm = Load(stack.url, photo)
    before = await measured(stack, warm, warm.open_loop(rate, 15))

    load = Load(stack.url, photo)
    overloaded = await measured(stack, load, load.open_loop(rate, SECONDS))

    growth = {name: size / before.memory[name] - 1 for name, size in overloaded.memory.items()}
    kept = overloaded.a_core_second / capacity.a_core_second
    print(f"\ncapacity: {capacity}\n4x for {SECONDS:g} s: {overloaded}, {kept:.0%} of capacity")
    print(f"{summary(load.answers)}\nmemory growth: {growth}")
    assert quantile([answer.seconds for answer in load.ok()], 0.999) <= DEADLINE_S + 0.5
    assert all(answer.status in (200, 503) for answer in load.answers), summary(load.answers)
    refused = load.refused()
    assert all(answer.retry_after is not None for answer in refused)
    assert statistics.median(answer.seconds for answer in refused) <= 0.1
    assert kept >= 0.9
    assert max(growth.values()) < 0.1, growth
