"""docker-compose.yml for real: built, brought up, asked, scaled, broken and taken down.

The tests run in the order of this file, on one stack.
"""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests.compose.conftest import COMPOSE, PORT
from tests.compose.docker import docker, inspect, kill_process_one, megabytes, until
from tests.photos import COFFEE
from tests.pictures import fresh_photo
from tests.processes import REPOSITORY

pytestmark = pytest.mark.slow

URL = f"http://127.0.0.1:{PORT}"
SERVICES = {"gateway": 8000, "encoder": 8001, "decoder": 8002}
BASE = "python:3.11-slim"
LARGEST_MB = {"encoder": 700, "decoder": 500, "gateway": 500}


@pytest.fixture(scope="module", autouse=True)
def stack(images: None) -> Iterator[None]:
    COMPOSE("down", "--volumes", "--remove-orphans")
    try:
        started = time.monotonic()
        COMPOSE("up", "-d")
        until("the gateway is ready", lambda: status() == 200)
        print(f"\nready after {time.monotonic() - started:.1f} s")
        yield
    except BaseException:
        print(COMPOSE("logs", "--tail", "40"))
        raise
    finally:
        COMPOSE("down", "--volumes", "--remove-orphans")


def status(path: str = "/health/ready") -> int:
    try:
        return httpx.get(URL + path, timeout=10).status_code
    except httpx.HTTPError:
        return 0


def caption(photo: bytes, language: str = "en") -> httpx.Response:
    return httpx.post(
        f"{URL}/v1/captions", params={"language": language}, files={"image": photo}, timeout=90
    )


def works() -> bool:
    try:
        return caption(fresh_photo()).status_code == 200
    except httpx.HTTPError:
        return False


def test_images_are_small() -> None:
    base = megabytes(BASE)
    print(f"\n{'image':<14}{'total':>8}{'over ' + BASE:>24}{'limit':>8}   MB")
    for service, limit in LARGEST_MB.items():
        total = megabytes(f"oko/{service}:test")
        print(f"oko/{service:<10}{total:>8.0f}{total - base:>24.0f}{limit:>8}")
        assert total - base <= limit


@pytest.mark.parametrize("service", SERVICES)
def test_image_says_what_it_is(service: str) -> None:
    config = inspect(f"oko/{service}:test")["Config"]
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"][0] == "CMD"
    assert config["StopSignal"] == "SIGTERM"
    assert ("ORT_DISABLE_TELEMETRY=1" in config["Env"]) == (service != "gateway")
    assert config["Cmd"] == ["python", "-m", f"services.{service}"]
    assert config["Labels"]["org.opencontainers.image.title"] == f"Oko {service}"
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


@pytest.mark.parametrize("service", SERVICES)
def test_image_has_only_what_its_service_needs(service: str) -> None:
    listing = docker("run", "--rm", "--network=none", f"oko/{service}:test", "find", "/app")
    files = {path.removeprefix("/app/") for path in listing.split()}
    assert ("models/encoder.onnx" in files) == (service == "encoder")
    assert ("models/decoder/uk/step.onnx" in files) == (service == "decoder")
    assert ("services/gateway/static/index.html" in files) == (service == "gateway")
    others = {f"services/{other}" for other in SERVICES if other != service}
    assert not files & (others | {"train", "export", "tests", "web"})

    site = "/opt/oko/lib/python3.11/site-packages"
    packages = set(docker("run", "--rm", f"oko/{service}:test", "ls", site).split())
    assert not packages & {"tensorflow", "torch", "keras", "gensim", "pip", "setuptools", "pytest"}


def test_everything_is_healthy() -> None:
    for service in (*SERVICES, "redis"):
        (container,) = COMPOSE.containers(service)
        until(
            f"{service} is healthy",
            lambda name=container: inspect(name)["State"]["Health"]["Status"] == "healthy",
        )


