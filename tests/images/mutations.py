"""Hostile images: real files broken in the ways that decoders have been broken before."""

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import Image

from tests import photos
from tests.pictures import encoded


@dataclass(frozen=True)
class Sample:
    name: str
    data: bytes


def seeds() -> list[Sample]:
    """Valid images of every kind and mode, small so that thousands can be tried."""
    cat = Image.open(photos.CAT).convert("RGB").resize((96, 64))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "description"
    many = [cat.transpose(Image.Transpose.FLIP_LEFT_RIGHT)] * 3
    kinds: list[tuple[str, Image.Image, dict[str, object]]] = [
        ("JPEG", cat, {}),
        ("JPEG", cat, {"progressive": True, "exif": exif, "comment": b"c" * 50}),
        ("JPEG", cat.convert("CMYK"), {}),
        ("JPEG", cat.convert("L"), {"restart_marker_blocks": 4}),
        ("PNG", cat, {"exif": exif}),
        ("PNG", cat.convert("RGBA"), {}),
        ("PNG", cat.quantize(16), {"transparency": 1}),
        ("PNG", cat.convert("1"), {}),
        ("PNG", cat, {"save_all": True, "append_images": many}),
        ("WEBP", cat, {"exif": exif}),
        ("WEBP", cat.convert("RGBA"), {"lossless": True}),
        ("WEBP", cat, {"save_all": True, "append_images": many}),
        ("GIF", cat.quantize(32), {}),
        ("GIF", cat, {"save_all": True, "append_images": many}),
        ("BMP", cat, {}),
        ("BMP", cat.quantize(16), {}),
        ("TIFF", cat, {}),
        ("TIFF", cat, {"compression": "tiff_lzw", "exif": exif}),
        ("TIFF", cat, {"compression": "tiff_adobe_deflate"}),
        ("TIFF", cat, {"compression": "jpeg"}),
        ("TIFF", cat.convert("1"), {"compression": "group4"}),
        ("TIFF", cat.convert("F"), {}),
        ("AVIF", cat, {"exif": exif}),
        ("AVIF", cat, {"save_all": True, "append_images": many}),
    ]
    return [
        Sample(f"{kind.lower()}-{index}", encoded(image, kind, **options))
        for index, (kind, image, options) in enumerate(kinds)
    ]


def mutated(count: int, seed: int) -> Iterator[Sample]:
    """`count` broken images, the same for the same seed."""
    randomly = random.Random(seed)
    originals = seeds()
    ways: list[Callable[[random.Random, bytearray], bytearray]] = [
        _flip_bits,
        _flip_bits,
        _flip_header_bits,
        _flip_header_bits,
        _truncate,
        _large_number,
        _large_number,
        _zero_a_run,
        _repeat_a_run,
        _drop_a_run,
        _lie_about_png,
    ]
    for index in range(count):
        original = randomly.choice(originals)
        way = randomly.choice(ways)
        data = way(randomly, bytearray(original.data))
        if randomly.random() < 0.2:
            data = _splice(randomly, data, randomly.choice(originals).data)
        yield Sample(f"{index}:{original.name}:{way.__name__.strip('_')}", bytes(data))


def bombs() -> list[Sample]:
    """Small files that ask for much."""
    cat = Image.open(photos.CAT).convert("RGB").resize((96, 64))
    frames = [Image.new("P", (500, 500), index % 250) for index in range(2000)]
    return [
        Sample("png 50,000 x 50,000", png_of(50_000, 50_000, b"")),
        Sample("png that inflates to 6,000 x 6,000", zeros_png(6000, 6000)),
        Sample("png that inflates beyond its size", png_of(10, 10, zlib.compress(bytes(10**8)))),
        Sample("png with 8 MB of text", png_with_text(8 * 2**20)),
        Sample("png with an ICC profile that inflates", png_with_profile(10**8)),
        Sample(
            "gif of 2,000 frames",
            encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        ),
        Sample("gif that says 65,535 x 65,535", gif_of(65535, 65535)),
        Sample("jpeg with 10 MB of EXIF segments", jpeg_with_segments(cat, b"\xff\xe1", 160)),
        Sample("jpeg with 10 MB of ICC segments", jpeg_with_segments(cat, b"\xff\xe2", 160)),
        Sample("jpeg that says 65,500 x 65,500", jpeg_of(cat, 65500, 65500)),
        Sample("jpeg that says 6,300 x 6,300", jpeg_of(cat, 6300, 6300)),
        Sample("progressive jpeg of 2,000 scans", many_scans(2000)),
        Sample("tiff that says 2^31 wide", tiff_of(2**31 - 1, 1)),
        Sample("tiff of one strip of 6,000 x 6,000", tiff_of(6000, 6000)),
        Sample("tiff whose directories form a circle", circular_tiff()),
        Sample("webp that says 16,384 x 16,384", webp_of(16384, 16384)),
        Sample("bmp that says 30,000 x -30,000", bmp_of(30_000, -30_000)),
        Sample("bmp that says 6,000 x 6,000", bmp_of(6000, 6000)),
        Sample("empty", b""),
        Sample("eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n"),
        Sample(
            "svg",
            b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        ),
        Sample("zeros", bytes(2**20)),
    ]


