"""`oko batch` on a Ray cluster of two nodes, with and without the death of one.

OKO_BATCH_PHOTOS sets how many photos there are.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from oko.captioner import Captioner
from services.common.accepted_images import ImageLimits
from services.common.images import decode_square
from services.common.manifest import Manifest
from services.encoder.session import EncoderSession
from services.encoder.settings import EncoderSettings
from tests.batch import inputs
from tests.batch.cluster import RayCluster, ray_cluster
from tests.batch.meter import CpuMeter
from tests.batch.outputs import Output
from tests.processes import REPOSITORY

pytestmark = pytest.mark.slow

PHOTOS = int(os.environ.get("OKO_BATCH_PHOTOS", "512"))
RECORDS = max(4, min(32, PHOTOS // 16))
"""Of a part: what the command takes by itself for 2,000 photos."""
PATIENCE_S = 60 + 2.0 * PHOTOS


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    made = inputs.jpegs(PHOTOS)
    made["000007x.jpg"] = inputs.BROKEN
    return made


@pytest.fixture(scope="module")
def source(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return inputs.folder(tmp_path_factory.mktemp("photos"), files)


@pytest.fixture
def cluster() -> Iterator[RayCluster]:
    with ray_cluster() as cluster:
        yield cluster


def batch(source: Path, output: Path, cluster: RayCluster, log: Path) -> subprocess.Popen[bytes]:
    arguments = (str(source), str(output), "--address", cluster.address)
    with log.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "oko.batch", *arguments, "--records", str(RECORDS)],
            cwd=REPOSITORY,
            stdout=out,
            stderr=subprocess.STDOUT,
        )


@dataclass
class Cost:
    """Of captioning on two cores."""

    rate: float
    """Photos per second."""
    cpu_ms: float
    """Milliseconds of one core per photo, whoever else uses the machine."""

    @classmethod
    def of(cls, photos: int, work: Callable[[], object]) -> "Cost":
        started, cpu = time.monotonic(), time.process_time()
        work()
        seconds = time.monotonic() - started
        return cls(photos / seconds, (time.process_time() - cpu) / photos * 1000)

    def __str__(self) -> str:
        hours = f"{self.cpu_ms / 3.6:.0f} core-hours a million"
        return f"{self.rate:.2f}/s, {self.cpu_ms:.0f} ms CPU a photo, {hours}"


@dataclass
class Baselines:
    """The same without Ray."""

    encoder: Cost
    command_line: Cost


@pytest.fixture(scope="module")
def baselines(files: dict[str, bytes], manifest: Manifest) -> Baselines:
    """The bare model on decoded photos, and the engine of `oko caption`."""
    photos = [data for data in files.values() if data is not inputs.BROKEN][: max(40, PHOTOS // 3)]
    session = EncoderSession(manifest.encoder, 1, EncoderSettings().encoder_precision)
    limits = ImageLimits(10**7, 10**9)
    pixels = [decode_square(photo, session.side, limits) for photo in photos]
    with ThreadPoolExecutor(2) as cores:
        list(cores.map(lambda one: session.run([one]), pixels[:4]))
        encoder = Cost.of(
            len(photos), lambda: list(cores.map(lambda one: session.run([one]), pixels))
        )
    with Captioner(workers=2, languages=["en"]) as captioner:
        list(captioner.caption_many(photos[:4]))
        command_line = Cost.of(len(photos), lambda: list(captioner.caption_many(photos)))
    return Baselines(encoder, command_line)


def steady_rate(output: Output) -> float:
    """Photos per second from the first part to the last: without the start of Ray."""
    ends = sorted(path.stat().st_mtime for path in output.parts)
    return RECORDS * (len(ends) - 1) / (ends[-1] - ends[0])


def test_throughput(
    source: Path, cluster: RayCluster, baselines: Baselines, tmp_path: Path
) -> None:
    output = Output(tmp_path / "out")
    started = time.monotonic()
    running = batch(source, output.path, cluster, tmp_path / "log")
    command = psutil.Process(running.pid)
    begun: CpuMeter | None = None
    while running.poll() is None:
        assert time.monotonic() - started < PATIENCE_S, (tmp_path / "log").read_text()
        if begun is None and output.parts:
            begun, ready = CpuMeter(lambda: [command, *cluster.processes()]), time.monotonic()
        elif begun is not None:
            begun.sample()
        time.sleep(0.5)
    assert running.returncode == 0, (tmp_path / "log").read_text()
    assert begun is not None
    assert len(output.keys) == len(set(output.keys)) == PHOTOS + 1
    ray = Cost(steady_rate(output), begun.seconds / (PHOTOS - RECORDS) * 1000)
    size = sum(path.stat().st_size for path in output.parts) / PHOTOS
    print(
        f"\n{PHOTOS} photos, one language, beam 3, on two nodes of one core:"
        f"\n  bare encoder:            {baselines.encoder}"
        f"\n  engine of `oko caption`: {baselines.command_line}"
        f"\n  `oko batch` on Ray:      {ray}"
        f"\n  first part after {ready - started:.0f} s; {size:.0f} bytes written for a photo"
        f"\n  {ray.rate / baselines.command_line.rate:.0%} of the command line's rate"
    )
    assert ray.rate >= 0.85 * baselines.command_line.rate


def test_a_node_dies(
    source: Path, files: dict[str, bytes], cluster: RayCluster, tmp_path: Path
) -> None:
    output = Output(tmp_path / "out")
    running = batch(source, output.path, cluster, tmp_path / "log")
    watch = threading.Event()
    end = time.monotonic() + PATIENCE_S
    while len(output.parts) * RECORDS < PHOTOS / 3:
        assert time.monotonic() < end, (tmp_path / "log").read_text()
        assert running.poll() is None, (tmp_path / "log").read_text()
        watch.wait(0.1)
    cluster.other.kill()
    died = time.monotonic()
    done = len(output.parts)
    assert running.wait(PATIENCE_S) == 0, (tmp_path / "log").read_text()
    print(
        f"\nkilled after {done * RECORDS} of {PHOTOS} photos; "
        f"the rest took {time.monotonic() - died:.0f} s on one core"
    )
    assert [Path(key).name for key in output.keys] == sorted(files)
    assert [row["code"] for row in output.dead_letters] == ["not-an-image"]