def test_captions_in_both_languages_and_the_second_from_redis() -> None:
    photo = COFFEE.read_bytes()
    first = caption(photo, "en").raise_for_status().json()
    # On a busy machine Redis may miss its few milliseconds; the encoder then goes on without it.
    until("Redis is asked in time", lambda: caption(photo, "en").json()["cache"] == "hit")
    again = caption(photo, "en").raise_for_status().json()
    other = caption(photo, "uk").raise_for_status().json()
    print(f"\nen: {first['caption']} ({first['cache']})\nuk: {other['caption']} ({other['cache']})")
    assert first["caption"] == again["caption"]
    assert re.search("[а-щьюяєіїґ]", other["caption"])

    (redis,) = COMPOSE.containers("redis")
    keys = docker("exec", redis, "redis-cli", "--raw", "keys", "oko:features:*").split()
    encoder = json.loads((REPOSITORY / "models" / "manifest.json").read_text())["encoder"]
    digest = first["image"]["digest"]
    # Which of the two runs is up to the processor.
    variants = {f"oko:features:{each['digest']}:{digest}" for each in (encoder, encoder["int8"])}
    assert len(variants.intersection(keys)) == 1


def test_redis_is_bounded_and_keeps_nothing() -> None:
    (redis,) = COMPOSE.containers("redis")
    options = docker("exec", redis, "redis-cli", "--raw", "config", "get", "*").split("\n")
    values = dict(zip(options[::2], options[1::2], strict=False))
    assert values["maxmemory"] == str(256 * 2**20)
    assert values["maxmemory-policy"] == "allkeys-lru"
    assert (values["save"], values["appendonly"]) == ("", "no")


def test_the_page_is_served() -> None:
    page = httpx.get(URL, timeout=10)
    assert page.status_code == 200
    (script,) = re.findall(r'src="(/assets/[^"]+\.js)"', page.text)
    assert httpx.get(URL + script, timeout=10).status_code == 200


def test_only_the_gateway_is_published() -> None:
    for service in (*SERVICES, "redis"):
        (container,) = COMPOSE.containers(service)
        ports = inspect(container)["NetworkSettings"]["Ports"]
        published = {port for port, bindings in ports.items() if bindings}
        assert published == ({"8000/tcp"} if service == "gateway" else set())


