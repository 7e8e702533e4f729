"""The `oko` command as people run it: a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.processes import REPOSITORY


def oko(
    *arguments: str | Path, stdin: bytes = b"", folder: Path = REPOSITORY
) -> subprocess.CompletedProcess[str]:
    """Runs it to its end; names that are no valid Unicode come through."""
    return subprocess.run(
        [sys.executable, "-m", "oko", *arguments],
        cwd=folder,
        env=environment(),
        input=os.fsdecode(stdin),
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )


def environment() -> dict[str, str]:
    """So that modules are found from any folder, and help is not wrapped."""
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "COLUMNS": "200"}
