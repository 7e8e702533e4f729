"""Photos that could not be captioned, one JSON object a line, next to the output."""

from pathlib import Path

from oko.outputs.jsonl import line
from services.common.errors import OkoError


class Failures:
    """Those of the last run only: `--resume` tries them again. Without any there is no file."""

    def __init__(self, path: Path) -> None:
        """Removes the file of the run before."""
        self.path = path
        path.unlink(missing_ok=True)

    def write(self, path: str, error: OkoError) -> None:
        """`path`, `code` (stable) and `detail`, a sentence."""
        record = line({"path": path, "code": error.code, "detail": error.detail})
        with self.path.open("ab", buffering=0) as file:
            file.write(record)
