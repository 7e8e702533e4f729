"""A training run: step after step, looked at now and then, ended by number or by time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from tqdm import tqdm

SHOWN = 50  # of the last steps, on the progress bar

Batch = TypeVar("Batch")
Losses = TypeVar("Losses")


def run_steps(
    batches: Iterable[Batch],
    step: Callable[[Batch], Losses],
    check: Callable[[int, list[Losses]], None],
    shown: Callable[[list[Losses]], Mapping[str, float | str]],
    *,
    done: int,
    total: int,
    minutes: float | None,
    check_every: int,
) -> None:
    """Trains from step `done` to `total`, or for so many minutes.

    Args:
        batches: as many as it takes.
        step: one update.
        check: told the steps done and what `step` gave since the last check, every `check_every`
            steps, before the first step and after the last.
        shown: what the progress bar says of the last steps.
    """
    deadline = time.monotonic() + 60 * (minutes or 1e9)
    recent: list[Losses] = []
    if not done:
        check(done, recent)
    with tqdm(total=total, initial=done, unit="step") as bar:
        for batch in batches:
            if done >= total or time.monotonic() > deadline:
                break
            recent.append(step(batch))
            done += 1
            bar.update()
            bar.set_postfix(shown(recent[-SHOWN:]), refresh=False)
            if done % check_every == 0:
                check(done, recent)
                recent = []
    if recent:
        check(done, recent)
