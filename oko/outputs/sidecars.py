"""A text file beside each photo, as tools that train on pairs of photos and captions read them."""

import os
from collections.abc import Sequence
from pathlib import Path

from oko.files import replace_file
from oko.outputs.output import CannotWrite
from oko.rows import Row


class Sidecars:
    """`photo.txt` for one language; `photo.en.txt` and `photo.uk.txt` for several."""

    def __init__(self, languages: Sequence[str], *, overwrite: bool) -> None:
        """Nothing is read or written yet.

        Args:
            languages: Of the captions.
            overwrite: Replace files that exist; they are kept otherwise.
        """
        self._languages = languages
        self._overwrite = overwrite

    def wants(self, path: str) -> bool:
        if self._overwrite:
            return True
        return not all(self._beside(path, language).exists() for language in self._languages)

    def write(self, row: Row) -> None:
        for language, best in row.captions.items():
            path = self._beside(row.path, language)
            if not self._overwrite and path.exists():
                continue
            try:
                replace_file(path, f"{best.text}\n".encode())
            except OSError as error:
                raise CannotWrite(f"{path} cannot be written: {error.strerror}.") from error

    def close(self) -> None:
        """Every file is complete already."""

    def _beside(self, path: str, language: str) -> Path:
        suffix = ".txt" if len(self._languages) == 1 else f".{language}.txt"
        return Path(os.path.splitext(path)[0] + suffix)  # noqa: PTH122 - drops the last suffix only
