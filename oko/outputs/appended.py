"""A file that records are appended to, each with one write, by one process at a time."""

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from oko.outputs.output import UnusableOutput


class AppendedFile:
    """What a killed process leaves is complete records and perhaps a torn one at the end.

    A record that has been appended stays if the process is killed; if the machine loses its power,
    the last ones before it may be lost, until `close` has made them permanent.
    """

    def __init__(self, path: Path, *, resume: bool, overwrite: bool) -> None:
        """Opens and locks the file, creating it if need be.

        Args:
            path: Its folder must exist.
            resume: Keep what is there.
            overwrite: Begin anew, whatever is there.

        Raises:
            UnusableOutput: There is something and neither was asked for, another process writes
                there, or the file cannot be written.
        """
        self._path = path
        try:
            self._file = path.open("ab+", buffering=0)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UnusableOutput(f"{path} is being written by another process.") from None
        except OSError as error:
            raise UnusableOutput(f"{path} cannot be written: {error.strerror}.") from error
        if overwrite:
            self._file.truncate(0)
        elif not resume and path.stat().st_size:
            self._file.close()
            raise UnusableOutput(
                f"{path} exists. Use --resume to add what is missing, or --overwrite."
            )

    def keep_records(self, records: Callable[[BinaryIO], Iterator[int]]) -> None:
        """Cuts a torn record off the end.

        Args:
            records: Reads the file from its beginning and yields the offset of each record's end,
                until the end of the file or what is not a record any more. May raise
                `UnusableOutput`.
        """
        with self._path.open("rb") as file:
            end = max(records(file), default=0)
            torn = os.fstat(file.fileno()).st_size - end
        if torn:
            self._file.truncate(end)

    def append(self, record: bytes) -> None:
        """Raises `UnusableOutput` when there is no room, or the disk is gone."""
        try:
            written = self._file.write(record)
            if written != len(record):
                raise OSError(0, "the disk is full")
        except OSError as error:
            raise UnusableOutput(f"{self._path} cannot be written: {error.strerror}.") from error

    def close(self) -> None:
        if self._file.closed:
            return
        os.fsync(self._file.fileno())
        self._file.close()
