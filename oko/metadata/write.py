"""Descriptions in photo files of any kind that can hold one."""

from collections.abc import Mapping
from types import ModuleType

from oko.metadata import jpeg, png, webp
from oko.metadata.errors import NoRoomForMetadata


def has_description(file: bytes) -> bool:
    """Whether somebody, or something, has described this photo already.

    Raises:
        NoRoomForMetadata, DamagedMetadata: As named.
    """
    return bool(_kind(file).has_description(file))


def with_description(file: bytes, descriptions: Mapping[str, str]) -> bytes:
    """The file with its description replaced: XMP `dc:description`, in JPEG also IPTC Caption.

    All bytes of the picture, and all other metadata, stay as they are.

    Args:
        file: JPEG, PNG or WebP.
        descriptions: By language; the first is also the default, and the one in IPTC.

    Raises:
        NoRoomForMetadata: The kind of file, or its metadata's size, does not allow it.
        DamagedMetadata: What is in the file cannot be read, so it cannot be kept either.
    """
    new: bytes = _kind(file).with_description(file, descriptions)
    return new


def _kind(file: bytes) -> ModuleType:
    if file.startswith(b"\xff\xd8"):
        return jpeg
    if file.startswith(png.SIGNATURE):
        return png
    if webp.is_webp(file):
        return webp
    raise NoRoomForMetadata("Descriptions are written into JPEG, PNG and WebP files only.")
