"""Parquet files with a column of image bytes, or of addresses of image files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.core import url_to_fs

from oko.batch.files import fetch
from oko.batch.sources import Partition, Record, UnreadableRecord, UnusableInput
from services.common.errors import BodyTooLarge

ROWS_AT_ONCE = 16
"""Image bytes in memory beside those being decoded."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Of the input. The image is in one of the two."""

    image: str = "image"
    uri: str = "uri"
    key: str | None = None
    """None: `FILE#ROW` names a record."""


def list_rows(urls: Sequence[str], size: int, columns: Columns) -> Iterator[Partition]:
    """Cuts the rows of every file into partitions, from the files' own counts.

    Raises:
        UnusableInput: A file is not Parquet, or has no such columns.
    """
    number = 0
    for url in urls:
        filesystem, path = url_to_fs(url)
        try:
            with filesystem.open(path, "rb") as file:
                parquet = pq.ParquetFile(file)
                rows, names = parquet.metadata.num_rows, set(parquet.schema_arrow.names)
        except (pa.ArrowInvalid, OSError) as error:
            raise UnusableInput(f"{url} cannot be read as Parquet: {error}.") from error
        if not {columns.image, columns.uri} & names:
            raise UnusableInput(
                f"{url} has neither a column `{columns.image}` of image bytes nor `{columns.uri}` "
                f"of addresses; it has {', '.join(sorted(names))}. Name one with --image-column "
                "or --uri-column."
            )
        if columns.key is not None and columns.key not in names:
            raise UnusableInput(f"{url} has no column `{columns.key}`.")
        for start in range(0, rows, size):
            yield Partition(number, url, start, min(start + size, rows))
            number += 1


class Rows:
    def __init__(self, columns: Columns, max_bytes: int) -> None:
        self._columns = columns
        self._max_bytes = max_bytes

    def records(self, partition: Partition) -> Iterator[Record]:
        filesystem, path = url_to_fs(partition.source)
        try:
            with filesystem.open(path, "rb") as file:
                yield from self._rows(pq.ParquetFile(file), partition)
        except (pa.ArrowInvalid, OSError) as error:
            raise UnreadableRecord(f"The file cannot be read: {error!r:.200}.") from error

    def _rows(self, parquet: pq.ParquetFile, partition: Partition) -> Iterator[Record]:
        names = set(parquet.schema_arrow.names)
        wanted = [self._columns.image, self._columns.uri, self._columns.key]
        columns = [name for name in wanted if name in names]
        groups, row = _groups(parquet, partition)
        for batch in parquet.iter_batches(ROWS_AT_ONCE, row_groups=groups, columns=columns):
            for values in batch.to_pylist():
                if partition.start <= row < partition.stop:
                    yield self._record(values, f"{partition.source}#{row}")
                row += 1
            if row >= partition.stop:
                return

    def _record(self, values: dict[str, Any], place: str) -> Record:
        key = place if self._columns.key is None else str(values[self._columns.key])
        image = values.get(self._columns.image)
        if isinstance(image, dict):  # Hugging Face's image type
            image = image.get("bytes")
        return Record(key, partial(self._load, image, values.get(self._columns.uri)))

    def _load(self, image: object, uri: object) -> bytes:
        if isinstance(image, bytes):
            if len(image) > self._max_bytes:
                raise BodyTooLarge(f"At most {self._max_bytes:,} bytes are taken.")
            return image
        if isinstance(uri, str):
            return fetch(uri, self._max_bytes)
        raise UnreadableRecord("The row has neither image bytes nor an address.")


def _groups(parquet: pq.ParquetFile, partition: Partition) -> tuple[list[int], int]:
    """Row groups that hold the partition, and the number of the first row in them."""
    groups: list[int] = []
    first, row = 0, 0
    for group in range(parquet.num_row_groups):
        stop = row + parquet.metadata.row_group(group).num_rows
        if stop > partition.start and row < partition.stop:
            first = first if groups else row
            groups.append(group)
        row = stop
    return groups, first
