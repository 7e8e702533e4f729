"""IPTC-IIM 4.2 inside Photoshop image resources: the caption that older programs read."""

import hashlib
import struct
from dataclasses import dataclass
from typing import Final

from oko.metadata.errors import DamagedMetadata

_IPTC: Final = 0x0404
_IPTC_DIGEST: Final = 0x0425
_CHARACTER_SET: Final = (1, 90)
_VERSION: Final = (2, 0)
_CAPTION: Final = (2, 120)
_UTF8: Final = b"\x1b%G"
_LONGEST: Final = 2000
"""Bytes of a caption."""


@dataclass(frozen=True, slots=True)
class _Resource:
    signature: bytes
    number: int
    name: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class _DataSet:
    key: tuple[int, int]
    """(record, number)."""
    data: bytes


def has_caption(resources: bytes) -> bool:
    """Raises `DamagedMetadata`."""
    return any(
        dataset.key == _CAPTION and dataset.data.strip()
        for resource in _resources(resources)
        if resource.number == _IPTC
        for dataset in _datasets(resource.data)
    )


def with_caption(resources: bytes, caption: str) -> bytes:
    """Photoshop image resources with the IPTC caption replaced; everything else stays.

    Text of no stated character set next to a caption that is not ASCII would change its meaning
    if one were stated; there the caption is left out, and stands in the XMP alone.

    Args:
        resources: The old ones, empty when there are none.
        caption: Plain text.

    Raises:
        DamagedMetadata: The old ones cannot be read.
    """
    old = _resources(resources)
    datasets = [
        dataset
        for resource in old
        if resource.number == _IPTC
        for dataset in _datasets(resource.data)
    ]
    iptc = _joined(_captioned(datasets, caption))
    new = [resource for resource in old if resource.number not in (_IPTC, _IPTC_DIGEST)]
    new.append(_Resource(b"8BIM", _IPTC, b"", iptc))
    if any(resource.number == _IPTC_DIGEST for resource in old):
        digest = hashlib.md5(iptc, usedforsecurity=False).digest()  # readers compare it with XMP
        new.append(_Resource(b"8BIM", _IPTC_DIGEST, b"", digest))
    return b"".join(map(_packed, new))


def _captioned(datasets: list[_DataSet], caption: str) -> list[_DataSet]:
    others = [dataset for dataset in datasets if dataset.key != _CAPTION]
    named = [dataset.data for dataset in others if dataset.key == _CHARACTER_SET]
    ascii_only = all(dataset.data.isascii() for dataset in others if dataset.key != _VERSION)
    if not (caption.isascii() or named == [_UTF8]):
        if named or not ascii_only:
            return others
        others.append(_DataSet(_CHARACTER_SET, _UTF8))
    if not any(dataset.key == _VERSION for dataset in others):
        others.append(_DataSet(_VERSION, struct.pack(">H", 4)))
    others.append(_DataSet(_CAPTION, _cut(caption)))
    # Records must stand in order; within one, repeated data sets keep theirs (the sort is stable).
    return sorted(others, key=lambda dataset: dataset.key)


def _cut(caption: str) -> bytes:
    return caption.encode()[:_LONGEST].decode(errors="ignore").encode()


def _resources(data: bytes) -> list[_Resource]:
    found, at = [], 0
    try:
        while at + 12 <= len(data):
            signature, number, length = struct.unpack_from(">4sHB", data, at)
            if signature not in (b"8BIM", b"MeSa", b"AgHg", b"PHUT", b"DCSR"):
                raise DamagedMetadata("Its Photoshop resources are damaged.")
            name = data[at + 7 : at + 7 + length]
            at += 6 + _even(1 + length)
            (size,) = struct.unpack_from(">I", data, at)
            at += 4
            if at + size > len(data):
                raise DamagedMetadata("Its Photoshop resources are cut off.")
            found.append(_Resource(signature, number, name, data[at : at + size]))
            at += _even(size)
    except struct.error as error:
        raise DamagedMetadata("Its Photoshop resources are cut off.") from error
    return found


def _packed(resource: _Resource) -> bytes:
    name = bytes([len(resource.name)]) + resource.name
    return b"".join(
        (
            resource.signature,
            struct.pack(">H", resource.number),
            name + b"\0" * (_even(len(name)) - len(name)),
            struct.pack(">I", len(resource.data)),
            resource.data + b"\0" * (len(resource.data) % 2),
        )
    )


def _datasets(data: bytes) -> list[_DataSet]:
    found, at = [], 0
    while at < len(data) and data[at] == 0x1C:  # what follows may be padding
        try:
            _, record, number, length = struct.unpack_from(">BBBH", data, at)
            at += 5
            if length & 0x8000:
                wide = length & 0x7FFF
                length = int.from_bytes(data[at : at + wide])
                at += wide
        except struct.error as error:
            raise DamagedMetadata("Its IPTC data are cut off.") from error
        if at + length > len(data):
            raise DamagedMetadata("Its IPTC data are cut off.")
        found.append(_DataSet((record, number), data[at : at + length]))
        at += length
    return found


def _joined(datasets: list[_DataSet]) -> bytes:
    return b"".join(b"\x1c" + bytes(each.key) + _length(each.data) + each.data for each in datasets)


def _length(data: bytes) -> bytes:
    if len(data) < 0x8000:
        return struct.pack(">H", len(data))
    return struct.pack(">HI", 0x8004, len(data))


def _even(size: int) -> int:
    return size + size % 2
