"""The image that runs everything, as a platform with a $PORT would run it."""

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.compose.docker import docker, inspect, megabytes, until
from tests.photos import COFFEE

pytestmark = pytest.mark.slow

IMAGE = "oko:test"
NAME = "oko-test-all"
PORT = 18090
URL = f"http://127.0.0.1:{PORT}"


@pytest.fixture(scope="module", autouse=True)
def container() -> Iterator[None]:
    docker("build", "--tag", IMAGE, ".")
    docker("rm", "--force", NAME, check=False)
    docker(
        *("run", "--detach", "--name", NAME, "--env", f"PORT={PORT}"),
        *("--publish", f"127.0.0.1:{PORT}:{PORT}", "--read-only", "--tmpfs", "/tmp"),
        *("--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=1g"),
        *("--user=20002:0", "--env=OKO_DEADLINE_MS=60000", IMAGE),  # platforms choose the user
    )
    try:
        until("it is ready", ready)
        yield
    except BaseException:
        print(docker("logs", "--tail", "40", NAME))
        raise
    finally:
        docker("rm", "--force", NAME)


def ready() -> bool:
    try:
        return httpx.get(f"{URL}/health/ready", timeout=10).status_code == 200
    except httpx.HTTPError:
        return False


def caption(language: str = "en") -> dict[str, str]:
    answer = httpx.post(
        f"{URL}/v1/captions", params={"language": language}, content=COFFEE.read_bytes(), timeout=90
    )
    document: dict[str, str] = answer.raise_for_status().json()
    return document


def test_captions_with_the_embedded_cache() -> None:
    first, again, other = caption(), caption(), caption("uk")
    assert (first["cache"], again["cache"], other["cache"]) == ("miss", "hit", "hit")
    assert first["caption"] == again["caption"]
    print(f"\nimage: {megabytes(IMAGE):.0f} MB, {docker('stats', '--no-stream', NAME)}")


def test_only_the_gateway_listens_outside() -> None:
    table = docker("exec", NAME, "cat", "/proc/net/tcp").splitlines()[1:]
    listening = [row.split()[1].split(":") for row in table if row.split()[3] == "0A"]
    outside = {int(port, 16) for address, port in listening if address != "0100007F"}
    assert outside - embedded_dns(listening) == {PORT}


def embedded_dns(listening: list[list[str]]) -> set[int]:
    """The engine's own name server, 127.0.0.11, which user-defined networks have."""
    return {int(port, 16) for address, port in listening if address == "0B00007F"}


def test_a_dead_part_is_started_again() -> None:
    find = (
        "import os, pathlib\n"
        "for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):\n"
        "    if b'-m\\0services.encoder' in path.read_bytes(): os.kill(int(path.parent.name), 9)\n"
    )
    docker("exec", NAME, "python", "-c", find)

    def heals() -> bool:
        try:
            caption()
        except httpx.HTTPError:
            return False
        return True

    print(f"\ncaptions again after {until('captions come back', heals):.1f} s")
    assert inspect(NAME)["RestartCount"] == 0


def test_health_check_says_healthy() -> None:
    until("healthy", lambda: inspect(NAME)["State"]["Health"]["Status"] == "healthy")


def test_sigterm_ends_it_cleanly() -> None:
    started = time.monotonic()
    docker("stop", "--time", "40", NAME)
    print(f"\nstopped in {time.monotonic() - started:.1f} s")
    assert inspect(NAME)["State"]["ExitCode"] == 0
