"""Images as files: a folder with all that is in it, or a glob."""

from collections.abc import Iterator, Sequence
from functools import partial

from fsspec.core import url_to_fs

from oko.batch.sources import NotFound, Partition, Record, UnreadableRecord, UnusableInput
from oko.batch.storage import Folder
from services.common.errors import BodyTooLarge

LISTING = "plan/listing.txt"
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")


def fetch(url: str, max_bytes: int) -> bytes:
    """The bytes of an image file.

    Args:
        url: On any fsspec path.
        max_bytes: Larger files are refused before they are read.

    Raises:
        NotFound, BodyTooLarge, UnreadableRecord: As named.
    """
    try:
        filesystem, path = url_to_fs(url)
        with filesystem.open(path, "rb", cache_type="none") as file:
            data: bytes = file.read(max_bytes + 1)
    except FileNotFoundError as error:
        raise NotFound("The file is not there.") from error
    except Exception as error:  # filesystems raise types of their own
        raise UnreadableRecord(f"The file cannot be read: {error!r:.200}.") from error
    if len(data) > max_bytes:
        raise BodyTooLarge(f"At most {max_bytes:,} bytes are taken.")
    return data


def list_files(urls: Sequence[str], size: int, output: Folder) -> Iterator[Partition]:
    """Writes the list of files into the output, and cuts it into partitions.

    The list is kept because a folder may change; a partition is a range of its bytes, so that
    neither the plan nor any worker holds all of it.

    Raises:
        UnusableInput: A name has a line break.
    """
    broken = next((url for url in urls if "\n" in url), None)
    if broken is not None:
        raise UnusableInput(f"Files whose names have line breaks cannot be listed: {broken!r}.")
    lines = [f"{url}\n".encode() for url in urls]
    output.write(LISTING, b"".join(lines))
    start = 0
    for number, first in enumerate(range(0, len(lines), size)):
        stop = start + sum(map(len, lines[first : first + size]))
        yield Partition(number, LISTING, start, stop)
        start = stop


class Files:
    def __init__(self, output: Folder, max_bytes: int) -> None:
        self._output = output
        self._max_bytes = max_bytes

    def records(self, partition: Partition) -> Iterator[Record]:
        lines = self._output.read(partition.source, partition.start, partition.stop)
        for url in lines.decode().splitlines():
            yield Record(url, partial(fetch, url, self._max_bytes))
