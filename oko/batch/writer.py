"""A part's files. Written whole under names of the plan: doing it twice changes nothing."""

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

import pyarrow as pa
import pyarrow.parquet as pq

from oko.batch.decoder import Captions
from oko.batch.plan import CAPTIONS, DEAD_LETTERS, Request
from oko.batch.rows import Encoded, Failure, Written
from oko.batch.storage import Folder
from services.common.errors import OkoError

Row = dict[str, object]


def write(
    encoded: Encoded, results: Sequence[Captions | OkoError], request: Request, output: Folder
) -> Written:
    """Writes captions and dead letters; the captions last, since with them the part is done.

    Args:
        encoded: The part.
        results: What the decoder said of each of its photos.
        request: Names the columns.
        output: Of the run.
    """
    rows: list[Row] = []
    failures = list(encoded.failures)
    for key, digest, result in zip(encoded.keys, encoded.digests, results, strict=True):
        if isinstance(result, OkoError):
            failures.append(Failure(key, result.code, result.detail))
        else:
            rows.append({"key": key, "digest": digest} | _columns(result))
    name = encoded.part.name
    if failures:
        dead_letters = pa.Table.from_pylist([asdict(failure) for failure in failures])
        output.write(f"{DEAD_LETTERS}/{name}", _parquet(dead_letters))
    else:  # an earlier try may have had some, such as when storage was away
        output.remove(f"{DEAD_LETTERS}/{name}")
    captions = pa.Table.from_pylist(rows, _schema(request))
    output.write(f"{CAPTIONS}/{name}", _parquet(captions))
    return Written(encoded.part, len(rows), dict(Counter(each.code for each in failures)))


def _columns(captions: Captions) -> Row:
    columns: Row = {}
    for code, caption in captions.items():
        columns |= {f"caption_{code}": caption.text, f"score_{code}": caption.score}
    return columns


def _schema(request: Request) -> pa.Schema:
    fields = [("key", pa.string()), ("digest", pa.string())]
    for code in request.languages:
        fields += [(f"caption_{code}", pa.string()), (f"score_{code}", pa.float32())]
    models = {f"oko:{part}": digest for part, digest in request.models.items()}
    return pa.schema(fields, models)


def _parquet(table: pa.Table) -> bytes:
    body = io.BytesIO()
    pq.write_table(table, body, compression="zstd")
    return body.getvalue()
