"""What travels between the stages arrives as it left."""

import numpy as np
import pyarrow as pa

from oko.batch.plan import Part
from oko.batch.rows import Encoded, Failure, Written


def test_encoded_parts() -> None:
    features = [np.full((64, 512), index, np.float16) for index in range(3)]
    failures = [Failure("d", "not-an-image", "…")]
    full = Encoded(Part(1, 0, last=False), ["a", "b", "c"], ["1", "2", "3"], features, failures)
    empty = Encoded(Part(2, 0, last=True), [], [], [], [])
    first, second = Encoded.from_table(pa.concat_tables([full.to_table(), empty.to_table()]))
    assert (first.part, first.keys, first.digests) == (full.part, full.keys, full.digests)
    assert np.array_equal(first.features, features)
    assert first.failures == failures
    assert second == empty


def test_written_parts() -> None:
    written = Written(Part(1, 2, last=True), 3, {"corrupt-image": 2})
    (row,) = written.to_table().to_pylist()
    assert Written.from_row(row) == written
