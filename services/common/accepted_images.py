"""Which images are taken, and how others are refused.

Without Pillow and NumPy: the gateway names these, but loads those only to draw heatmaps.
"""

from dataclasses import dataclass

from services.common.errors import OkoError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""The only Pillow plugins that are ever asked. Others have started programs (EPS) or are rare."""

KINDS = {"MPO": "jpeg", **{name: name.lower() for name in FORMATS}}
"""Pillow's format → our name. MPO is what some phones and cameras write: JPEG plus more JPEGs."""


class NotAnImage(OkoError):
    status, code, title = 415, "not-an-image", "This is not an image of a supported kind"


class CorruptImage(OkoError):
    status, code, title = 422, "corrupt-image", "The image is damaged"


class EmptyImage(OkoError):
    status, code, title = 422, "empty-image", "The image is empty"


class TooManyPixels(OkoError):
    status, code, title = 413, "too-many-pixels", "The image has too many pixels"


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """Checked from the header, before anything is decoded."""

    max_pixels: int
    max_decode_bytes: int
