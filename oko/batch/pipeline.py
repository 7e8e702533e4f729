"""The run on a Ray cluster: partitions → encoders → decoders, which write, streaming.

Ray moves the data, starts and restarts the actors, repeats what a dead machine had under way and
bounds the memory between the stages. That each photo comes out exactly once is not its doing: a
part has the same photos and the same name whenever and wherever it is done.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, DataContext

from oko.batch.decoder import Decoder
from oko.batch.encoder import Encoder
from oko.batch.job import Job
from oko.batch.rows import Encoded, Written
from oko.batch.sources import Partition
from oko.batch.storage import Folder
from oko.batch.writer import write

ENCODER_SHARE = 0.9
"""Of each of its cores, an encoder claims this much; the rest is for the decoder, whose work for a
photo is about a tenth of the encoder's."""
DECODER_CPUS = 0.05
"""A decoder waits most of the time. Many of them must not keep encoders away."""
CORES_PER_DECODER = 6
"""Encoder cores that one decoder keeps up with in each language, with something to spare."""
BLOCK_BYTES = 2**20
"""Ray gathers rows until a block has so many bytes. Less than a part: each goes on at once, and the
room that Ray reserves for blocks to come is no reason to leave actors idle."""
IDLE = 0.0
"""Ray takes actors away whose pool is used less than this. Only an end of work is a reason: a pool
that shrinks in a pause has to load its models again."""


@dataclass(frozen=True, slots=True)
class Pools:
    """Sizes of the autoscaling pools of actors."""

    encoders: int
    """Most encoders; the run begins with as many as the cluster has room for."""
    decoders: int

    @classmethod
    def fitting(cls, cores: int, most: int | None) -> "Pools":
        """For the cluster as it is, or grown to `most` encoders of so many cores."""
        room = max(1, int(_cluster_cpus() // (ENCODER_SHARE * cores)))
        encoders = most or room
        return cls(encoders, math.ceil(encoders * cores / CORES_PER_DECODER))


class _Encode:
    """An actor. One partition a row."""

    def __init__(self, job: Job) -> None:
        again = ray.get_runtime_context().was_current_actor_reconstructed
        self._encoder = Encoder(job, careful=bool(again))

    def __call__(self, partitions: pa.Table) -> Iterator[pa.Table]:
        for row in partitions.to_pylist():
            for encoded in self._encoder(Partition(**row)):
                yield encoded.to_table()


class _Decode:
    """An actor. One part a row, which it writes when it has the captions."""

    def __init__(self, job: Job) -> None:
        self._decoder = Decoder(job)
        self._request, self._output = job.request, Folder(job.output)

    def __call__(self, parts: pa.Table) -> Iterator[pa.Table]:
        for encoded in Encoded.from_table(parts):
            yield write(encoded, self._decoder(encoded), self._request, self._output).to_table()


def run(partitions: Sequence[Partition], job: Job, pools: Pools) -> Iterator[Written]:
    """Captions partitions on the connected cluster; tells of each part when it is written.

    Raises:
        RayError: What no repetition has mended.
    """
    if not partitions:
        return
    context = DataContext.get_current()
    context.target_max_block_size = BLOCK_BYTES
    context.autoscaling_config.actor_pool_util_downscaling_threshold = IDLE
    context.enable_progress_bars = False
    context.issue_detectors_config.detectors = []  # advice for whoever writes pipelines
    rows = [asdict(partition) for partition in partitions]
    parts = (
        ray.data.from_items(rows, override_num_blocks=len(rows))
        .map_batches(
            _Encode,
            fn_constructor_args=[job],
            batch_size=1,
            batch_format="pyarrow",
            compute=_pool(pools.encoders),
            num_cpus=ENCODER_SHARE * job.cores,
        )
        .map_batches(
            _Decode,
            fn_constructor_args=[job],
            batch_size=1,
            batch_format="pyarrow",
            compute=_pool(pools.decoders),
            num_cpus=DECODER_CPUS,
        )
    )
    for row in parts.iter_rows():
        yield Written.from_row(row)


def _pool(most: int) -> ActorPoolStrategy:
    """Down to one: at the end an idle actor makes room for one whose machine has died."""
    return ActorPoolStrategy(
        min_size=1, max_size=most, initial_size=most, max_tasks_in_flight_per_actor=2
    )


def _cluster_cpus() -> float:
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return resources.get("CPU", 1)
