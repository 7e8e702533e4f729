"""Metadata chunks of a WebP file (RFC 9649). The picture's own are never touched."""

import struct
from collections.abc import Iterator, Mapping
from typing import Final

from oko.metadata import xmp
from oko.metadata.errors import DamagedMetadata

_HEADER: Final = 12
_XMP: Final = b"XMP "
_HAS_XMP, _HAS_ALPHA = 0x04, 0x10


def is_webp(file: bytes) -> bool:
    return file[:4] == b"RIFF" and file[8:_HEADER] == b"WEBP"


def has_description(file: bytes) -> bool:
    """Raises `DamagedMetadata`."""
    packet = _packet(file)
    return packet is not None and xmp.has_description(packet)


def with_description(file: bytes, descriptions: Mapping[str, str]) -> bytes:
    """The file with the description in XMP. Raises as `write.with_description` does."""
    packet = xmp.with_description(_packet(file), descriptions)
    chunks = list(_chunks(file))
    if not chunks:
        raise DamagedMetadata("Its WebP chunks are cut off.")
    name, data = chunks[0]
    if name == b"VP8X":
        extended = bytes([data[0] | _HAS_XMP]) + data[1:]
        chunks = chunks[1:]
    else:
        extended = _extended(name, data)
    kept = [(name, data) for name, data in chunks if name != _XMP]
    body = b"".join(_chunk(*each) for each in ((b"VP8X", extended), *kept, (_XMP, packet)))
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, end = _HEADER, 8 + int.from_bytes(file[4:8], "little")
    if end > len(file):
        raise DamagedMetadata("Its WebP chunks are cut off.")
    while at + 8 <= end:
        size = int.from_bytes(file[at + 4 : at + 8], "little")
        if at + 8 + size > len(file):
            raise DamagedMetadata("Its WebP chunks are cut off.")
        yield file[at : at + 4], file[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _packet(file: bytes) -> bytes | None:
    return next((data for name, data in _chunks(file) if name == _XMP), None)


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _extended(name: bytes, data: bytes) -> bytes:
    """The VP8X chunk of a file that has none yet: flags, and the size from the picture's head."""
    if name == b"VP8L" and data[:1] == b"\x2f" and len(data) >= 5:
        bits = int.from_bytes(data[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        alpha = _HAS_ALPHA if bits >> 28 & 1 else 0
    elif name == b"VP8 " and data[3:6] == b"\x9d\x01\x2a" and len(data) >= 10:
        width, height = (size & 0x3FFF for size in struct.unpack_from("<HH", data, 6))
        alpha = 0
    else:
        raise DamagedMetadata("Its WebP chunks are damaged.")
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes([_HAS_XMP | alpha, 0, 0, 0]) + size
