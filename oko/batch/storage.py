"""A folder on any fsspec path, whose files appear whole or not at all."""

import posixpath
import re
import uuid

from fsspec.core import url_to_fs

TEMPORARY = "_temporary"
"""Begins with an underscore: readers of Parquet folders leave such names out."""


def with_protocol(url: str) -> str:
    """An absolute address: workers need not run in this folder."""
    filesystem, path = url_to_fs(url)
    return str(filesystem.unstrip_protocol(path))


class Folder:
    """Cheap to make; each process has its own."""

    def __init__(self, url: str) -> None:
        """Nothing is read or written yet.

        Args:
            url: Such as `/data/captions` or `s3://bucket/captions`.
        """
        self._filesystem, self._root = url_to_fs(url)
        self._root = self._root.rstrip("/")

    def names(self, folder: str, pattern: re.Pattern[str]) -> list[str]:
        """Names of files in a sub-folder that match; none when it does not exist."""
        self._filesystem.invalidate_cache()  # others write here too
        try:
            found = self._filesystem.ls(self._path(folder), detail=False)
        except FileNotFoundError:
            return []
        names = (posixpath.basename(path) for path in found)
        return sorted(name for name in names if pattern.fullmatch(name))

    def read(self, name: str, start: int | None = None, stop: int | None = None) -> bytes:
        """A file's bytes, or a range of them. Raises `FileNotFoundError`."""
        data: bytes = self._filesystem.cat_file(self._path(name), start=start, end=stop)
        return data

    def write(self, name: str, data: bytes) -> None:
        """Puts a file in place, over an older one.

        It gets its name by a rename, or where there is none (object stores) by a copy inside the
        store; both are atomic. Whoever dies on the way leaves a file in `_temporary`, no more.
        """
        temporary = self._path(f"{TEMPORARY}/{uuid.uuid4().hex}")
        path = self._path(name)
        self._filesystem.makedirs(posixpath.dirname(temporary), exist_ok=True)
        self._filesystem.makedirs(posixpath.dirname(path), exist_ok=True)
        self._filesystem.pipe_file(temporary, data)
        self._filesystem.mv(temporary, path)

    def has(self, name: str) -> bool:
        """Is the file there?"""
        return bool(self._filesystem.exists(self._path(name)))

    def remove(self, name: str) -> None:
        """Removes a file or a sub-folder, if it is there."""
        path = self._path(name)
        if self._filesystem.exists(path):
            self._filesystem.rm(path, recursive=True)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"
