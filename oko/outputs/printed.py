"""Captions on standard output, for people and pipes."""

import os
import sys

from oko.rows import Row


class Printed:
    """`caption`; with the path before it when there are several photos, and the language when
    there are several."""

    def __init__(self, *, paths: bool, languages: bool) -> None:
        self._paths = paths
        self._languages = languages

    def wants(self, path: str) -> bool:
        return True

    def write(self, row: Row) -> None:
        for language, best in row.captions.items():
            parts = [row.path] if self._paths else []
            parts += [language] if self._languages else []
            line = os.fsencode(": ".join((*parts, best.text)) + "\n")
            sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()

    def close(self) -> None:
        """Nothing is held back."""
