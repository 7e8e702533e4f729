"""What a run shows on the terminal: progress while it lasts, every failure, a line at the end."""

import os
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s", style="progress.data.speed")


class Report:
    """Counts photos, and writes to standard error; a context manager."""

    def __init__(self, total: int, *, quiet: bool, summary: bool) -> None:
        """Shows nothing yet.

        Args:
            total: Photos, skipped ones too.
            quiet: Failures only.
            summary: Whether a line at the end is wanted.
        """
        self.captioned = self.skipped = self.failed = 0
        self._summary = summary and not quiet
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            console=self._console,
            refresh_per_second=2,  # each costs the encoder a millisecond
            disable=quiet or total < 2 or not self._console.is_terminal,
        )
        self._task = self._progress.add_task("captioning", total=total)
        self._total = total

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def skip(self) -> None:
        """A photo that had its captions already; it does not count for the rate."""
        self.skipped += 1
        self._progress.update(self._task, total=self._total - self.skipped)

    def done(self) -> None:
        self.captioned += 1
        self._progress.advance(self._task)

    def fail(self, path: str, reason: str) -> None:
        self.failed += 1
        self._progress.advance(self._task)
        self.say(f"{path}: {reason}")

    def say(self, text: str) -> None:
        """A line above the progress bar."""
        printable = os.fsencode(f"oko: {text}").decode(errors="backslashreplace")
        self._console.print(Text(printable))

    def end(self, failures: str | None) -> None:
        """The line at the end; `failures` is where they are listed."""
        if not self._summary:
            return
        parts = [f"{self.captioned} captioned"]
        if self.skipped:
            parts.append(f"{self.skipped} had captions already")
        if self.failed:
            parts.append(f"{self.failed} failed" + (f" (see {failures})" if failures else ""))
        task = self._progress.tasks[0]
        seconds = task.elapsed or 0.0
        rate = f", {self.captioned / seconds:.1f} a second" if self.captioned and seconds else ""
        self.say(f"{', '.join(parts)}; {seconds:.1f} s{rate}")
