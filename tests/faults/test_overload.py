"""Four times more than it can do for a minute: what is accepted is in time, the rest is told."""

import statistics

import psutil
import pytest

from tests.load import Load, distinct, pids, quantile, summary
from tests.pictures import fresh_photo
from tests.processes import Stack

pytestmark = pytest.mark.slow

DEADLINE_S = 8.0
SECONDS = 60.0


def resident(stack: Stack) -> dict[str, int]:
    """Bytes of memory by service."""
    return {name: psutil.Process(pid).memory_info().rss for name, pid in pids(stack).items()}


async def test_overload(stack: Stack) -> None:
    photo = distinct(fresh_photo())
    before = Load(stack.url, photo)
    await before.closed_loop(workers=6, seconds=15)
    capacity = len(before.ok()) / 15
    # Warm: the buffers that full queues need are there before memory is measured.
    await Load(stack.url, photo).open_loop(4 * capacity, 15)
    start = resident(stack)

    load = Load(stack.url, photo)
    await load.open_loop(4 * capacity, SECONDS)

    growth = {name: size / start[name] - 1 for name, size in resident(stack).items()}
    print(f"\ncapacity {capacity:.1f}/s; at 4x: {summary(load.answers)}")
    print(f"throughput {len(load.ok()) / SECONDS:.1f}/s; growth {growth}")
    assert quantile([answer.seconds for answer in load.ok()], 0.999) <= DEADLINE_S + 0.5
    assert all(answer.status in (200, 503) for answer in load.answers), summary(load.answers)
    refused = load.refused()
    assert all(answer.retry_after is not None for answer in refused)
    assert statistics.median(answer.seconds for answer in refused) <= 0.1
    assert len(load.ok()) / SECONDS >= 0.9 * capacity
    assert max(growth.values()) < 0.1, growth
