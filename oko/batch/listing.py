"""The files behind an input address, and what they are."""

import posixpath

from fsspec.core import url_to_fs

from oko.batch.files import SUFFIXES
from oko.batch.sources import Kind, UnusableInput

_SUFFIXES = {
    Kind.FILES: SUFFIXES,
    Kind.PARQUET: (".parquet", ".pq"),
    Kind.WEBDATASET: (".tar", ".tar.gz", ".tgz"),
}


def found(url: str, kind: Kind) -> list[str]:
    """Addresses of the input's files of a kind, sorted: the same for every listing.

    A folder is searched to its bottom. Names that begin with `.` or `_` are left out.

    Raises:
        UnusableInput: There are none.
    """
    urls = [path for path in _listed(url) if path.lower().endswith(_SUFFIXES[kind])]
    if not urls:
        raise UnusableInput(
            f"{url} has no {kind} to caption ({', '.join(_SUFFIXES[kind])}); see --format."
        )
    return urls


def kind_of(url: str) -> Kind:
    """Parquet or WebDataset when there is any such file, else images.

    Raises:
        UnusableInput: There is nothing, or both.
    """
    paths = _listed(url)
    if not paths:
        raise UnusableInput(f"There is nothing at {url}.")
    kinds = [
        kind
        for kind in (Kind.PARQUET, Kind.WEBDATASET)
        if any(path.lower().endswith(_SUFFIXES[kind]) for path in paths)
    ]
    if len(kinds) > 1:
        raise UnusableInput(f"{url} holds both Parquet and tar files; choose with --format.")
    return kinds[0] if kinds else Kind.FILES


def _listed(url: str) -> list[str]:
    filesystem, path = url_to_fs(url)
    if any(letter in path for letter in "*?["):
        matches = filesystem.glob(path, detail=True)
        paths = [each for each, info in matches.items() if info["type"] == "file"]
        return sorted(map(filesystem.unstrip_protocol, paths))
    paths = [
        each
        for each in filesystem.find(path)
        if not posixpath.relpath(each, path).startswith((".", "_"))
        or each.rstrip("/") == path.rstrip("/")
    ]
    return sorted(map(filesystem.unstrip_protocol, paths))
