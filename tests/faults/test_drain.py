"""SIGTERM under load: nothing that was accepted fails."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.load import Load, distinct, summary
from tests.pictures import fresh_photo
from tests.processes import Service, started

pytestmark = pytest.mark.slow


@pytest.fixture
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[Service]]]:
    """Two encoders and two decoders behind one gateway."""
    folder = tmp_path_factory.mktemp("pair")
    with ExitStack() as stack:
        services = {
            name: [started(stack, Service.of(name, folder, encoder_threads=1)) for _ in range(2)]
            for name in ("encoder", "decoder")
        }
        urls = {
            f"{name}_url": ",".join(service.wait().url for service in both)
            for name, both in services.items()
        }
        gateway = started(stack, Service.of("gateway", folder, deadline_ms=30_000, **urls))
        yield {**services, "gateway": [gateway.wait()]}


@pytest.mark.parametrize("name", ["encoder", "decoder"])
async def test_inner_service(pair: dict[str, list[Service]], name: str) -> None:
    """One of two is stopped and started again, while requests keep coming: all are answered."""
    load = Load(pair["gateway"][0].url, distinct(fresh_photo()))
    running = asyncio.create_task(load.open_loop(rate=3, seconds=20))
    await asyncio.sleep(5)
    service = pair[name][0]
    assert await asyncio.to_thread(service.stop) in (0, -15)
    await asyncio.sleep(2)
    await asyncio.to_thread(lambda: service.start().wait())
    await running
    print(f"\n{name}: {summary(load.answers)}")
    assert not load.refused(), summary(load.answers)


async def test_gateway(pair: dict[str, list[Service]]) -> None:
    """What is in flight is answered; afterwards the process ends."""
    gateway = pair["gateway"][0]
    load = Load(gateway.url, distinct(fresh_photo()))
    running = asyncio.create_task(load.burst(20))
    await asyncio.sleep(0.5)  # all of them are in; the first may be answered already
    code = await asyncio.to_thread(gateway.stop)
    await running
    print(f"\ngateway: {summary(load.answers)}")
    assert code in (0, -15)
    assert not load.refused(), summary(load.answers)
