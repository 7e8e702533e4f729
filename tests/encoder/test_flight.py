"""Single flight: one computation for everyone who asks while it runs."""

import asyncio

import pytest

from services.encoder.flight import SingleFlight


class Work:
    def __init__(self) -> None:
        self.started = 0
        self.finished = 0
        self.go = asyncio.Event()

    async def __call__(self) -> int:
        self.started += 1
        await self.go.wait()
        self.finished += 1
        return 7


async def test_identical_work_is_done_once() -> None:
    flight: SingleFlight[int] = SingleFlight()
    work = Work()
    callers = [asyncio.create_task(flight.do("key", work)) for _ in range(10)]
    await asyncio.sleep(0)
    work.go.set()
    assert await asyncio.gather(*callers) == [7] * 10
    assert work.started == 1
    assert await flight.do("key", work) == 7
    assert work.started == 2, "a later call is new work"


async def test_one_caller_leaving_does_not_take_it_from_the_others() -> None:
    flight: SingleFlight[int] = SingleFlight()
    work = Work()
    first = asyncio.create_task(flight.do("key", work))
    other = asyncio.create_task(flight.do("key", work))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    work.go.set()
    assert await other == 7
    assert work.started == 1


async def test_last_caller_leaving_cancels_the_work() -> None:
    flight: SingleFlight[int] = SingleFlight()
    work = Work()
    callers = [asyncio.create_task(flight.do("key", work)) for _ in range(2)]
    await asyncio.sleep(0)
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    work.go.set()
    await asyncio.sleep(0.01)
    assert (work.started, work.finished) == (1, 0)


async def test_failure_reaches_everyone() -> None:
    flight: SingleFlight[int] = SingleFlight()

    async def fail() -> int:
        await asyncio.sleep(0.01)
        raise ValueError("no")

    results = await asyncio.gather(
        *(flight.do("key", fail) for _ in range(3)), return_exceptions=True
    )
    assert all(isinstance(result, ValueError) for result in results)
    with pytest.raises(ValueError, match="no"):
        await flight.do("key", fail)
