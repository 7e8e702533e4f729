"""schemathesis sends each service what its OpenAPI document allows, and what it does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import REPOSITORY, Stack

pytestmark = pytest.mark.slow

EXAMPLES = 30


@pytest.mark.parametrize("name", ["encoder", "decoder", "gateway"])
def test_the_document_is_kept(name: str, stack: Stack, tmp_path: Path) -> None:
    """All checks, all phases."""
    service = next(service for service in stack.services() if service.name == name)
    run = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "schemathesis"),),
            *("--config-file", str(Path(__file__).with_name("schemathesis.toml"))),
            *("run", f"{service.url}/openapi.json"),
            *("--checks", "all", "--max-examples", str(EXAMPLES), "--seed", "1"),
            *("--suppress-health-check", "all", "--no-color", "--request-timeout", "60"),
            *("--continue-on-failure",),
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "tests.api.media_types",
            "PYTHONPATH": str(REPOSITORY),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
