"""Metadata chunks of a PNG file (W3C PNG 3, XMP part 3). The others are never touched."""

import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

from oko.metadata import xmp
from oko.metadata.errors import DamagedMetadata

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_KEYWORD: Final = b"XML:com.adobe.xmp\0"
_LARGEST: Final = 2**20


def has_description(file: bytes) -> bool:
    """Raises `DamagedMetadata`."""
    packet = _packet(file)
    return packet is not None and xmp.has_description(packet)


def with_description(file: bytes, descriptions: Mapping[str, str]) -> bytes:
    """The file with the description in XMP. Raises as `write.with_description` does."""
    packet = xmp.with_description(_packet(file), descriptions)
    kept = [chunk for name, data, chunk in _chunks(file) if not _is_xmp(name, data)]
    # After the header: readers need not look behind the picture.
    new = _chunk(b"iTXt", _KEYWORD + b"\0\0\0\0" + packet)
    end = len(SIGNATURE) + sum(len(chunk) for _, _, chunk in _chunks(file))
    return b"".join((SIGNATURE, kept[0], new, *kept[1:], file[end:]))


def _chunks(file: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """(name, data, whole chunk), up to IEND."""
    at, name = len(SIGNATURE), b""
    while name != b"IEND":
        if at + 12 > len(file):
            raise DamagedMetadata("Its PNG chunks are cut off.")
        size = int.from_bytes(file[at : at + 4])
        name, end = file[at + 4 : at + 8], at + 12 + size
        if end > len(file):
            raise DamagedMetadata("Its PNG chunks are cut off.")
        yield name, file[at + 8 : end - 4], file[at:end]
        at = end


def _is_xmp(name: bytes, data: bytes) -> bool:
    return name == b"iTXt" and data.startswith(_KEYWORD)


def _packet(file: bytes) -> bytes | None:
    for name, data, _ in _chunks(file):
        if _is_xmp(name, data):
            compressed = data[len(_KEYWORD) : len(_KEYWORD) + 1] == b"\1"
            _, _, rest = data[len(_KEYWORD) + 2 :].partition(b"\0")  # language
            _, _, text = rest.partition(b"\0")  # keyword in that language
            return _inflated(text) if compressed else text
    return None


def _inflated(data: bytes) -> bytes:
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(data, _LARGEST)
    except zlib.error as error:
        raise DamagedMetadata("Its XMP is damaged.") from error
    if not inflate.eof:
        raise DamagedMetadata("Its XMP is cut off, or larger than any real one.")
    return text


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
