"""The feature cache in a real Redis, shared, lost and found again."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from redis import Redis as RedisClient

from services.common.manifest import Manifest
from tests.pictures import fresh_photo
from tests.processes import Redis, Service, started


@pytest.fixture
def encoders(redis: Redis, tmp_path: Path) -> Iterator[tuple[Service, Service]]:
    with ExitStack() as stack:
        settings = {"redis_url": redis.url, "redis_timeout_ms": 500}
        one = started(stack, Service.of("encoder", tmp_path, **settings))
        other = started(stack, Service.of("encoder", tmp_path, **settings))
        yield one.wait(), other.wait()


def features(encoder: Service, photo: bytes) -> httpx.Response:
    answer = httpx.post(f"{encoder.url}/v1/features", content=photo, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer


def health(encoder: Service) -> str:
    status: str = httpx.get(f"{encoder.url}/health").json()["status"]
    return status


def wait_for_health(encoder: Service, status: str) -> None:
    end = time.monotonic() + 20
    while health(encoder) != status:
        assert time.monotonic() < end, f"health did not become {status}"
        time.sleep(0.05)


def test_another_encoder_hits_the_same_key(
    redis: Redis, encoders: tuple[Service, Service], manifest: Manifest
) -> None:
    one, other = encoders
    photo = fresh_photo()
    first = features(one, photo)
    assert first.headers["X-Cache"] == "miss"

    model = manifest.encoder
    variants = [model.file, *([model.int8.file] if model.int8 else [])]
    keys = [f"oko:features:{each.digest}:{first.headers['X-Image-Digest']}" for each in variants]
    with RedisClient(port=redis.port) as client:
        (key,) = filter(client.exists, keys)  # that of the variant which runs here
        assert client.get(key) == first.content
        assert client.ttl(key) > 0

    second = features(other, photo)
    assert second.headers["X-Cache"] == "hit"
    assert second.content == first.content


def test_killed_redis_changes_only_cache_and_health(
    redis: Redis, encoders: tuple[Service, Service]
) -> None:
    one, _ = encoders
    photo = fresh_photo()
    before = features(one, photo)
    assert health(one) == "ok"

    redis.kill()
    without = features(one, photo)
    assert without.headers["X-Cache"] == "bypass"
    assert without.content == before.content
    wait_for_health(one, "degraded")
    assert httpx.get(f"{one.url}/health/ready").status_code == 200

    redis.start().wait()
    wait_for_health(one, "ok")
    assert features(one, photo).headers["X-Cache"] == "miss"
    assert features(one, photo).headers["X-Cache"] == "hit"
