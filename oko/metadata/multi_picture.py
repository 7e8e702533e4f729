"""The index of further pictures in a JPEG file (CIPA DC-007), as phones write them."""

import struct
from typing import Final

from oko.metadata.errors import DamagedMetadata

MPF: Final = b"MPF\0"
_ENTRIES: Final = 0xB002
_ENTRY: Final = 16


def moved(index: bytes, first_longer: int, others_further: int) -> bytes:
    """The index after the first picture's head has grown.

    Args:
        index: The segment's data.
        first_longer: Bytes by which the first picture has grown.
        others_further: Bytes by which the others are further away from the index.

    Raises:
        DamagedMetadata: It cannot be read.
    """
    order = {b"II": "<", b"MM": ">"}.get(index[4:6])
    if order is None:
        raise DamagedMetadata("Its index of pictures is damaged.")
    new = bytearray(index)
    try:
        start, size = _entries(index, order)
        for number, at in enumerate(range(start, start + size, _ENTRY)):
            length, offset = struct.unpack_from(f"{order}II", index, at + 4)
            if number == 0:
                struct.pack_into(f"{order}I", new, at + 4, length + first_longer)
            elif offset:
                struct.pack_into(f"{order}I", new, at + 8, offset + others_further)
    except struct.error as error:
        raise DamagedMetadata("Its index of pictures is damaged.") from error
    return bytes(new)


def _entries(index: bytes, order: str) -> tuple[int, int]:
    """(place in `index`, size) of the entries."""
    tiff = len(MPF)
    (directory,) = struct.unpack_from(f"{order}I", index, tiff + 4)
    (count,) = struct.unpack_from(f"{order}H", index, tiff + directory)
    for number in range(count):
        tag, _, size, value = struct.unpack_from(
            f"{order}HHII", index, tiff + directory + 2 + 12 * number
        )
        if tag == _ENTRIES:
            return tiff + value, size
    return tiff, 0