@pytest.mark.parametrize("service", [*SERVICES, "redis"])
def test_no_root_no_capabilities_no_writing(service: str) -> None:
    (container,) = COMPOSE.containers(service)
    assert docker("exec", container, "id", "-u") != "0"
    state = docker("exec", container, "cat", "/proc/1/status")
    fields = dict(line.split(":\t", 1) for line in state.splitlines() if ":\t" in line)
    assert "0" not in fields["Uid"].split()
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"] == "1"
    for path in ("/written", "/app/written", "/opt/oko/written", "/var/tmp/written"):
        refused = docker("exec", container, "sh", "-c", f"echo > {path}", check=False)
        assert "Read-only file system" in refused or "nonexistent" in refused.lower()

    host = inspect(container)["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["Memory"] > 0
    assert host["PidsLimit"] > 0
    assert host["RestartPolicy"]["Name"] == "unless-stopped"


def cpu_seconds(service: str) -> float:
    (container,) = COMPOSE.containers(service)
    metrics = COMPOSE.ask(container, SERVICES[service], "/metrics")
    return float(re.findall(r"^process_cpu_seconds_total (\S+)", metrics, re.MULTILINE)[0])


def test_cost_of_a_caption() -> None:
    """CPU time does not depend on what else the machine does; docs/operations.md quotes it."""
    photos = 20
    before = {service: cpu_seconds(service) for service in SERVICES}
    for _ in range(photos):
        caption(fresh_photo()).raise_for_status()
    print(f"\n{'service':<10}{'CPU ms a caption':>18}{'captions/s a core':>19}{'memory MB':>11}")
    for service in SERVICES:
        each = (cpu_seconds(service) - before[service]) / photos
        (container,) = COMPOSE.containers(service)
        metrics = COMPOSE.ask(container, SERVICES[service], "/metrics")
        memory = re.findall(r"^process_resident_memory_bytes (\S+)", metrics, re.MULTILINE)[0]
        print(f"{service:<10}{1000 * each:>18.0f}{1 / each:>19.1f}{float(memory) / 1e6:>11.0f}")


def encoded(container: str) -> int:
    """Photos that one encoder has answered."""
    metrics = COMPOSE.ask(container, SERVICES["encoder"], "/metrics")
    found = re.findall(
        r'^oko_requests_total\{.*route="/v1/features".*status="200".*\} (\S+)',
        metrics,
        re.MULTILINE,
    )
    return int(sum(float(value) for value in found))


def encoder_addresses() -> dict[str, str]:
    addresses: dict[str, str] = httpx.get(f"{URL}/health", timeout=10).json()["details"]["encoder"]
    return addresses


def test_two_encoders_share_the_work_and_one_may_go() -> None:
    COMPOSE("up", "-d", "--no-recreate", "--scale", "encoder=2")
    took = until(
        "the gateway uses both", lambda: list(encoder_addresses().values()) == ["ok", "ok"]
    )
    containers = COMPOSE.containers("encoder")
    assert len(containers) == 2
    before = {container: encoded(container) for container in containers}
    for _ in range(24):
        caption(fresh_photo()).raise_for_status()
    shares = [encoded(container) - before[container] for container in containers]
    print(f"\nfound after {took:.1f} s; shares of 24 photos: {shares}")
    assert sum(shares) == 24
    assert min(shares) >= 4

    with Steady() as answers:
        COMPOSE("up", "-d", "--no-recreate", "--scale", "encoder=1")
        took = until("the gateway forgets it", lambda: len(encoder_addresses()) == 1)
    print(f"forgotten after {took:.1f} s; answers meanwhile: {dict(answers.seen)}")
    assert set(answers.seen) == {200}


class Steady:
    """One caption after another in the background; what was answered, by status (0: nothing)."""

    def __init__(self) -> None:
        self.seen: Counter[int] = Counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> "Steady":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._stop.is_set():
            try:
                self.seen[caption(fresh_photo()).status_code] += 1
            except httpx.HTTPError:
                self.seen[0] += 1
                self._stop.wait(0.1)


@pytest.mark.parametrize("service", [*SERVICES, "redis"])
def test_a_killed_container_heals(service: str) -> None:
    (container,) = COMPOSE.containers(service)
    restarts = inspect(container)["RestartCount"]
    with Steady() as answers:
        kill_process_one(container)
        until("it is restarted", lambda: inspect(container)["RestartCount"] > restarts)
        took = until("captions come back", works)
        until("all parts are well", lambda: health() == "ok")
    print(f"\n{service}: captions {took:.1f} s after the restart; meanwhile {dict(answers.seen)}")
    allowed = {200, 503, 504} | ({0} if service == "gateway" else set())
    assert set(answers.seen) <= ({200} if service == "redis" else allowed)


def health() -> str:
    try:
        found: str = httpx.get(f"{URL}/health", timeout=10).json()["status"]
    except httpx.HTTPError:
        return "down"
    return found


def test_stopping_finishes_what_is_under_way() -> None:
    (container,) = COMPOSE.containers("gateway")
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(caption(fresh_photo())))
    thread.start()
    time.sleep(0.15)
    COMPOSE("stop", "gateway")
    thread.join()
    assert answers[0].status_code == 200
    state = inspect(container)["State"]
    assert not state["OOMKilled"]
    assert state["ExitCode"] in (0, 143)  # its own end, not SIGKILL's 137


def test_nothing_is_left() -> None:
    COMPOSE("down", "--volumes", "--remove-orphans")
    label = f"label=com.docker.compose.project={COMPOSE.project}"
    for kind in ("container", "network", "volume"):
        everything = ("--all",) if kind == "container" else ()
        assert docker(kind, "ls", "--quiet", *everything, "--filter", label) == ""


def test_the_monitoring_profile_is_valid() -> None:
    services = COMPOSE("--profile", "monitoring", "config", "--services").split()
    assert {"prometheus", "grafana"} <= set(services)
    for path in ("prometheus/prometheus.yml", "prometheus/alerts.yml", "grafana/dashboards"):
        assert (REPOSITORY / "deploy" / path).exists()
