"""What `oko batch` has written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq


@dataclass(frozen=True)
class Output:
    path: Path

    @property
    def parts(self) -> list[Path]:
        return sorted((self.path / "captions").glob("*.parquet"))

    @property
    def captions(self) -> list[dict[str, Any]]:
        return _rows(self.path / "captions")

    @property
    def dead_letters(self) -> list[dict[str, Any]]:
        return _rows(self.path / "dead-letters")

    @property
    def keys(self) -> list[str]:
        """Of all records, sorted; one that was written twice is there twice."""
        return sorted(row["key"] for row in (*self.captions, *self.dead_letters))


def _rows(folder: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(folder.glob("*")) for row in pq.read_table(path).to_pylist()]
