"""Features of many photos → captions, in groups large enough for the decoder to be quick."""

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from services.common.deadline import Deadline
from services.common.errors import OkoError
from services.common.features import Features
from services.decoder.captions import Caption, to_captions
from services.decoder.engine import Job
from services.decoder.languages import Languages
from services.decoder.search import Hypothesis, SearchOptions

TOGETHER = 32
"""Captions that begin to be decoded together. A step for 32 takes a tenth less per caption than one
for 16, and its arrays still fit into the caches: one for 64 is no faster with float32 weights, and
slower with 8-bit ones."""

_NEVER = Deadline(math.inf)
"""Nobody sheds load here."""


class BulkDecoder:
    """Gathers features until there are `TOGETHER`, then lets the languages' engines decode them.

    The engines' threads do the work. Their queues must have room for all that is submitted.
    """

    def __init__(
        self,
        languages: Languages,
        codes: Sequence[str],
        options: SearchOptions,
        on_captions: Callable[[int, Mapping[str, list[Caption]]], None],
        on_error: Callable[[int, OkoError], None],
    ) -> None:
        """Configures the decoder.

        Args:
            languages: Started.
            codes: The languages to caption in, each once.
            options: Beam size and the rest.
            on_captions: Told a photo's captions, by the number it was submitted with: for every
                language, best first. Both callbacks are called in an engine's thread.
            on_error: Told why a photo has none.
        """
        self._languages = languages
        self._codes = codes
        self._options = options
        self._on_captions = on_captions
        self._on_error = on_error
        self._lock = threading.Lock()
        self._gathered: list[tuple[int, Features]] = []
        self._found: dict[int, dict[str, list[Caption]]] = {}
        self._jobs: dict[int, list[Job]] = {}

    def submit(self, index: int, features: Features) -> None:
        """Adds a photo; `features` is float16 [64, D]."""
        with self._lock:
            self._gathered.append((index, features))
            enough = len(self._gathered) >= TOGETHER
        if enough:
            self.flush()

    def flush(self) -> None:
        """Decodes what has gathered: no more is to come soon."""
        with self._lock:
            gathered, self._gathered = self._gathered, []
            for index, features in gathered:
                self._found[index] = {}
                self._jobs[index] = [self._job(index, code, features) for code in self._codes]
            jobs = [(index, self._jobs[index]) for index, _ in gathered]
        for index, each in jobs:
            for code, job in zip(self._codes, each, strict=True):
                try:
                    self._languages[code].engine.submit(job)
                except OkoError as error:
                    self._failed(index, error)

    def cancel(self) -> None:
        """Nobody waits any more."""
        with self._lock:
            for jobs in self._jobs.values():
                for job in jobs:
                    job.cancelled = True
            self._jobs.clear()
            self._gathered.clear()

    def _job(self, index: int, code: str, features: Features) -> Job:
        return Job(
            features,
            self._options,
            _NEVER,
            on_done=partial(self._done, index, code),
            on_error=partial(self._failed, index),
        )

    def _done(self, index: int, code: str, found: list[Hypothesis]) -> None:
        captions = to_captions(found, self._languages[code].vocabulary)
        with self._lock:
            if index not in self._jobs:
                return  # failed in another language, or cancelled
            self._found[index][code] = captions
            if len(self._found[index]) < len(self._codes):
                return
            del self._jobs[index]
            complete = self._found.pop(index)
        self._on_captions(index, {code: complete[code] for code in self._codes})

    def _failed(self, index: int, error: Exception) -> None:
        with self._lock:
            if self._jobs.pop(index, None) is None:
                return
            del self._found[index]
        self._on_error(index, error if isinstance(error, OkoError) else OkoError(repr(error)))
