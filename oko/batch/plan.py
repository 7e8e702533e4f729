"""What a run is to do, written down in its output before anything is done.

A run that goes on where another stopped reads the plan instead of the input, so that a folder that
has changed meanwhile cannot shift the partitions.
"""

import dataclasses
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from oko.batch.files import Files, list_files
from oko.batch.parquet import Columns, Rows, list_rows
from oko.batch.sources import Kind, Partition, Source
from oko.batch.storage import Folder
from oko.batch.webdataset import Shards, list_shards

REQUEST = "plan/request.json"
PARTITIONS = "plan/partitions.parquet"
CAPTIONS = "captions"
DEAD_LETTERS = "dead-letters"
FORMAT = 1
FEWEST_RECORDS, MOST_RECORDS = 16, 512

_PART = re.compile(r"part-(\d{8})-(\d{4})(-last)?\.parquet")


class OtherRequest(Exception):
    """The output belongs to a run that was asked for something else."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for. Runs into the same output must ask for the same."""

    input: str
    kind: Kind
    columns: Columns
    records: int
    """Most records of a partition, and of an output file."""
    languages: tuple[str, ...]
    beam_size: int
    max_words: int
    models: Mapping[str, str]
    """Digests of the encoder and of each language's decoder."""

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """From the JSON that `write_plan` wrote."""
        values = {name: document[name] for name in cls.__dataclass_fields__}
        return cls(
            **values
            | {
                "kind": Kind(values["kind"]),
                "columns": Columns(**values["columns"]),
                "languages": tuple(values["languages"]),
            }
        )

    def require_same(self, before: "Request") -> None:
        """Raises `OtherRequest` unless it asks for what was asked for before."""
        one, two = dataclasses.asdict(self), dataclasses.asdict(before)
        different = [name for name, value in one.items() if value != two[name]]
        if different:
            raise OtherRequest(
                f"The output belongs to a run with another value of {', '.join(different)}. Ask "
                "for the same to go on with it, or choose another output."
            )


@dataclass(frozen=True, slots=True)
class Part:
    """One output file: so many records of a partition at most, in their order.

    Only a WebDataset shard, whose length nobody knows before, has several parts.
    """

    partition: int
    number: int
    last: bool

    @property
    def name(self) -> str:
        end = "-last" if self.last else ""
        return f"part-{self.partition:08}-{self.number:04}{end}.parquet"

    @classmethod
    def parse(cls, name: str) -> Self:
        """Raises `ValueError`: this is not the name of a part."""
        found = _PART.fullmatch(name)
        if found is None:
            raise ValueError(name)
        return cls(int(found[1]), int(found[2]), found[3] is not None)


def finished(output: Folder) -> set[int]:
    """Numbers of the partitions all of whose parts are in the output."""
    parts = [Part.parse(name) for name in output.names(CAPTIONS, _PART)]
    there: dict[int, set[int]] = {}
    for part in parts:
        there.setdefault(part.partition, set()).add(part.number)
    return {
        part.partition
        for part in parts
        if part.last and there[part.partition] == set(range(part.number + 1))
    }


def fitting_records(kind: Kind, urls: Sequence[str]) -> int:
    """Records of a partition: few photos are still shared out evenly between many cores."""
    if kind is not Kind.FILES:
        return MOST_RECORDS
    return min(MOST_RECORDS, max(FEWEST_RECORDS, len(urls) // 64))


def write_plan(request: Request, urls: Sequence[str], output: Folder) -> list[Partition]:
    """Cuts the listed input into partitions and writes them into the output.

    Raises:
        UnusableInput: The input cannot be read.
    """
    partitions = list(_partitions(request, urls, output))
    columns = {
        name: [getattr(partition, name) for partition in partitions]
        for name in Partition.__dataclass_fields__
    }
    body = io.BytesIO()
    pq.write_table(pa.table(columns), body, compression="zstd")
    output.write(PARTITIONS, body.getvalue())
    document = dataclasses.asdict(request) | {"format": FORMAT}
    output.write(REQUEST, json.dumps(document, indent=2).encode())  # last: now the plan counts
    return partitions


def read_request(output: Folder) -> Request | None:
    """What the output was begun for; None when there is no plan in it.

    Raises:
        OtherRequest: It is of another version.
    """
    try:
        document = json.loads(output.read(REQUEST))
    except FileNotFoundError:
        return None
    if document.get("format") != FORMAT:
        raise OtherRequest("The output was written by another version of oko.")
    return Request.parse(document)


def read_partitions(output: Folder) -> list[Partition]:
    """The partitions of the plan."""
    rows = pq.read_table(pa.BufferReader(output.read(PARTITIONS))).to_pylist()
    return [Partition(**row) for row in rows]


def source(request: Request, output: Folder, max_bytes: int) -> Source:
    """What reads the partitions of a plan."""
    match request.kind:
        case Kind.FILES:
            return Files(output, max_bytes)
        case Kind.PARQUET:
            return Rows(request.columns, max_bytes)
        case Kind.WEBDATASET:
            return Shards(max_bytes)


def _partitions(request: Request, urls: Sequence[str], output: Folder) -> Iterable[Partition]:
    match request.kind:
        case Kind.FILES:
            return list_files(urls, request.records, output)
        case Kind.PARQUET:
            return list_rows(urls, request.records, request.columns)
        case Kind.WEBDATASET:
            return list_shards(urls)
