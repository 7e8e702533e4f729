"""Continuous batching: one thread owns the batch, captions join and leave between steps."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from services.common.deadline import Deadline
from services.common.errors import Overloaded, ShuttingDown
from services.common.features import Features
from services.decoder.search import BeamSearch, Hypothesis, Node, SearchOptions
from services.decoder.session import DecoderSession, State
from services.decoder.vocabulary import Vocabulary

SAFETY = 2.0
"""Work is refused unless this many times the expected wait fits its deadline: how fast steps are
depends on who else uses the machine."""


@dataclass(slots=True)
class Job:
    """One caption to decode. The callbacks are called in the engine's thread and must not block."""

    features: Features
    options: SearchOptions
    deadline: Deadline
    on_done: Callable[[list[Hypothesis]], None]
    on_error: Callable[[Exception], None]
    on_word: Callable[[int, Node], None] | None = None
    cancelled: bool = False
    """Set by the caller, from any thread, when nobody waits any more."""


@dataclass(slots=True)
class _Running:
    job: Job
    search: BeamSearch
    rows: list[int]
    """For each live beam, its row in the state of the last step."""
    joined: float = field(default_factory=time.monotonic)
    words_sent: int = 0


class Engine:
    """Decodes captions of one language.

    At every step all live beams of all running captions go through one call of the step graph:
    captions × beams is a rectangle, short beams are padded. Features and keys of a caption are
    copied once, into its slot; a caption that leaves gives its slot to the last one.
    """

    def __init__(
        self,
        session: DecoderSession,
        vocabulary: Vocabulary,
        *,
        batch_size: int,
        queue_size: int,
        on_step: Callable[[int, int, float], None] = lambda captions, waiting, seconds: None,
    ) -> None:
        """Configures the engine; `start` begins the work.

        Args:
            session: The model.
            vocabulary: Of the same language.
            batch_size: Most captions decoded together.
            queue_size: Most captions waiting to join.
            on_step: Told the running and waiting captions and the seconds of every step.
        """
        self._session = session
        self._vocabulary = vocabulary
        self._batch_size = batch_size
        self._queue_size = queue_size
        self._on_step = on_step
        self._queue: deque[Job] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._running: list[_Running] = []
        self._state: State | None = None
        self._features = np.empty(
            (batch_size, session.cells, session.dimensions), np.float32
        )  # [slots, 64, D]
        self._keys = np.empty(
            (batch_size, session.cells, session.attention_size), np.float32
        )  # [slots, 64, A]
        self._seconds_per_caption = 0.0
        self._thread = threading.Thread(
            target=self._loop, name=f"decoder-{session.model.language}", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; what still waits or runs gets `ShuttingDown`."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def submit(self, job: Job) -> None:
        """Puts a caption in the queue.

        Raises:
            Overloaded: The queue is full, or too long for the deadline: better to say so now.
            ShuttingDown: The engine has been stopped.
        """
        with self._changed:
            if self._stopping:
                raise ShuttingDown
            wait = SAFETY * self._expected_seconds()
            if len(self._queue) >= self._queue_size:
                raise Overloaded("The decoder's queue is full.", retry_after_s=wait)
            if wait > job.deadline.remaining():
                raise Overloaded(
                    "The decoder cannot answer within the deadline.",
                    retry_after_s=wait - job.deadline.remaining(),
                )
            self._queue.append(job)
            self._changed.notify()

    def _expected_seconds(self) -> float:
        """Seconds until a caption that comes now would be done, from recent speed."""
        rounds = 1 + len(self._queue) / self._batch_size
        return rounds * self._seconds_per_caption

    def _loop(self) -> None:
        while self._wait_for_work():
            try:
                self._drop_unwanted()
                self._admit()
                if self._running:
                    self._step()
            except Exception as error:  # the waiting requests must hear of it, whatever it is
                for running in self._running:
                    running.job.on_error(error)
                self._running.clear()
        for job in (*self._queue, *(running.job for running in self._running)):
            job.on_error(ShuttingDown())

    def _wait_for_work(self) -> bool:
        with self._changed:
            while not (self._stopping or self._queue or self._running):
                self._changed.wait()
            return not self._stopping

    def _drop_unwanted(self) -> None:
        for slot in reversed(range(len(self._running))):
            job = self._running[slot].job
            if job.cancelled:
                self._leave(slot)
            elif job.deadline.passed():
                job.on_error(job.deadline.error())
                self._leave(slot)

    def _admit(self) -> None:
        joining = self._next_jobs(self._batch_size - len(self._running))
        if not joining:
            return
        first = len(self._running)
        slots = slice(first, first + len(joining))
        for slot, job in enumerate(joining, first):
            self._features[slot] = job.features
        self._running += [
            _Running(job, BeamSearch(self._vocabulary, job.options), []) for job in joining
        ]
        keys, state = self._session.init(self._features[slots])
        self._keys[slots] = keys
        old_rows = 0 if self._state is None else len(self._state.h)
        for row, running in enumerate(self._running[slots], old_rows):
            running.rows = [row]
        self._state = state if self._state is None else _stacked(self._state, state)

    def _next_jobs(self, room: int) -> list[Job]:
        jobs: list[Job] = []
        with self._changed:
            while self._queue and len(jobs) < room:
                job = self._queue.popleft()
                if job.cancelled:
                    continue
                if job.deadline.passed():
                    job.on_error(job.deadline.error())
                    continue
                jobs.append(job)
        return jobs

    def _step(self) -> None:
        assert self._state is not None
        started = time.monotonic()
        captions = len(self._running)
        beams = max(len(running.rows) for running in self._running)
        token = np.zeros((captions, beams), np.int64)
        parent = np.zeros((captions, beams), np.int64)
        for slot, running in enumerate(self._running):
            token[slot, : len(running.rows)] = running.search.tokens()
            parent[slot, : len(running.rows)] = running.rows
        step = self._session.step(
            token, parent, self._state, self._features[:captions], self._keys[:captions]
        )
        self._state = step.state
        for slot in reversed(range(captions)):
            running = self._running[slot]
            live = len(running.rows)
            parents = running.search.advance(
                step.log_probability[slot, :live],
                step.word[slot, :live],
                step.attention[slot, :live],
            )
            running.rows = [slot * beams + beam for beam in parents]
            _send_words(running)
            if running.search.done:
                self._learn(time.monotonic() - running.joined)
                running.job.on_done(running.search.best())
                self._leave(slot)
        self._on_step(captions, len(self._queue), time.monotonic() - started)

    def _leave(self, slot: int) -> None:
        """Frees a slot: the last caption moves there, so that running slots stay contiguous."""
        last = len(self._running) - 1
        if slot != last:
            self._features[slot] = self._features[last]
            self._keys[slot] = self._keys[last]
            self._running[slot] = self._running[last]
        self._running.pop()
        if not self._running:
            self._state = None

    def _learn(self, seconds: float) -> None:
        old = self._seconds_per_caption
        self._seconds_per_caption = seconds if not old else 0.9 * old + 0.1 * seconds


def _stacked(one: State, other: State) -> State:
    return State(np.concatenate((one.h, other.h)), np.concatenate((one.c, other.c)))


def _send_words(running: _Running) -> None:
    if running.job.on_word is None:
        return
    agreed = running.search.agreed()
    for index in range(running.words_sent, len(agreed)):
        running.job.on_word(index, agreed[index])
    running.words_sent = max(running.words_sent, len(agreed))
