"""Captions as descriptions inside the photos' own files."""

from pathlib import Path

from oko.files import replace_file
from oko.metadata.write import has_description, with_description
from oko.outputs.output import CannotWrite
from oko.rows import Row
from services.common.errors import OkoError


class Descriptions:
    """Replaces each file by one with a description; the picture in it stays byte for byte."""

    def __init__(self, *, overwrite: bool) -> None:
        """Nothing is read or written yet.

        Args:
            overwrite: Replace descriptions that exist; they are kept otherwise.
        """
        self._overwrite = overwrite

    def wants(self, path: str) -> bool:
        if self._overwrite:
            return True
        try:
            return not has_description(Path(path).read_bytes())
        except (OSError, OkoError):
            return True  # reported when its turn comes

    def write(self, row: Row) -> None:
        path = Path(row.path)
        try:
            captions = {language: best.text for language, best in row.captions.items()}
            replace_file(path, with_description(path.read_bytes(), captions))
        except OSError as error:
            raise CannotWrite(f"{path} cannot be written: {error.strerror}.") from error
        except OkoError as error:
            raise CannotWrite(error.detail) from error

    def close(self) -> None:
        """Every file is complete already."""