def png_of(width: int, height: int, compressed: bytes, extra: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", compressed)
        + chunk(b"IEND", b"")
    )


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def zeros_png(width: int, height: int) -> bytes:
    return png_of(width, height, zlib.compress(bytes((3 * width + 1) * height), 9))


def png_with_text(size: int) -> bytes:
    text = chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(size)))
    return png_of(1, 1, zlib.compress(bytes(4)), text * 8)


def png_with_profile(size: int) -> bytes:
    profile = chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(size), 9))
    return png_of(1, 1, zlib.compress(bytes(4)), profile)


def gif_of(width: int, height: int) -> bytes:
    small = bytearray(encoded(Image.new("P", (2, 2)), "GIF"))
    small[6:10] = struct.pack("<HH", width, height)
    return bytes(small)


def jpeg_with_segments(image: Image.Image, marker: bytes, count: int) -> bytes:
    data = encoded(image, "JPEG")
    kind = b"Exif\0\0II*\0" if marker == b"\xff\xe1" else b"ICC_PROFILE\0\1\1"
    segment = marker + struct.pack(">H", 65000) + kind.ljust(65000 - 2, b"\x08")
    return data[:2] + segment * count + data[2:]


def jpeg_of(image: Image.Image, width: int, height: int) -> bytes:
    data = bytearray(encoded(image, "JPEG"))
    start = data.index(b"\xff\xc0")
    data[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def many_scans(count: int) -> bytes:
    data = encoded(Image.new("RGB", (3000, 3000), "grey"), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + b"\xff\xd9"


def tiff_of(width: int, height: int) -> bytes:
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 8),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 4, 1, height),
        (279, 4, 1, 4),
    ]
    directory = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    start = 12
    return (
        b"II*\0"
        + struct.pack("<I", start)
        + b"abcd"
        + struct.pack("<H", len(entries))
        + directory
        + bytes(4)
    )


def circular_tiff() -> bytes:
    data = bytearray(tiff_of(4, 4))
    data[-4:] = struct.pack("<I", 12)
    return bytes(data)


def webp_of(width: int, height: int) -> bytes:
    data = encoded(Image.new("RGBA", (8, 8), (1, 2, 3, 4)), "WEBP", lossless=True)
    extended = b"VP8X" + struct.pack("<I", 10) + bytes([0x10, 0, 0, 0])
    extended += struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    body = b"WEBP" + extended + data[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def bmp_of(width: int, height: int) -> bytes:
    data = bytearray(encoded(Image.new("RGB", (2, 2)), "BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def _flip_bits(randomly: random.Random, data: bytearray) -> bytearray:
    for _ in range(randomly.choice((1, 2, 5, 20))):
        data[randomly.randrange(len(data))] ^= 1 << randomly.randrange(8)
    return data


def _flip_header_bits(randomly: random.Random, data: bytearray) -> bytearray:
    for _ in range(randomly.choice((1, 2, 4))):
        data[randomly.randrange(min(len(data), 300))] ^= 1 << randomly.randrange(8)
    return data


def _truncate(randomly: random.Random, data: bytearray) -> bytearray:
    return data[: randomly.randrange(len(data))]


def _large_number(randomly: random.Random, data: bytearray) -> bytearray:
    value = randomly.choice(
        (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 6000, 50_000)
    )
    form = randomly.choice(("<I", ">I", "<H", ">H"))
    limit = 0xFFFFFFFF if form[1] == "I" else 0xFFFF
    packed = struct.pack(form, value & limit)
    place = randomly.randrange(min(len(data), 400))
    data[place : place + len(packed)] = packed
    return data


def _zero_a_run(randomly: random.Random, data: bytearray) -> bytearray:
    start = randomly.randrange(len(data))
    length = min(randomly.choice((4, 64, 1024)), len(data) - start)
    data[start : start + length] = bytes(length)
    return data


def _repeat_a_run(randomly: random.Random, data: bytearray) -> bytearray:
    start = randomly.randrange(len(data))
    run = data[start : start + randomly.choice((8, 100, 1000))]
    data[start:start] = run * randomly.choice((1, 3, 50))
    return data


def _drop_a_run(randomly: random.Random, data: bytearray) -> bytearray:
    start = randomly.randrange(len(data))
    del data[start : start + randomly.choice((1, 7, 200))]
    return data


def _lie_about_png(randomly: random.Random, data: bytearray) -> bytearray:
    """A wrong size with a right checksum, which a bit flip never has."""
    size = (randomly.choice((0, 1, 97, 5000, 2**31 - 1)), randomly.choice((0, 1, 63, 5000)))
    return bytearray(png_of(*size, zlib.compress(bytes(data[: randomly.randrange(1, 5000)]))))


def _splice(randomly: random.Random, data: bytearray, other: bytes) -> bytearray:
    return data[: randomly.randrange(1, len(data) + 1)] + other[randomly.randrange(len(other)) :]


def readable(data: bytes) -> bool:
    """Whether Pillow opens it at all; for counting how deep the mutations reach."""
    try:
        Image.open(io.BytesIO(data)).close()
    except Exception:  # whatever it is, it is not readable
        return False
    return True
