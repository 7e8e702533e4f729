"""What travels between the stages: one row a part, since Ray never splits a row."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa

from oko.batch.plan import Part
from services.common.wire import Features

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
        row = {
            **asdict(self.part),
            "keys": self.keys,
            "digests": self.digests,
            "features": np.asarray(self.features, "<f2").tobytes(),
            "cells": len(self.features[0]) if self.features else 1,
            "failures": list(map(asdict, self.failures)),
        }
        return pa.Table.from_pylist([row], _ENCODED)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Self:
        features = np.frombuffer(row["features"], "<f2")
        return cls(
            _part(row),
            row["keys"],
            row["digests"],
            # [photos, 64, D]
            list(features.reshape(len(row["keys"]), row["cells"], -1)) if row["keys"] else [],
            [Failure(**failure) for failure in row["failures"]],
        )


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
