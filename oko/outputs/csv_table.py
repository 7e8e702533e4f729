"""Comma-separated values (RFC 4180, lines ended by \\n), UTF-8, with a header."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from oko.outputs.appended import AppendedFile
from oko.outputs.output import UnusableOutput
from oko.rows import Row, columns


class CsvTable:
    def __init__(
        self, path: Path, languages: Sequence[str], *, resume: bool, overwrite: bool
    ) -> None:
        """Opens the file and reads what is done.

        Raises:
            UnusableOutput: The file cannot be used, or holds something else.
        """
        self._path = path
        self._columns = columns(languages)
        self._done: set[str] | None = None  # None: there is no header yet
        self._file = AppendedFile(path, resume=resume, overwrite=overwrite)
        self._file.keep_records(self._records)
        if self._done is None:
            self._file.append(_record(self._columns))
            self._done = set()

    def wants(self, path: str) -> bool:
        assert self._done is not None
        return path not in self._done

    def write(self, row: Row) -> None:
        assert self._done is not None
        self._file.append(_record(list(row.values().values())))
        self._done.add(row.path)

    def close(self) -> None:
        self._file.close()

    def _records(self, file: BinaryIO) -> Iterator[int]:
        for values, end in _complete(file):
            if self._done is None:
                if values != self._columns:
                    raise UnusableOutput(
                        f"{self._path} has other columns ({', '.join(values)}) than this run "
                        f"({', '.join(self._columns)}). Use the same languages, or another file."
                    )
                self._done = set()
            elif len(values) == len(self._columns):
                self._done.add(values[0])
            else:
                raise UnusableOutput(f"{self._path} is damaged at byte {end}; remove that line.")
            yield end


def _complete(file: BinaryIO) -> Iterator[tuple[list[str], int]]:
    """Complete records, and the offset at which each ends. Quoted values may hold line breaks."""
    record, end = b"", 0
    for data in file:
        record += data
        if not record.endswith(b"\n") or record.count(b'"') % 2:
            continue
        end += len(record)
        text = record.decode(errors="surrogateescape")
        yield next(csv.reader(io.StringIO(text, newline=""))), end
        record = b""


def _record(values: Sequence[str | float]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue().encode(errors="surrogateescape")
