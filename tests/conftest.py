"""Fixtures shared by all tests."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from services.common.manifest import Manifest, read_manifest
from services.common.settings import REPOSITORY
from tests.processes import Redis, Stack, running_stack, started


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    return read_manifest(REPOSITORY / "models")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Three services with default settings, shared: tests must leave them as they were."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture
def client(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=60) as client:
        yield client


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    with ExitStack() as processes:
        yield started(processes, Redis.at(tmp_path)).wait()
