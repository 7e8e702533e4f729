"""Apache Parquet. A Parquet file cannot be appended to: until `close`, rows gather next to it."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from oko.outputs.jsonl import JsonLines, read_rows
from oko.outputs.output import CannotWrite, UnusableOutput
from oko.rows import Row, columns

ROW_GROUP = 65_536


class ParquetTable:
    """`captions.parquet`, and while a run lasts `captions.parquet.rows`, which a killed run leaves.

    `close` writes a new file and puts it in the old one's place, so that there always is a whole
    one. If the process is killed just then, rows may be in both files, and are taken once.
    """

    def __init__(
        self, path: Path, languages: Sequence[str], *, resume: bool, overwrite: bool
    ) -> None:
        """Opens the file of rows and reads what is done.

        Raises:
            UnusableOutput: The file cannot be used, or holds something else.
        """
        self._path = path
        self._rows_path = path.with_name(f"{path.name}.rows")
        if path.exists() and not (resume or overwrite):
            raise UnusableOutput(
                f"{path} exists. Use --resume to add what is missing, or --overwrite."
            )
        self._schema = _schema(languages)
        self._keep = resume and path.exists()
        self._kept = self._paths(columns(languages)) if self._keep else set()
        self._rows = JsonLines(self._rows_path, languages, resume=resume, overwrite=overwrite)

    def wants(self, path: str) -> bool:
        return path not in self._kept and self._rows.wants(path)

    def write(self, row: Row) -> None:
        try:
            row.path.encode()
        except UnicodeEncodeError:
            raise CannotWrite("Its name is no valid Unicode, which Parquet needs.") from None
        self._rows.write(row)

    def close(self) -> None:
        """Writes the Parquet file; done once more by the next run if this one is cut short."""
        if not self._rows_path.exists():
            return
        whole = self._path.with_name(f".{self._path.name}.new")
        try:
            with pq.ParquetWriter(whole, self._schema, compression="zstd") as writer:
                for batch in self._batches():
                    writer.write_batch(batch, row_group_size=ROW_GROUP)
            whole.replace(self._path)
        except OSError as error:
            raise UnusableOutput(
                f"{self._path} cannot be written: {error}. Its rows are in {self._rows_path}; "
                "--resume uses them."
            ) from error
        self._rows_path.unlink()
        self._rows.close()

    def _batches(self) -> Iterator[pa.RecordBatch]:
        if self._keep:
            with pq.ParquetFile(self._path) as old:
                yield from old.iter_batches(ROW_GROUP)
        rows = (row for row in read_rows(self._rows_path) if row["path"] not in self._kept)
        while group := list(islice(rows, ROW_GROUP)):
            yield pa.RecordBatch.from_pylist(group, schema=self._schema)

    def _paths(self, wanted: Sequence[str]) -> set[str]:
        try:
            with pq.ParquetFile(self._path) as file:
                found = file.schema_arrow.names
                if found != wanted:
                    raise UnusableOutput(
                        f"{self._path} has other columns ({', '.join(found)}) than this run "
                        f"({', '.join(wanted)}). Use the same languages, or another file."
                    )
                return {
                    str(path)
                    for batch in file.iter_batches(columns=["path"])
                    for path in batch.column(0).to_pylist()
                }
        except (OSError, pa.ArrowInvalid) as error:
            raise UnusableOutput(f"{self._path} cannot be read: {error}.") from error


def _schema(languages: Sequence[str]) -> pa.Schema:
    return pa.schema(
        [
            (name, pa.float32() if name.startswith("score_") else pa.string())
            for name in columns(languages)
        ]
    )
