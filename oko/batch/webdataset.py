"""WebDataset: tar files whose members of one sample share a name up to its first dot."""

import posixpath
import tarfile
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Self

from fsspec.core import url_to_fs

from oko.batch.files import SUFFIXES
from oko.batch.sources import Partition, Record, UnreadableRecord, refuse
from services.common.errors import BodyTooLarge


def list_shards(urls: Sequence[str]) -> Iterator[Partition]:
    """A shard is a partition: how many samples it has is known only by reading it."""
    for number, url in enumerate(urls):
        yield Partition(number, url, 0, 0)


class _Member(tarfile.TarInfo):
    """Tells a whole archive from one that is cut off, which `tarfile` passes over in silence."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise UnreadableRecord("The shard is cut off or damaged here.") from error


class Shards:
    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes

    def records(self, partition: Partition) -> Iterator[Record]:
        filesystem, path = url_to_fs(partition.source)
        try:
            # "r|*": front to back without seeking, plain or compressed.
            with (
                filesystem.open(path, "rb") as file,
                tarfile.open(fileobj=file, mode="r|*", tarinfo=_Member) as shard,
            ):
                for member in shard:
                    if member.isfile() and _is_image(member.name):
                        key = f"{partition.source}#{member.name}"
                        yield Record(key, self._loader(shard, member))
        except (tarfile.TarError, OSError, EOFError) as error:
            raise UnreadableRecord(f"The shard cannot be read: {error!r:.200}.") from error

    def _loader(self, shard: tarfile.TarFile, member: tarfile.TarInfo) -> partial[bytes]:
        """Members must be read in their order, so here and not when the record is loaded."""
        if member.size > self._max_bytes:
            return partial(refuse, BodyTooLarge(f"At most {self._max_bytes:,} bytes are taken."))
        file = shard.extractfile(member)
        assert file is not None  # it is a file
        return partial(bytes, file.read())


def _is_image(name: str) -> bool:
    base = posixpath.basename(name)
    return not base.startswith(".") and base.lower().endswith(SUFFIXES)
