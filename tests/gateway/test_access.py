"""Keys, rate limits, the inner token, CORS: with processes configured for it."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from services.gateway.keys import hash_of
from services.gateway.rate_limit import network_of
from tests import photos
from tests.pictures import fresh_photo
from tests.processes import Redis, Service, Stack, running_stack, started

KEY, OTHER_KEY = "oko_test-key", "oko_other-key"
KEYS = f"web:{hash_of(KEY)}, phone:{hash_of(OTHER_KEY)}"
TOKEN = "between-services"
CAT = {"image": photos.CAT.read_bytes()}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(
        tmp_path_factory.mktemp("guarded"),
        api_keys=KEYS,
        rate_limit="5/10second",
        internal_token=TOKEN,
        cors_origins="https://example.org",
    ) as running:
        yield running


def post(url: str, **headers: str) -> httpx.Response:
    return httpx.post(f"{url}/v1/captions", files=CAT, headers=headers, timeout=60)


def test_missing_and_wrong_key(guarded: Stack) -> None:
    missing = post(guarded.url)
    assert missing.status_code == 401
    assert missing.json()["code"] == "unauthorized"
    assert missing.headers["WWW-Authenticate"].startswith("Bearer")
    wrong = post(guarded.url, **{"X-API-Key": "oko_wrong"})
    assert wrong.status_code == 403
    assert wrong.json()["code"] == "forbidden"


def test_rate_limit_is_per_key(guarded: Stack) -> None:
    answers = [post(guarded.url, **{"X-API-Key": KEY}) for _ in range(7)]
    assert [answer.status_code for answer in answers].count(200) == 5
    refused = answers[-1]
    assert refused.status_code == 429
    assert refused.json()["code"] == "rate-limited"
    assert 1 <= int(refused.headers["Retry-After"]) <= 10
    assert post(guarded.url, Authorization=f"Bearer {OTHER_KEY}").status_code == 200


def test_inner_services_answer_only_the_gateway(guarded: Stack) -> None:
    encoder = guarded.encoder.url
    photo = fresh_photo()
    assert httpx.post(f"{encoder}/v1/features", content=photo).status_code == 401
    headers = {"X-Oko-Token": "guess"}
    answer = httpx.post(f"{encoder}/v1/features", content=photo, headers=headers)
    assert answer.status_code == 403
    headers = {"X-Oko-Token": TOKEN}
    answer = httpx.post(f"{encoder}/v1/features", content=photo, headers=headers, timeout=60)
    assert answer.status_code == 200
    assert httpx.get(f"{encoder}/health").status_code == 200


def test_cors(guarded: Stack) -> None:
    preflight = {"Access-Control-Request-Method": "POST"}
    url = f"{guarded.url}/v1/captions"
    ours = httpx.options(url, headers={"Origin": "https://example.org", **preflight})
    assert ours.headers["Access-Control-Allow-Origin"] == "https://example.org"
    theirs = httpx.options(url, headers={"Origin": "https://evil.example", **preflight})
    assert "Access-Control-Allow-Origin" not in theirs.headers


def test_no_secret_in_the_logs(guarded: Stack) -> None:
    post(guarded.url, **{"X-API-Key": "oko_secret-guess"})
    time.sleep(0.2)
    for service in guarded.services():
        log = service.log.read_text()
        for secret in (KEY, OTHER_KEY, "oko_secret-guess", TOKEN):
            assert secret not in log


def test_several_gateways_share_cache_and_rate_limit(redis: Redis, tmp_path: Path) -> None:
    with ExitStack() as stack:
        settings = {"redis_url": redis.url, "redis_timeout_ms": 1000}
        encoders = [started(stack, Service.of("encoder", tmp_path, **settings)) for _ in range(2)]
        decoder = started(stack, Service.of("decoder", tmp_path)).wait()
        gateways = [
            started(
                stack,
                Service.of(
                    "gateway",
                    tmp_path,
                    encoder_url=encoder.wait().url,
                    decoder_url=decoder.url,
                    rate_limit="4/minute",
                    **settings,
                ),
            )
            for encoder in encoders
        ]
        for gateway in gateways:
            gateway.wait()
        photo = {"image": fresh_photo()}
        answers = [
            httpx.post(f"{gateways[turn % 2].url}/v1/captions", files=photo, timeout=60)
            for turn in range(6)
        ]
        assert [answer.status_code for answer in answers] == [200] * 4 + [429] * 2
        assert [answer.json()["cache"] for answer in answers[:4]] == ["miss", "hit", "hit", "hit"]

        redis.kill()
        alone = httpx.post(f"{gateways[0].url}/v1/captions", files=photo, timeout=60)
        assert alone.status_code == 200, "Redis lost: the gateway counts for itself"


def test_one_ipv6_customer_is_one_caller() -> None:
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9")
    assert network_of("2001:db8:1:2::1") != network_of("2001:db8:1:3::1")
    assert network_of("192.0.2.1") != network_of("192.0.2.2")
    assert network_of(None) == "unknown"


@pytest.mark.parametrize(
    "settings",
    [
        {"OKO_API_KEYS": "web:nothash"},
        {"OKO_RATE_LIMIT": "lots"},
        {"OKO_MAX_PIXELS": "-1"},
        {"OKO_MODELS_DIR": "/nonexistent"},
    ],
)
def test_bad_settings_are_named(settings: dict[str, str], tmp_path: Path) -> None:
    gateway = Service.of("gateway", tmp_path)
    gateway.environment = {**gateway.environment, **settings}
    gateway.start()
    assert gateway.child is not None
    assert gateway.child.wait(30) == 2
    log = gateway.log.read_text()
    assert next(iter(settings)) in log
    assert "Traceback" not in log
