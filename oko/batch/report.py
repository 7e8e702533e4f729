"""How far a run is, for people and for logs: a line now and then."""

import sys
import time
from collections import Counter

from oko.batch.rows import Written

INTERVAL_S = 10.0


class Report:
    """Counts what is written; the lines go to stderr."""

    def __init__(self, partitions: int, found: int) -> None:
        """Begins the clock.

        Args:
            partitions: Of this run, done ones included.
            found: Of these, done before.
        """
        self.captioned = 0
        self.failed: Counter[str] = Counter()
        self._partitions, self._found, self._done = partitions, found, found
        self._started = self._said = time.monotonic()
        if found:
            self._say(f"{found:,} of {partitions:,} partitions are there already")

    def add(self, written: Written) -> None:
        """Another part."""
        self.captioned += written.captioned
        self.failed.update(written.failed)
        self._done += written.part.last
        if time.monotonic() - self._said >= INTERVAL_S:
            self._say(self._progress())

    def finish(self) -> None:
        """The last line, and why photos have no caption."""
        self._say(self._progress())
        for code, count in self.failed.most_common():
            self._say(f"dead letters: {count:,} {code}")

    @property
    def rate(self) -> float:
        """Photos per second since the run began."""
        return self._photos / max(time.monotonic() - self._started, 1e-9)

    @property
    def _photos(self) -> int:
        return self.captioned + self.failed.total()

    def _progress(self) -> str:
        line = (
            f"{self._photos:,} photos, {self.rate:.1f}/s, "
            f"{self._done:,} of {self._partitions:,} partitions"
        )
        left, new = self._partitions - self._done, self._done - self._found
        if left and new:
            seconds = left / new * (time.monotonic() - self._started)
            line += f", {seconds / 3600:.1f} h left"
        return line

    def _say(self, line: str) -> None:
        print(f"oko: {line}", file=sys.stderr, flush=True)
        self._said = time.monotonic()
