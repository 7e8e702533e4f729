"""What the package depends on, from requirements/*.txt, where the versions are kept."""

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Requirements(MetadataHookInterface):
    """Pins become ranges: a service image takes the exact versions, but a package must live with
    others. The lowest version is the one that is tested, the next major one is left out."""

    def update(self, metadata: dict[str, Any]) -> None:
        folder = Path(self.root) / "requirements"
        batch = _own(folder / "batch.txt")
        metadata["dependencies"] = sorted(map(_range, _all(folder / "run.txt")))
        metadata["optional-dependencies"] = {
            "batch": [_range(pin) for pin in batch],
            "parquet": [_range(pin) for pin in batch if pin.startswith("pyarrow==")],
        }


def _all(path: Path) -> set[str]:
    """The pins of a file and of those it names."""
    pins = set(_own(path))
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            pins |= _all(path.with_name(line.removeprefix("-r ").strip()))
    return pins


def _own(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if "==" in line and not line.startswith("#")]


def _range(pin: str) -> str:
    name, version = pin.split("==")
    major, minor, *_ = (*version.split("."), "0")
    following = f"{int(major) + 1}" if major != "0" else f"0.{int(minor) + 1}"
    return f"{name}>={version},<{following}"
