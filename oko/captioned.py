"""What bulk captioning takes and gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.common.errors import OkoError
from services.decoder.captions import Caption

Image = bytes | Path
"""The bytes of an image file, or where to read them: paths are read only when their turn comes."""


class UnreadableFile(OkoError):
    status, code, title = 422, "unreadable-file", "The file cannot be read"


@dataclass(frozen=True, slots=True)
class Captioned:
    """One photo's captions, or why there are none."""

    index: int
    """Place in the input, from 0."""
    captions: Mapping[str, list[Caption]] = field(default_factory=dict)
    """By language, best first; empty when `error` is set."""
    error: OkoError | None = None


def read_file(path: Path) -> bytes:
    """Raises `UnreadableFile`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{error.strerror or error}.") from error
