"""One JSON object a line (https://jsonlines.org)."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from oko.outputs.appended import AppendedFile
from oko.outputs.output import UnusableOutput
from oko.rows import Row, columns


class JsonLines:
    def __init__(
        self, path: Path, languages: Sequence[str], *, resume: bool, overwrite: bool
    ) -> None:
        """Opens the file and reads what is done.

        Raises:
            UnusableOutput: The file cannot be used, or holds something else.
        """
        self._path = path
        self._columns = columns(languages)
        self.done: set[str] = set()
        """Paths of the photos that the file has captions of."""
        self._file = AppendedFile(path, resume=resume, overwrite=overwrite)
        self._file.keep_records(self._records)

    def wants(self, path: str) -> bool:
        return path not in self.done

    def write(self, row: Row) -> None:
        self._file.append(line(row.values()))
        self.done.add(row.path)

    def close(self) -> None:
        self._file.close()

    def _records(self, file: BinaryIO) -> Iterator[int]:
        end = 0
        for number, data in enumerate(file, 1):
            values = _parsed(data)
            if values is None:
                if file.read(1):
                    raise UnusableOutput(f"{self._path}, line {number} is damaged; remove it.")
                return
            if list(values) != self._columns:
                raise UnusableOutput(
                    f"{self._path} has other columns ({', '.join(values)}) than this run "
                    f"({', '.join(self._columns)}). Use the same languages, or another file."
                )
            self.done.add(str(values["path"]))
            end += len(data)
            yield end


def read_rows(path: Path) -> Iterator[dict[str, str | float]]:
    """The complete lines of a file."""
    with path.open("rb") as file:
        for data in file:
            values = _parsed(data)
            if values is not None:
                yield values


def line(values: dict[str, str | float]) -> bytes:
    """Names that are no valid Unicode are escaped, so that they can be read back as they were."""
    text = json.dumps(values, ensure_ascii=False)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(values).encode() + b"\n"


def _parsed(data: bytes) -> dict[str, str | float] | None:
    """None for a line that was cut off, or never got to the disk."""
    if not data.endswith(b"\n"):
        return None
    try:
        values = json.loads(data)
    except ValueError:
        return None
    return values if isinstance(values, dict) else None
