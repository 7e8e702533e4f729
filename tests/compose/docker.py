"""The docker command line, as the tests need it."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.processes import REPOSITORY

PATIENCE_S = 180.0


def _environment() -> dict[str, str]:
    """The classic builder where there is no BuildKit plugin."""
    plugin = subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False)
    return {} if plugin.returncode == 0 else {"DOCKER_BUILDKIT": "0"}


def docker(*arguments: str, check: bool = True) -> str:
    """Runs `docker …`; its output. Raises `AssertionError` with what it said when it fails."""
    return run(["docker", *arguments], check=check, environment=_environment())


def run(
    command: list[str], *, check: bool = True, environment: Mapping[str, str] | None = None
) -> str:
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout.strip()


def inspect(name: str) -> dict[str, Any]:
    """What the engine knows of a container or an image."""
    document: dict[str, Any] = json.loads(docker("inspect", name))[0]
    return document


def megabytes(image: str) -> float:
    size: int = inspect(image)["Size"]
    return size / 1e6


def kill_process_one(container: str, helper: str = "python:3.11-slim") -> None:
    """SIGKILL from outside, as the kernel's OOM killer would: `docker kill` prevents a restart.

    The helper sees the engine's processes and may signal those of its own user, no more.
    """
    known = inspect(container)
    docker(
        *("run", "--rm", "--pid=host", "--network=none", "--cap-drop=ALL"),
        *("--user", known["Config"]["User"], helper),
        *("python3", "-c", f"import os; os.kill({known['State']['Pid']}, 9)"),
    )


def until(what: str, condition: Callable[[], bool], patience_s: float = PATIENCE_S) -> float:
    """Waits; the seconds it took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < patience_s, f"not after {patience_s:.0f} s: {what}"
        time.sleep(0.2)
    return time.monotonic() - started


@dataclass(frozen=True)
class Compose:
    """One project of docker-compose.yml."""

    project: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str) -> str:
        program = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]
        command = [*program, "-p", self.project, "-f", "docker-compose.yml", *arguments]
        return run(command, environment={**_environment(), **self.environment})

    def containers(self, service: str) -> list[str]:
        """Identifiers of the running containers of a service."""
        return self("ps", "-q", service).split()

    def ask(self, container: str, port: int, path: str) -> str:
        """GET from inside a container, whose port is not published."""
        url = f"http://127.0.0.1:{port}{path}"
        code = f"import urllib.request as u; print(u.urlopen({url!r}, timeout=10).read().decode())"
        return docker("exec", container, "python", "-c", code)
