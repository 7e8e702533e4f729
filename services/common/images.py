"""Uploaded bytes → pixels. Every byte is hostile until Pillow has decoded it within limits.

The gateway (heatmaps) and the encoder (features) both look at photos, hence the place.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from services.common.accepted_images import (
    FORMATS,
    KINDS,
    CorruptImage,
    EmptyImage,
    ImageLimits,
    NotAnImage,
    TooManyPixels,
)

MAX_SCANS = 64
"""Scans of a progressive JPEG; real ones have about ten. Each costs a pass over the image."""

_BYTES_PER_PIXEL = {"WEBP": 17, "AVIF": 12, "TIFF": 12, "GIF": 6, "PNG": 6, "BMP": 6}
"""Peak while decoding, measured at 16 to 40 megapixels (WebP 16.2, AVIF 9.5, TIFF 4.7, PNG 4.7,
BMP 4.4, GIF 1.4) and rounded up: Pillow's WebP and AVIF decoders hold several frames, a TIFF of one
strip holds it twice."""

_BYTES_PER_DEEP_PIXEL = 18
"""The same for 32-bit and float images, whose range is looked for (measured 17.4)."""

_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → what makes the picture upright."""

Pixels = NDArray[np.uint8]
"""RGB, uint8 [height, width, 3]."""


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """Size as shown, after EXIF orientation."""

    kind: str
    width: int
    height: int
    decode_bytes: int
    """Estimate of the memory that decoding takes at its peak."""


def read_header(data: bytes, limits: ImageLimits) -> ImageHeader:
    """Looks at the header only.

    Raises:
        NotAnImage, CorruptImage, EmptyImage, TooManyPixels: As named.
    """
    with _opened(data, limits) as image:
        width, height = image.size
        if _orientation(image) >= 5:
            width, height = height, width
        return ImageHeader(KINDS[image.format or ""], width, height, _decode_bytes(image))


def decode_square(data: bytes, side: int, limits: ImageLimits) -> Pixels:
    """Decodes and squashes to a square, as the encoder was trained.

    Returns:
        uint8 [side, side, 3], upright, over white where transparent.

    Raises:
        NotAnImage, CorruptImage, EmptyImage, TooManyPixels: As named.
    """
    return decode_to_size(data, (side, side), limits)


def decode_to_size(data: bytes, size: tuple[int, int], limits: ImageLimits) -> Pixels:
    """Decodes and resizes with antialiasing to exactly `size` = (width, height).

    Large images are first reduced by a whole factor, JPEGs inside the decoder (`draft`), others
    band by band, to twice (JPEG) or three times the size asked for. Orientation is applied at the
    end, where it is cheap.

    Returns:
        uint8 [height, width, 3].
    """
    with _opened(data, limits) as image:
        orientation = _orientation(image)
        wanted = (size[1], size[0]) if orientation >= 5 else size
        with _corruption_named():
            image.draft(None, (wanted[0] * 2, wanted[1] * 2))
            image.load()
        small = _reduced(image, wanted).resize(wanted, Image.Resampling.BILINEAR)
        if orientation in _TRANSPOSE:
            small = small.transpose(_TRANSPOSE[orientation])
        return np.asarray(small)


@contextmanager
def _opened(data: bytes, limits: ImageLimits) -> Iterator[Image.Image]:
    """A lazily opened image whose header is within limits."""
    if not data:
        raise EmptyImage("The upload has no bytes.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise NotAnImage(
            "Send a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF image.",
            allowed=[KINDS[name] for name in FORMATS],
        ) from None
    except Image.DecompressionBombError:
        raise _too_many_pixels(limits) from None
    except Exception as error:  # plugins raise nearly everything on hostile input
        raise CorruptImage("The header of the image cannot be read.") from error
    with image:
        width, height = image.size
        if width < 1 or height < 1:
            raise EmptyImage("The image has no pixels.")
        if width * height > limits.max_pixels or _decode_bytes(image) > limits.max_decode_bytes:
            raise _too_many_pixels(limits)
        if image.info.get("progressive") and data.count(b"\xff\xda") > MAX_SCANS:
            raise CorruptImage(f"The JPEG has more than {MAX_SCANS} scans.")
        yield image


