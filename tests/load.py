"""Load on a gateway: open loop (so many a second, whatever comes) or closed (so many at once).

Only ever against processes that the tests started on this machine; bounded in time and number.
"""

import asyncio
import itertools
import json
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.http1 import Client
from tests.processes import Stack

Photo = Callable[[], bytes]


@dataclass(frozen=True)
class Answer:
    """`started` on the monotonic clock; status 0 when the connection broke."""

    started: float
    seconds: float
    status: int
    code: str = ""
    caption: str = ""
    cache: str = ""
    retry_after: str | None = None


@dataclass
class Load:
    """Sends photos and keeps the answers."""

    url: str
    photo: Photo
    timeout: float = 60.0
    answers: list[Answer] = field(default_factory=list)

    async def open_loop(self, rate: float, seconds: float) -> None:
        """`rate` requests a second for so long, then waits for the last answers."""
        await self.open_loop_until(rate, asyncio.Event(), seconds)

    async def open_loop_until(self, rate: float, done: asyncio.Event, seconds: float) -> None:
        """The same, ended earlier by `done`."""
        async with Client(self.url) as client, asyncio.TaskGroup() as group:
            start = time.monotonic()
            for index in range(int(rate * seconds)):
                await asyncio.sleep(max(0.0, start + index / rate - time.monotonic()))
                if done.is_set():
                    return
                group.create_task(self._send(client))

    async def closed_loop(self, workers: int, seconds: float) -> None:
        """`workers` requests at the same time, each followed by the next."""
        end = time.monotonic() + seconds

        async def work(client: Client) -> None:
            while time.monotonic() < end:
                await self._send(client)

        async with Client(self.url) as client:
            await asyncio.gather(*(work(client) for _ in range(workers)))

    async def burst(self, count: int) -> None:
        async with Client(self.url) as client:
            await asyncio.gather(*(self._send(client) for _ in range(count)))

    async def _send(self, client: Client) -> None:
        started = time.monotonic()
        try:
            async with asyncio.timeout(self.timeout):
                reply = await client.post("/v1/captions?heatmap=none", self.photo())
        except (OSError, EOFError) as error:
            seconds = time.monotonic() - started
            self.answers.append(Answer(started, seconds, 0, type(error).__name__))
            return
        seconds = time.monotonic() - started
        document = json.loads(reply.body)
        self.answers.append(
            Answer(
                started,
                seconds,
                reply.status,
                document.get("code", ""),
                document.get("caption", ""),
                document.get("cache", ""),
                reply.headers.get("retry-after"),
            )
        )

    def ok(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.status == 200]

    def refused(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.status != 200]


def distinct(photo: bytes) -> Photo:
    """The same picture in bytes that no cache has seen: nobody reads what follows a JPEG's end."""
    counter = itertools.count(time.time_ns())
    return lambda: photo + b"%d" % next(counter)


def quantile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def summary(answers: list[Answer]) -> str:
    """Counts by status and code, with median and worst time."""
    kinds: dict[tuple[int, str], list[float]] = {}
    for answer in answers:
        kinds.setdefault((answer.status, answer.code), []).append(answer.seconds)
    return ", ".join(
        f"{status}{' ' + code if code else ''}: {len(times)} "
        f"(median {statistics.median(times):.3f} s, worst {max(times):.3f} s)"
        for (status, code), times in sorted(kinds.items())
    )


def pids(stack: Stack) -> dict[str, int]:
    return {service.name: service.pid for service in stack.services()}
