"""One run: plan, what is left of it, the engine, the report."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oko.batch import shard as local
from oko.batch.job import Job, model_digests
from oko.batch.listing import found, kind_of
from oko.batch.parquet import Columns
from oko.batch.plan import (
    Request,
    finished,
    fitting_records,
    read_partitions,
    read_request,
    write_plan,
)
from oko.batch.report import Report
from oko.batch.rows import Written
from oko.batch.shard import Shard
from oko.batch.sources import Kind, Partition
from oko.batch.storage import TEMPORARY, Folder, with_protocol
from services.common.accepted_images import ImageLimits
from services.common.errors import UnknownLanguage
from services.common.manifest import read_manifest
from services.decoder.settings import DecoderSettings
from services.encoder.settings import EncoderSettings

if TYPE_CHECKING:
    from oko.batch.pipeline import Pools

PLAN_PATIENCE_S = 3600.0
"""Listing millions of files takes its time."""


@dataclass(frozen=True, slots=True)
class Options:
    """As given on the command line."""

    input: str
    output: str
    kind: Kind | None
    columns: Columns
    records: int | None
    languages: tuple[str, ...]
    beam_size: int
    max_words: int
    models: Path | None
    cores: int


def caption(options: Options, shard: Shard | None = None, pools: "Pools | None" = None) -> Report:
    """Captions what the output does not have yet.

    Args:
        options: What to do.
        shard: Without Ray: which part of it.
        pools: On the connected Ray cluster: how many actors.

    Raises:
        UnusableInput, OtherRequest, ModelsUnavailable, UnknownLanguage: As named.
        TimeoutError: The first shard has written no plan.
    """
    shard = shard or Shard(0, 1)
    job, planned = _planned(options, first=shard.index == 0)
    output = Folder(job.output)
    ours = shard.of(planned)
    done = finished(output)
    left = [partition for partition in ours if partition.number not in done]
    report = Report(partitions=len(ours), found=len(ours) - len(left))
    for written in _run(left, job, shard, pools):
        report.add(written)
    if shard.count == 1:
        output.remove(TEMPORARY)
    report.finish()
    return report


def _run(left: list[Partition], job: Job, shard: Shard, pools: "Pools | None") -> Iterator[Written]:
    if pools is None:
        return local.run(left, job, shard)
    from oko.batch import pipeline

    return pipeline.run(left, job, pools)


def _planned(options: Options, *, first: bool) -> tuple[Job, list[Partition]]:
    """The job, and the partitions as the output has them, or gets them now."""
    encoder, decoder = EncoderSettings(), DecoderSettings()
    models_dir = (options.models or encoder.models_dir).resolve()
    models = _models(models_dir, options.languages)
    output = Folder(options.output)
    before = read_request(output) if first else local.wait_for_request(output, PLAN_PATIENCE_S)
    kind = options.kind or (before.kind if before else kind_of(options.input))
    urls = [] if before else found(options.input, kind)
    request = Request(
        input=with_protocol(options.input),
        kind=kind,
        columns=options.columns,
        records=options.records or (before.records if before else fitting_records(kind, urls)),
        languages=options.languages,
        beam_size=options.beam_size,
        max_words=options.max_words,
        models=models,
    )
    job = Job(
        request=request,
        output=with_protocol(options.output),
        models_dir=models_dir,
        limits=ImageLimits(encoder.max_pixels, encoder.max_decode_bytes),
        max_bytes=encoder.max_upload_bytes,
        length_penalty=decoder.length_penalty,
        encoder_precision=encoder.encoder_precision,
        cores=options.cores,
    )
    if before is None:
        return job, write_plan(request, urls, output)
    request.require_same(before)
    return job, read_partitions(output)


def _models(models_dir: Path, languages: tuple[str, ...]) -> dict[str, str]:
    manifest = read_manifest(models_dir)
    unknown = [code for code in languages if code not in manifest.decoders]
    if unknown:
        known = ", ".join(sorted(manifest.decoders))
        raise UnknownLanguage(f"No model for {', '.join(unknown)}; there are: {known}.")
    return model_digests(manifest, languages)