def _too_many_pixels(limits: ImageLimits) -> TooManyPixels:
    return TooManyPixels(
        f"At most {limits.max_pixels:,} pixels are taken, fewer for kinds that need more memory "
        "to decode; scale the image down.",
        max_pixels=limits.max_pixels,
    )


def _decode_bytes(image: Image.Image) -> int:
    pixels = image.width * image.height
    if image.format in ("JPEG", "MPO"):
        # Progressive files keep all coefficients, two bytes each; others only a few rows, but
        # draft() may find no scale below the size that was asked for.
        return pixels * 6 if image.info.get("progressive") else pixels * 4
    if image.mode in ("I", "F"):
        return pixels * _BYTES_PER_DEEP_PIXEL
    return pixels * _BYTES_PER_PIXEL[image.format or "TIFF"]


def _orientation(image: Image.Image) -> int:
    if image.format == "TIFF":
        return 1  # Pillow turns these itself, and gives the size as shown
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = image.getexif().get(0x0112, 1)
    except Exception:  # broken EXIF is common and says nothing about the picture
        return 1
    return value if isinstance(value, int) and value in _TRANSPOSE else 1


@contextmanager
def _corruption_named() -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Image.DecompressionBombError:
        raise TooManyPixels("The image has too many pixels; scale it down.") from None
    except Exception as error:  # decoders raise nearly everything on hostile input
        raise CorruptImage("The image is damaged or cut off; send it again.") from error


def _reduced(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """RGB over white, reduced by whole factors to no less than three times `size`.

    Equals `resize(size, reducing_gap=3.0)` of the converted image, but holds one band of rows in
    RGB(A) at a time: converting a 40-megapixel image at once would take twice its memory.
    """
    factor_x = max(1, image.width // (size[0] * 3))
    factor_y = max(1, image.height // (size[1] * 3))
    to_rgb = _Converter(image)
    if (factor_x, factor_y) == (1, 1):
        return to_rgb(image)
    columns = -(-image.width // factor_x)
    rows = -(-image.height // factor_y)
    canvas = Image.new("RGB", (columns, rows))
    band = max(1, 2**20 // image.width // factor_y) * factor_y  # about a megapixel
    for top in range(0, image.height, band):
        piece = image.crop((0, top, image.width, min(top + band, image.height)))
        canvas.paste(to_rgb(piece).reduce((factor_x, factor_y)), (0, top // factor_y))
    return canvas


class _Converter:
    """Any mode → RGB over white. Made once per image: ranges must not differ between bands."""

    def __init__(self, image: Image.Image) -> None:
        self._deep = image.mode.startswith("I") or image.mode == "F"
        self._low, self._scale = 0.0, 1.0
        if self._deep:
            self._low, self._scale = _range(image)
        self._transparent = image.has_transparency_data

    def __call__(self, image: Image.Image) -> Image.Image:
        if self._deep:
            values = np.nan_to_num(np.asarray(image, dtype=np.float32)).astype(np.float64)
            grey = np.clip((values - self._low) * self._scale, 0, 255).astype(np.uint8)
            return Image.fromarray(grey).convert("RGB")
        if self._transparent:
            layer = image.convert("RGBA")
            white = Image.new("RGBA", layer.size, "white")
            return Image.alpha_composite(white, layer).convert("RGB")
        return image if image.mode == "RGB" else image.convert("RGB")  # which would copy it


def _range(image: Image.Image) -> tuple[float, float]:
    """(value that is black, factor to 0–255) of an image of more than 8 bits.

    16-bit files use the full range by definition. 32-bit and float files have no such
    definition: [0, 1], 8-bit and 16-bit ranges are recognised, others are stretched.
    """
    if image.mode.startswith("I;16"):
        return 0.0, 255 / 65535
    values = np.nan_to_num(np.asarray(image, dtype=np.float32))
    low, high = float(values.min()), float(values.max())
    if low >= 0:
        ranges = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
        for top in ranges:
            if high <= top:
                return 0.0, 255 / top
    return low, 255 / max(high - low, 1e-12)
