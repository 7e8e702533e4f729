"""Each part is killed, frozen and restarted under steady load: only right answers or 503/504."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest

from tests import photos
from tests.load import Load, summary
from tests.pictures import fresh_photo
from tests.processes import Process, Redis, Service, Stack, started

pytestmark = pytest.mark.slow

DEADLINE_S = 6.0
RATE = 3.0
FROZEN_S = 20.0
RECOVERY_S = 5.0
CALM_S = 4.0
REFUSALS = ("service-unavailable", "overloaded", "deadline-passed", "shutting-down")

Fault = Callable[[Process], Awaitable[None]]


@dataclass(frozen=True)
class Target:
    stack: Stack
    redis: Redis
    captions: dict[bytes, str]
    """The right caption of every photo that is sent, by its picture."""

    def process(self, name: str) -> Service | Redis:
        parts = {"redis": self.redis, "encoder": self.stack.encoder, "decoder": self.stack.decoder}
        return parts[name]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("faults")
    with ExitStack() as stack:
        redis = started(stack, Redis.at(folder)).wait()
        settings = {"redis_url": redis.url, "deadline_ms": round(DEADLINE_S * 1000)}
        encoder = started(stack, Service.of("encoder", folder, **settings))
        decoder = started(stack, Service.of("decoder", folder, **settings))
        urls = {"encoder_url": encoder.wait().url, "decoder_url": decoder.wait().url}
        gateway = started(stack, Service.of("gateway", folder, **urls, **settings)).wait()
        pictures = [fresh_photo(photo) for photo in photos.ALL]
        captions = {picture: caption_of(gateway.url, picture) for picture in pictures}
        yield Target(Stack(encoder, decoder, gateway), redis, captions)


def caption_of(url: str, photo: bytes) -> str:
    answer = httpx.post(f"{url}/v1/captions?heatmap=none", content=photo, timeout=60)
    assert answer.status_code == 200, answer.text
    caption: str = answer.json()["caption"]
    return caption


async def kill(process: Process) -> None:
    process.kill()
    await asyncio.sleep(3)
    process.start()


async def freeze(process: Process) -> None:
    process.signal(signal.SIGSTOP)
    await asyncio.sleep(FROZEN_S)
    process.signal(signal.SIGCONT)


async def restart(process: Process) -> None:
    await asyncio.to_thread(process.stop)
    await asyncio.sleep(1)
    process.start()


@pytest.mark.parametrize("fault", [kill, freeze, restart])
@pytest.mark.parametrize("part", ["encoder", "decoder", "redis"])
async def test_fault(target: Target, part: str, fault: Fault) -> None:
    process = target.process(part)
    gateway_pid = target.stack.gateway.pid
    pictures = list(target.captions)
    sent: list[bytes] = []

    def photo() -> bytes:
        """Every second one is new to the cache; all show one of the known pictures."""
        picture = pictures[len(sent) % len(pictures)]
        sent.append(picture)
        return picture + (b"%d" % time.time_ns() if len(sent) % 2 else b"")

    load = Load(target.stack.url, photo)
    done = asyncio.Event()

    steady = asyncio.create_task(load.open_loop_until(RATE, done, seconds=120))
    await asyncio.sleep(CALM_S)
    await fault(process)
    await asyncio.to_thread(process.wait)
    back = time.monotonic()
    await asyncio.sleep(RECOVERY_S + CALM_S)
    done.set()
    await steady

    print(f"\n{part} {fault.__name__}: {summary(load.answers)}")
    right = set(target.captions.values())
    for answer in load.answers:
        assert answer.status in (200, 503, 504), answer
        assert answer.seconds < DEADLINE_S + 1.5, answer
        if answer.status == 200:
            assert answer.caption in right
        else:
            assert answer.code in REFUSALS, answer
    later = [answer for answer in load.answers if answer.started > back + RECOVERY_S]
    assert later
    assert all(answer.status == 200 for answer in later), summary(later)
    if part == "redis":
        assert not load.refused(), "a cache is never needed"
    assert target.stack.gateway.running()
    assert target.stack.gateway.pid == gateway_pid
