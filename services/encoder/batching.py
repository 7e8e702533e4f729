"""Micro-batching: photos that wait together are encoded together. One task owns the batch."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from services.common.deadline import Deadline
from services.common.errors import Overloaded, ShuttingDown
from services.common.features import Features
from services.common.images import Pixels

SAFETY = 2.0
"""Work is refused unless this many times the wait in the queue fits its deadline: how fast the
model is depends on who else uses the machine, and a queue half as long keeps it just as busy."""

NEWEST = 0.3
"""Weight of the last run in the pace: one slow run is an accident, three are a busy machine."""


@dataclass(frozen=True, slots=True)
class _Entry:
    pixels: Pixels
    deadline: Deadline
    result: "asyncio.Future[Features]"


class Batcher:
    """A bounded queue in front of one model thread.

    While a batch runs, the next one gathers, so under load batches fill themselves; `wait_s` only
    matters when the model is idle.
    """

    def __init__(
        self,
        run: Callable[[list[Pixels]], list[Features]],
        *,
        batch_size: int,
        wait_s: float,
        queue_size: int,
        on_batch: Callable[[int, float], None] = lambda size, seconds: None,
        on_depth: Callable[[int], None] = lambda depth: None,
    ) -> None:
        """Configures the batcher; `start` begins the work.

        Args:
            run: The model: a list of pixels in, as many features out. Called in a thread.
            batch_size: Most photos in one run.
            wait_s: Longest wait for a batch to fill.
            queue_size: Most photos waiting.
            on_batch: Told the size and the seconds of every run.
            on_depth: Told the length of the queue whenever it changes.
        """
        self._run = run
        self._batch_size = batch_size
        self._wait_s = wait_s
        self._queue_size = queue_size
        self._on_batch = on_batch
        self._on_depth = on_depth
        self._queue: deque[_Entry] = deque()
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="encoder-model")
        self._seconds_per_photo = 0.0
        self._running = 0
        """Photos in the run under way."""
        self._run_started = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._loop(), name="encoder-batches")

    async def stop(self) -> None:
        """Ends the task; what still waits gets `ShuttingDown`."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        _fail(self._queue, ShuttingDown())
        self._queue.clear()
        self._thread.shutdown(wait=True)

    @property
    def alive(self) -> bool:
        return self._task is not None and not self._task.done()

    async def encode(self, pixels: Pixels, deadline: Deadline) -> Features:
        """Waits for a run with this photo in it.

        Raises:
            Overloaded: The queue is full, or too long for the deadline: better to say so now. Later
                when the model has become so much slower that the wait is in vain after all.
            DeadlinePassed: The deadline passed while waiting.
        """
        self.check_room(deadline)
        entry = _Entry(pixels, deadline, asyncio.get_running_loop().create_future())
        self._queue.append(entry)
        self._on_depth(len(self._queue))
        self._arrived.set()
        try:
            async with asyncio.timeout(max(0.0, deadline.remaining())):
                return await entry.result
        except TimeoutError:
            raise deadline.error() from None

    def check_room(self, deadline: Deadline) -> None:
        """Raises `Overloaded` when a photo that came now would wait in vain."""
        if len(self._queue) >= self._queue_size:
            raise Overloaded("The encoder's queue is full.", retry_after_s=self.expected_wait())
        wait = SAFETY * self._ahead() + self._pace()
        if wait > deadline.remaining():
            raise Overloaded(
                "The encoder cannot answer within the deadline.",
                retry_after_s=wait - deadline.remaining(),
            )

    def expected_wait(self) -> float:
        """Seconds until a photo that comes now would be encoded, from recent speed."""
        return self._ahead() + self._pace()

    def _ahead(self) -> float:
        """Seconds of work before that of a photo that comes now."""
        running = self._running * self._pace() - (time.monotonic() - self._run_started)
        return max(0.0, running) + len(self._queue) * self._pace()

    def _pace(self) -> float:
        """Seconds per photo: lately, or in the run under way if it has taken longer already."""
        if not self._running:
            return self._seconds_per_photo
        elapsed = time.monotonic() - self._run_started
        return max(self._seconds_per_photo, elapsed / self._running)

    async def _loop(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = await self._next_batch()
            if not batch:
                continue
            self._running, self._run_started = len(batch), time.monotonic()
            try:
                features = await loop.run_in_executor(
                    self._thread, self._run, [entry.pixels for entry in batch]
                )
            except asyncio.CancelledError:
                _fail(batch, ShuttingDown())
                raise
            except Exception as error:  # the waiting requests must hear of it, whatever it is
                _fail(batch, error)
                continue
            finally:
                self._running = 0
            seconds = time.monotonic() - self._run_started
            self._learn(seconds / len(batch))
            self._on_batch(len(batch), seconds)
            for entry, result in zip(batch, features, strict=True):
                if not entry.result.done():
                    entry.result.set_result(result)

    async def _next_batch(self) -> list[_Entry]:
        while not self._queue:
            self._arrived.clear()
            await self._arrived.wait()
        if len(self._queue) < self._batch_size and self._wait_s:
            await asyncio.sleep(self._wait_s)
        self._drop_hopeless()
        batch = [self._queue.popleft() for _ in range(min(self._batch_size, len(self._queue)))]
        self._on_depth(len(self._queue))
        return batch

    def _drop_hopeless(self) -> None:
        """Takes out what nobody waits for, and refuses what would be done too late."""
        waiting = [entry for entry in self._queue if not entry.result.done()]
        self._queue.clear()
        for entry in waiting:
            # All photos of a run are done at its end.
            runs = len(self._queue) // self._batch_size + 1
            done = min(runs * self._batch_size, len(waiting)) * self._pace()
            if done > entry.deadline.remaining():
                slower = Overloaded("The encoder has become too slow for the deadline.")
                _fail([entry], slower)
            else:
                self._queue.append(entry)

    def _learn(self, seconds: float) -> None:
        old = self._seconds_per_photo
        self._seconds_per_photo = seconds if not old else (1 - NEWEST) * old + NEWEST * seconds


def _fail(entries: Iterable[_Entry], error: Exception) -> None:
    for entry in entries:
        if not entry.result.done():
            entry.result.set_exception(error)
