"""Memory of the whole cluster while `oko batch` runs: ten times the records take no more of it.

The encoder is a stand-in, since 22,000 real encodings would take an hour on two cores; all that
moves, waits and is written is the real thing.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import psutil
import pytest

from services.common.manifest import Manifest
from tests.batch import inputs, standin
from tests.batch.cluster import RayCluster, ray_cluster
from tests.batch.meter import MemoryMeter
from tests.batch.outputs import Output
from tests.processes import REPOSITORY

pytestmark = pytest.mark.slow

FEW, MANY = 2_000, 20_000
RECORDS = 64
"""Of a part: both runs have many more parts than fit into what is under way."""
PATIENCE_S = 900.0
INTERVAL_S = 1.0


@pytest.fixture
def cluster() -> Iterator[RayCluster]:
    """One for each run: Ray keeps shared memory that it has used once."""
    with ray_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> Path:
    return standin.models(tmp_path_factory.mktemp("models") / "models", manifest)


def peak_megabytes(source: Path, output: Path, models: Path, cluster: RayCluster) -> float:
    """Runs the command; the most memory that it and the cluster's processes have together."""
    options = ("--key-column", "name", "--beam-size", "1", "--max-words", "2")
    options += ("--records", str(RECORDS))
    where = ("--models", str(models), "--address", cluster.address)
    running = subprocess.Popen(
        [sys.executable, "-m", "oko.batch", str(source), str(output), *options, *where],
        cwd=REPOSITORY,
    )
    command = psutil.Process(running.pid)
    meter = MemoryMeter(lambda: [command, *cluster.processes()])
    end = time.monotonic() + PATIENCE_S
    while running.poll() is None:
        assert time.monotonic() < end
        meter.sample()
        time.sleep(INTERVAL_S)
    assert running.returncode == 0
    return meter.peak_megabytes


@pytest.mark.parametrize("count", [FEW, MANY])
def test_memory(
    count: int, models: Path, cluster: RayCluster, tmp_path: Path, record: dict[int, float]
) -> None:
    photos = inputs.jpegs(20, size=32).values()
    files = dict(zip((f"{index:06}" for index in range(count)), cycle(photos), strict=False))
    source = inputs.parquet(tmp_path / "photos.parquet", files)
    record[count] = peak_megabytes(source, tmp_path / "out", models, cluster)
    assert Output(tmp_path / "out").keys == sorted(files)
    print(f"\n{count:,} records: {record[count]:,.0f} MB at most, in all processes of the cluster")
    if FEW in record and MANY in record:
        assert record[MANY] <= 1.15 * record[FEW]


@pytest.fixture(scope="module")
def record() -> dict[int, float]:
    return {}
