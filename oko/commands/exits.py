"""How a command ends: its exit code, and a sentence instead of a traceback."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from oko.stop import CannotWork
from services.common.errors import ModelsUnavailable, OkoError

SOME_FAILED = 1
"""Single photos could not be captioned; the others are done."""
CANNOT_WORK = 2
"""Nothing could be done, or no more: options, models, service, room on the disk."""
INTERRUPTED = 130
"""Ctrl-C; what was done by then is kept."""
TERMINATED = 143
"""SIGTERM; the same."""


class Terminated(BaseException):
    """SIGTERM has come."""


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turns what ends a command into its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except (CannotWork, ModelsUnavailable) as error:
        _end(str(error), CANNOT_WORK)
    except OkoError as error:
        _end(error.detail, CANNOT_WORK)
    except KeyboardInterrupt:
        _end("interrupted", INTERRUPTED)
    except Terminated:
        _end("terminated", TERMINATED)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _end(reason: str, code: int) -> None:
    print(f"oko: {reason}", file=sys.stderr)
    raise typer.Exit(code) from None
