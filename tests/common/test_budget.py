"""Memory that work reserves before it starts."""

import asyncio

from services.common.budget import ByteBudget


async def hold(budget: ByteBudget, size: int, log: list[int], go: asyncio.Event) -> None:
    async with budget.hold(size):
        log.append(size)
        await go.wait()


async def test_first_come_first_served_within_the_budget() -> None:
    budget, log, go = ByteBudget(10), [], asyncio.Event()
    tasks = [asyncio.create_task(hold(budget, size, log, go)) for size in (6, 7, 1)]
    await asyncio.sleep(0.01)
    assert log == [6], "1 would fit, but 7 came first"
    go.set()
    await asyncio.gather(*tasks)
    assert log == [6, 7, 1]


async def test_larger_than_the_budget_runs_alone() -> None:
    budget, log, go = ByteBudget(10), [], asyncio.Event()
    go.set()
    await asyncio.wait_for(hold(budget, 99, log, go), 1)
    assert log == [99]


async def test_cancelled_waiter_takes_nothing() -> None:
    budget, log, go = ByteBudget(10), [], asyncio.Event()
    first = asyncio.create_task(hold(budget, 10, log, go))
    waiting = asyncio.create_task(hold(budget, 10, log, go))
    last = asyncio.create_task(hold(budget, 10, log, go))
    await asyncio.sleep(0.01)
    waiting.cancel()
    go.set()
    await asyncio.wait_for(asyncio.gather(first, last), 1)
    assert log == [10, 10]
    assert budget._free == 10
