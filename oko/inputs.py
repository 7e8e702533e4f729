"""Which files the arguments of a command mean."""

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp"),
    *(".gif", ".bmp", ".dib", ".tif", ".tiff", ".avif"),
)
"""Of files that are taken from a folder. A file that is named is taken whatever its name."""


def photos(arguments: Sequence[str], listed: BinaryIO | None = None) -> Iterator[str]:
    """Paths of files, each once, those of a folder in the order of their names.

    What does not exist is passed on as it is: opening it says so, in its place in the report.

    Args:
        arguments: Files, folders (with what is below them, hidden files and folders left out),
            patterns such as `photos/**/*.jpg`, or `-` for the paths in `listed`.
        listed: One path a line; None for standard input.
    """
    seen: set[str] = set()
    for argument in arguments:
        for path in _meant(argument, listed):
            normal = os.path.normpath(path)
            if normal not in seen:
                seen.add(normal)
                yield normal


def _meant(argument: str, listed: BinaryIO | None) -> Iterator[str]:
    if argument == "-":
        for line in listed or sys.stdin.buffer:
            if path := os.fsdecode(line.rstrip(b"\r\n")):
                yield from _files(path)
    elif glob.has_magic(argument) and not Path(argument).exists():
        matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 - knows absolute ones
        for path in matches or [argument]:
            yield from _files(path)
    else:
        yield from _files(argument)


def _files(path: str) -> Iterator[str]:
    if not Path(path).is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield str(Path(folder, name))
