"""Every kind of image becomes the same upright RGB pixels."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from services.common.accepted_images import (
    CorruptImage,
    EmptyImage,
    ImageLimits,
    NotAnImage,
    TooManyPixels,
)
from services.common.images import Pixels, decode_square, read_header
from tests import photos
from tests.pictures import encoded

LIMITS = ImageLimits(max_pixels=40_000_000, max_decode_bytes=256 * 2**20)
SIDE = 299


@pytest.fixture(scope="module")
def cat() -> Image.Image:
    return Image.open(photos.CAT).convert("RGB")


def squashed(image: Image.Image) -> Pixels:
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=3.0))


def decoded(data: bytes) -> Pixels:
    pixels = decode_square(data, SIDE, LIMITS)
    assert pixels.shape == (SIDE, SIDE, 3)
    assert pixels.dtype == np.uint8
    return pixels


def difference(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("TIFF", {"compression": "jpeg"}, 4),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 90}, 4),
        ("JPEG", {"quality": 95}, 3),
        ("JPEG", {"quality": 95, "progressive": True}, 3),
        ("AVIF", {"quality": 90}, 5),
    ],
)
def test_kinds(cat: Image.Image, kind: str, options: dict[str, object], tolerance: float) -> None:
    data = encoded(cat, kind, **options)
    assert difference(decoded(data), squashed(cat)) <= tolerance
    assert read_header(data, LIMITS).kind == kind.lower()


def test_palette(cat: Image.Image) -> None:
    palette = cat.quantize(64)
    for kind in ("PNG", "GIF", "BMP"):
        assert difference(decoded(encoded(palette, kind)), squashed(palette.convert("RGB"))) == 0


def test_grey_one_bit_and_cmyk(cat: Image.Image) -> None:
    grey = cat.convert("L")
    assert difference(decoded(encoded(grey, "PNG")), squashed(grey.convert("RGB"))) == 0
    bits = cat.convert("1")
    assert difference(decoded(encoded(bits, "PNG")), squashed(bits.convert("RGB"))) == 0
    cmyk = cat.convert("CMYK")
    assert difference(decoded(encoded(cmyk, "TIFF")), squashed(cat)) <= 2
    assert difference(decoded(encoded(cmyk, "JPEG", quality=95)), squashed(cat)) <= 4


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_use_the_whole_range(cat: Image.Image, kind: str) -> None:
    grey = cat.convert("L")
    deep = Image.fromarray(np.asarray(grey, np.uint16) * 257)
    assert difference(decoded(encoded(deep, kind)), squashed(grey.convert("RGB"))) <= 1


@pytest.mark.parametrize("scale", [1.0, 255.0, 65535.0])
def test_float_tiff(cat: Image.Image, scale: float) -> None:
    grey = cat.convert("L")
    values = np.asarray(grey, np.float32) / 255
    floats = Image.fromarray(values * scale)
    assert difference(decoded(encoded(floats, "TIFF")), squashed(grey.convert("RGB"))) <= 6


def test_not_a_number_is_survived() -> None:
    values = np.full((20, 20), np.nan, np.float32)
    values[0] = [np.inf, -np.inf] * 10
    decoded(encoded(Image.fromarray(values), "TIFF"))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_transparent_is_white(kind: str) -> None:
    clear = Image.new("RGBA", (50, 40), (255, 0, 0, 0))
    assert decoded(encoded(clear, kind)).min() >= 254


def test_transparent_palette_is_white() -> None:
    palette = Image.new("P", (50, 40), 0)
    palette.putpalette([255, 0, 0])
    assert decoded(encoded(palette, "PNG", transparency=0)).min() == 255
    assert decoded(encoded(palette, "GIF", transparency=0)).min() == 255


def test_grey_with_alpha_and_grey_with_transparent_value() -> None:
    assert decoded(encoded(Image.new("LA", (9, 9), (0, 0)), "PNG")).min() == 255
    assert decoded(encoded(Image.new("L", (9, 9), 7), "PNG", transparency=7)).min() == 255


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_orientation(cat: Image.Image, kind: str, orientation: int) -> None:
    """Stored turned, with the tag that says so: comes out upright, sizes too."""
    undo: dict[int, Callable[[Image.Image], Image.Image]] = {
        1: lambda image: image,
        2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
        4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
        6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
        7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
        8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(undo[orientation](cat), kind, quality=95, exif=exif)
    assert difference(decoded(data), squashed(cat)) < 5
    header = read_header(data, LIMITS)
    assert (header.width, header.height) == cat.size


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "I;16"])
def test_large_images_equal_a_plain_resize(kind: str, mode: str) -> None:
    if kind == "JPEG" and mode in ("RGBA", "I;16"):
        pytest.skip("JPEG has no such mode")
    image = Image.open(photos.ASTRONAUT).convert("RGB").resize((4000, 2501))
    plain = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L"), np.uint16) * 257)
    elif mode == "L":
        image = image.convert("L")
    else:
        image = image.convert(mode)
    if mode in ("L", "I;16"):
        plain = np.asarray(Image.fromarray(plain).convert("L").convert("RGB"))
    assert difference(decoded(encoded(image, kind)), plain) < 2


@pytest.mark.parametrize("size", [(1, 1), (1, 20000), (20000, 1), (3, 5)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    assert (decoded(encoded(Image.new("RGB", size, "red"), "PNG")) == (255, 0, 0)).all()


def test_first_frame_of_an_animation(cat: Image.Image) -> None:
    frames = [Image.new("RGB", cat.size, "black")] * 3
    for kind in ("GIF", "WEBP", "PNG", "AVIF"):
        data = encoded(cat, kind, save_all=True, append_images=frames)
        assert difference(decoded(data), squashed(cat)) < 15


def test_not_an_image() -> None:
    for data in (b"hello", b"\x00" * 100, b"%PDF-1.4", b"%!PS-Adobe-3.0 EPSF-3.0\n"):
        with pytest.raises(NotAnImage):
            read_header(data, LIMITS)


def test_empty() -> None:
    with pytest.raises(EmptyImage):
        read_header(b"", LIMITS)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_truncated(cat: Image.Image, kind: str) -> None:
    data = encoded(cat, kind)
    with pytest.raises((CorruptImage, NotAnImage)):
        decode_square(data[: len(data) // 2], SIDE, LIMITS)


def test_too_many_pixels_are_refused_from_the_header() -> None:
    """A 50,000 × 50,000 PNG of a few bytes; decoding it would take 7.5 GB."""
    small = encoded(Image.new("L", (1, 1)), "PNG")
    from struct import pack
    from zlib import crc32

    header = b"IHDR" + pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    bomb = small[:8] + pack(">I", 13) + header + pack(">I", crc32(header)) + small[33:]
    with pytest.raises(TooManyPixels):
        read_header(bomb, LIMITS)


def test_kinds_that_need_more_memory_have_a_lower_limit() -> None:
    image = Image.new("L", (5000, 5000))
    read_header(encoded(image, "PNG"), LIMITS)
    with pytest.raises(TooManyPixels):
        read_header(encoded(image, "WEBP", lossless=True), LIMITS)


def test_multi_picture_jpeg_of_a_phone(cat: Image.Image) -> None:
    body = io.BytesIO()
    cat.save(body, "MPO", save_all=True, append_images=[cat], quality=95)
    assert read_header(body.getvalue(), LIMITS).kind == "jpeg"
    assert difference(decoded(body.getvalue()), squashed(cat)) < 4
