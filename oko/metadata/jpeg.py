"""Metadata segments of a JPEG file (ITU-T T.81 annex B). What follows them is never touched."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from oko.metadata import iptc, xmp
from oko.metadata.errors import DamagedMetadata, NoRoomForMetadata
from oko.metadata.multi_picture import MPF, moved

_APP0, _APP1, _APP2, _APP13, _SOS = 0xE0, 0xE1, 0xE2, 0xED, 0xDA
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_EXIF: Final = b"Exif\0\0"
_PHOTOSHOP: Final = b"Photoshop 3.0\0"
_LONGEST: Final = 65_533
"""Bytes of a segment, without its marker and length."""


@dataclass(frozen=True, slots=True)
class _Segment:
    marker: int
    data: bytes

    def packed(self) -> bytes:
        if len(self.data) > _LONGEST:
            raise NoRoomForMetadata("Its metadata are too long for one more description.")
        return struct.pack(">BBH", 0xFF, self.marker, len(self.data) + 2) + self.data

    def holds(self, marker: int, begin: bytes) -> bool:
        return self.marker == marker and self.data.startswith(begin)


def has_description(file: bytes) -> bool:
    """Raises `DamagedMetadata`."""
    segments, _ = _segments(file)
    packet = _packet(segments)
    return (packet is not None and xmp.has_description(packet)) or iptc.has_caption(
        _resources(segments)
    )


def with_description(file: bytes, descriptions: Mapping[str, str]) -> bytes:
    """The file with the description in XMP and IPTC. Raises as `write.with_description` does."""
    segments, scan = _segments(file)
    packet = xmp.with_description(_packet(segments), descriptions)
    resources = iptc.with_caption(_resources(segments), next(iter(descriptions.values())))
    new = [_Segment(_APP1, _XMP + packet)]
    room = _LONGEST - len(_PHOTOSHOP)
    new += [
        _Segment(_APP13, _PHOTOSHOP + resources[start : start + room])
        for start in range(0, len(resources), room)
    ]
    kept = [
        segment
        for segment in segments
        if not segment.holds(_APP1, _XMP) and not segment.holds(_APP13, _PHOTOSHOP)
    ]
    first = _after_leading(kept)
    return _joined(file, [*kept[:first], *new, *kept[first:]], scan)


def _joined(file: bytes, segments: list[_Segment], scan: int) -> bytes:
    head = b"\xff\xd8" + b"".join(segment.packed() for segment in segments)
    index = next((i for i, each in enumerate(segments) if each.holds(_APP2, MPF)), None)
    if index is not None:
        # Offsets of the further pictures count from the index, and so does the first one's size.
        before = _offset(_segments(file)[0])
        after = _offset(segments)
        longer = len(head) - scan
        data = moved(segments[index].data, longer, longer - (after - before))
        segments = [*segments[:index], replace(segments[index], data=data), *segments[index + 1 :]]
        head = b"\xff\xd8" + b"".join(segment.packed() for segment in segments)
    return head + file[scan:]


def _offset(segments: list[_Segment]) -> int:
    """Where the index of further pictures begins, in bytes after SOI."""
    at = 0
    for segment in segments:
        if segment.holds(_APP2, MPF):
            break
        at += 4 + len(segment.data)
    return at


def _segments(file: bytes) -> tuple[list[_Segment], int]:
    """The segments before the first scan, and where that begins."""
    found: list[_Segment] = []
    at = 2
    while True:
        while file[at : at + 2] == b"\xff\xff":  # fill bytes are allowed before a marker
            at += 1
        if at + 4 > len(file) or file[at] != 0xFF:
            raise DamagedMetadata("Its JPEG segments are damaged.")
        marker, length = file[at + 1], int.from_bytes(file[at + 2 : at + 4])
        if marker == _SOS:
            return found, at
        if length < 2 or at + 2 + length > len(file):
            raise DamagedMetadata("Its JPEG segments are cut off.")
        found.append(_Segment(marker, file[at + 4 : at + 2 + length]))
        at += 2 + length


def _packet(segments: list[_Segment]) -> bytes | None:
    packets = (each.data[len(_XMP) :] for each in segments if each.holds(_APP1, _XMP))
    return next(packets, None)


def _resources(segments: list[_Segment]) -> bytes:
    """Of all segments together: long resources go on in the next one."""
    return b"".join(
        each.data[len(_PHOTOSHOP) :] for each in segments if each.holds(_APP13, _PHOTOSHOP)
    )


def _after_leading(segments: list[_Segment]) -> int:
    """After JFIF and Exif, which readers expect at the very beginning."""

    def leading(segment: _Segment) -> bool:
        return segment.marker == _APP0 or segment.holds(_APP1, _EXIF)

    return next((i for i, each in enumerate(segments) if not leading(each)), len(segments))
