"""Single flight: identical work that is already under way is joined, not repeated."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Shares one result per key between all callers that ask while it is being made.

    The work goes on as long as anyone waits for it: one caller that goes away does not take the
    answer from the others, and the last one that does cancels it.
    """

    def __init__(self) -> None:
        self._flights: dict[str, asyncio.Task[T]] = {}
        self._waiting: dict[str, int] = {}

    async def do(self, key: str, work: Callable[[], Awaitable[T]]) -> T:
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._run(work))
            self._flights[key] = flight
            self._waiting[key] = 0
            flight.add_done_callback(lambda done: self._forget(key, done))
        self._waiting[key] += 1
        try:
            return await asyncio.shield(flight)
        finally:
            if self._flights.get(key) is flight:
                self._waiting[key] -= 1
                if not self._waiting[key] and not flight.done():
                    flight.cancel()
                    self._forget(key, flight)

    @staticmethod
    async def _run(work: Callable[[], Awaitable[T]]) -> T:
        return await work()

    def _forget(self, key: str, flight: "asyncio.Task[T]") -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
            del self._waiting[key]
        if flight.done() and not flight.cancelled():
            flight.exception()  # marks it as seen when every caller has gone
