"""What travels between the stages: one row a part, since Ray never splits a row."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from oko.batch.plan import Part
from services.common.features import Features

_FAILURE = pa.struct([("key", pa.string()), ("code", pa.string()), ("detail", pa.string())])
_PART = [("partition", pa.int64()), ("number", pa.int32()), ("last", pa.bool_())]
_ENCODED = pa.schema(
    [
        *_PART,
        ("keys", pa.list_(pa.string())),
        ("digests", pa.list_(pa.string())),
        ("features", pa.large_binary()),
        ("cells", pa.int32()),
        ("failures", pa.list_(_FAILURE)),
    ]
)
_WRITTEN = pa.schema(
    [*_PART, ("captioned", pa.int64()), ("failed", pa.map_(pa.string(), pa.int64()))]
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A record without a caption: what goes to the dead letters. Never holds the image."""

    key: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Encoded:
    """The photos of a part after the encoder."""

    part: Part
    keys: list[str]
    digests: list[str]
    features: list[Features]
    failures: list[Failure]

    def to_table(self) -> pa.Table:
        features = np.asarray(self.features, "<f2")  # [photos, 64, D]
        row = {
            **asdict(self.part),
            "keys": self.keys,
            "digests": self.digests,
            "features": b"",
            "cells": features.shape[1] if self.features else 1,
            "failures": list(map(asdict, self.failures)),
        }
        table = pa.Table.from_pylist([row], _ENCODED)
        place = table.schema.get_field_index("features")
        return table.set_column(place, _ENCODED.field(place), _binary(features))

    @classmethod
    def from_table(cls, table: pa.Table) -> list[Self]:
        """The rows. Their features stay where Ray holds them; nothing is copied."""
        rows = table.drop_columns("features").to_pylist()
        values = table["features"]
        return [
            cls._from_row(row, np.frombuffer(value.as_buffer(), "<f2"))
            for row, value in zip(rows, values, strict=True)
        ]

    @classmethod
    def _from_row(cls, row: dict[str, Any], features: NDArray[np.float16]) -> Self:
        keys = row["keys"]
        return cls(
            _part(row),
            keys,
            row["digests"],
            list(features.reshape(len(keys), row["cells"], -1)) if keys else [],
            [Failure(**failure) for failure in row["failures"]],
        )


def _binary(array: NDArray[np.float16]) -> pa.Array:
    """A column of one value, the array's own bytes: tens of megabytes are not copied."""
    offsets = pa.py_buffer(np.array([0, array.nbytes], np.int64))
    data = pa.py_buffer(np.ascontiguousarray(array))
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), 1, [None, offsets, data])


@dataclass(frozen=True, slots=True)
class Written:
    """A part that is in the output: what the run's report counts."""

    part: Part
    captioned: int
    failed: dict[str, int]
    """Records in the dead letters, by problem code."""

    def to_table(self) -> pa.Table:
        row = {
            **asdict(self.part),
            "captioned": self.captioned,
            "failed": list(self.failed.items()),
        }
        return pa.Table.from_pylist([row], _WRITTEN)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Self:
        return cls(_part(row), row["captioned"], dict(row["failed"]))


def _part(row: dict[str, Any]) -> Part:
    return Part(row["partition"], row["number"], row["last"])
