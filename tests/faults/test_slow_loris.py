"""Clients that send a byte a second hold no worker, and are shown the door."""

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from tests import photos
from tests.processes import REPOSITORY, Stack, running_stack

pytestmark = pytest.mark.slow

CONNECTIONS = 200


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("strict")
    with running_stack(
        folder, header_timeout_s=8, upload_total_s=8, caption_cache_bytes=0
    ) as running:
        yield running


async def latencies(url: str, count: int) -> list[float]:
    """Of photos with cached features one after the other: what honest clients feel."""
    photo = {"image": photos.CAT.read_bytes()}
    times = []
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        for _ in range(count):
            began = time.perf_counter()
            answer = await client.post("/v1/captions", files=photo)
            times.append(time.perf_counter() - began)
            assert answer.status_code == 200
    return times


def slow_clients(port: int, kind: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.faults.slow_clients", str(port), str(CONNECTIONS), kind]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("kind", ["headers", "body"])
async def test_honest_clients_do_not_notice(strict: Stack, kind: str) -> None:
    await latencies(strict.url, 10)
    calm, attacked = [], []
    for _ in range(4):  # alternating, so that a noisy neighbour hits both alike
        calm += await latencies(strict.url, 30)
        attack = slow_clients(strict.gateway.port, kind)
        await asyncio.sleep(1.5)
        attacked += await latencies(strict.url, 30)
        output, _ = await asyncio.to_thread(attack.communicate, timeout=90)
        assert float(output) < 20, "slow clients are disconnected"
    ratio = statistics.median(attacked) / statistics.median(calm)
    print(f"\nmedian {statistics.median(calm):.4f} s, with {CONNECTIONS} slow clients {ratio:.2f}x")
    assert ratio < 1.2
