"""The images, built once for all tests."""

import pytest

from tests.compose.docker import Compose

PORT = 18080
COMPOSE = Compose(
    "oko-test",
    # A busy test machine is not what the deadline is about.
    {"STACK_PUBLISH": f"127.0.0.1:{PORT}", "STACK_VERSION": "test", "OKO_DEADLINE_MS": "60000"},
)


@pytest.fixture(scope="session")
def images() -> None:
    """`oko/gateway:test`, `oko/encoder:test` and `oko/decoder:test`."""
    COMPOSE("build")
