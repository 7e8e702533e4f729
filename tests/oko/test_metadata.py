"""Descriptions in photo files: read back by exiftool, the pictures left as they were."""

import io
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from oko.metadata import xmp
from oko.metadata.errors import DamagedMetadata, NoRoomForMetadata
from oko.metadata.write import has_description, with_description
from tests import photos

CAPTIONS = {"en": "a cat & a <dog>", "uk": "кіт і їжак"}
exiftool = pytest.mark.skipif(
    shutil.which("exiftool") is None, reason="needs exiftool (Debian: libimage-exiftool-perl)"
)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    body = io.BytesIO()
    image.save(body, kind, **options)
    return body.getvalue()


def cat() -> Image.Image:
    return Image.open(photos.CAT).convert("RGB").resize((160, 107))


def transparent() -> Image.Image:
    image = cat().convert("RGBA")
    image.putalpha(128)
    return image


def moving() -> list[Image.Image]:
    return [cat(), cat().rotate(90), cat().rotate(180)]


KINDS: dict[str, Callable[[], bytes]] = {
    "camera.jpg": photos.ROCKET.read_bytes,
    "progressive.jpg": lambda: saved(cat(), "JPEG", progressive=True),
    "cmyk.jpg": lambda: saved(cat().convert("CMYK"), "JPEG"),
    "pictures.jpg": lambda: saved(cat(), "MPO", save_all=True, append_images=[cat().rotate(90)]),
    "plain.png": photos.CAT.read_bytes,
    "palette.png": lambda: saved(cat().convert("P"), "PNG"),
    "moving.png": lambda: saved(cat(), "PNG", save_all=True, append_images=moving()),
    "lossy.webp": lambda: saved(cat(), "WEBP"),
    "lossless.webp": lambda: saved(cat(), "WEBP", lossless=True),
    "transparent.webp": lambda: saved(transparent(), "WEBP", lossless=True),
    "profile.webp": lambda: saved(cat(), "WEBP", icc_profile=b"profile", exif=b"Exif\0\0II*\0"),
    "moving.webp": lambda: saved(cat(), "WEBP", save_all=True, append_images=moving()),
}


def frames(file: bytes) -> list[np.ndarray]:
    with Image.open(io.BytesIO(file)) as image:
        return [np.asarray(frame.copy()) for frame in ImageSequence.Iterator(image)]


def coded(file: bytes) -> Iterator[bytes]:
    """The compressed picture: everything that is not metadata, as each format has it."""
    if file[:2] == b"\xff\xd8":
        at = 2
        while file[at + 1] != 0xDA:
            end = at + 2 + int.from_bytes(file[at + 2 : at + 4])
            if not 0xE0 <= file[at + 1] <= 0xEF:
                yield file[at:end]
            at = end
        yield file[at:]
    elif file[:4] == b"\x89PNG":
        at = 8
        while at < len(file):
            end = at + 12 + int.from_bytes(file[at : at + 4])
            if file[at + 4 : at + 8] != b"iTXt":
                yield file[at:end]
            at = end
    else:
        at = 12
        while at < len(file):
            size = int.from_bytes(file[at + 4 : at + 8], "little")
            if file[at : at + 4] not in (b"VP8X", b"XMP "):
                yield file[at : at + 8 + size]
            at += 8 + size + size % 2


def tags(path: Path) -> dict[str, object]:
    command = ["exiftool", "-json", "-G1", "-charset", "iptc=UTF8", "-validate", "-warning"]
    done = subprocess.run([*command, "-all", str(path)], capture_output=True, check=True)
    (found,) = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", KINDS)
def test_the_picture_stays_byte_for_byte(name: str) -> None:
    old = KINDS[name]()
    new = with_description(old, CAPTIONS)
    assert list(coded(new)) == list(coded(old))
    for was, now in zip(frames(old), frames(new), strict=True):
        np.testing.assert_array_equal(was, now)
    assert not has_description(old)
    assert has_description(new)


@exiftool
@pytest.mark.parametrize("name", KINDS)
def test_exiftool_reads_the_description(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(KINDS[name]())
    before = tags(path)
    path.write_bytes(with_description(path.read_bytes(), CAPTIONS))
    after = tags(path)
    assert after["XMP-dc:Description"] == CAPTIONS["en"]
    assert after["XMP-dc:Description-uk"] == CAPTIONS["uk"]
    if name.endswith(".jpg"):
        assert after["IPTC:Caption-Abstract"] == CAPTIONS["en"]
    assert after.get("ExifTool:Warning") == before.get("ExifTool:Warning")


@exiftool
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_everything_else_stays(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"photo.{suffix}"
    path.write_bytes(saved(cat(), {"jpg": "JPEG"}.get(suffix, suffix.upper())))
    written = [
        *("-EXIF:Artist=Ада", "-EXIF:Orientation#=6", "-XMP-dc:Subject=кіт", "-XMP-dc:Rights=CC0"),
        *("-XMP-dc:Description=old", "-XMP-xmp:Rating=4", "-XMP-photoshop:City=Львів"),
    ]
    if suffix == "jpg":
        written += ["-IPTC:City=Lviv", "-IPTC:Keywords=one", "-IPTC:Keywords=two", "-JFIF:all="]
        written += ["-IPTC:Caption-Abstract=old", "-IPTCDigest=new", "-Comment=hello"]
    subprocess.run(["exiftool", "-q", "-overwrite_original", *written, str(path)], check=True)
    before = tags(path)
    assert has_description(path.read_bytes())
    path.write_bytes(with_description(path.read_bytes(), CAPTIONS))
    after = tags(path)
    changing = ("System:", "File:", "ExifTool:", "XMP-dc:Description", "IPTC:Caption-Abstract")
    changing += ("IPTC:CodedCharacterSet", "IPTC:ApplicationRecordVersion", "Photoshop:IPTCDigest")
    changing += ("XMP-x:XMPToolkit", "RIFF:")

    def others(found: dict[str, object]) -> dict[str, object]:
        return {key: value for key, value in found.items() if not key.startswith(changing)}

    assert others(after) == others(before)
    assert after["XMP-dc:Description"] == CAPTIONS["en"]
    if suffix == "jpg":
        assert after["IPTC:Caption-Abstract"] == CAPTIONS["en"]
        assert after["Photoshop:IPTCDigest"] == after["File:CurrentIPTCDigest"]


@exiftool
def test_ukrainian_first_reaches_iptc(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(with_description(photos.ROCKET.read_bytes(), {"uk": CAPTIONS["uk"]}))
    assert tags(path)["IPTC:Caption-Abstract"] == CAPTIONS["uk"]


@exiftool
def test_latin1_fields_of_others_are_not_made_wrong(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photos.ROCKET.read_bytes())
    latin1 = ["-charset", "iptc=Latin1"]
    subprocess.run(["exiftool", "-q", *latin1, "-IPTC:City=Zürich", str(path)], check=True)
    path.write_bytes(with_description(path.read_bytes(), {"uk": CAPTIONS["uk"]}))
    read = ["exiftool", *latin1, "-s3", "-IPTC:City", "-XMP-dc:Description", str(path)]
    done = subprocess.run(read, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["Zürich", CAPTIONS["uk"]]


def test_further_pictures_are_found_whatever_moves() -> None:
    """Old metadata behind the index of pictures: replacing them moves pictures and index apart."""
    file = KINDS["pictures.jpg"]()
    packet = b"http://ns.adobe.com/xap/1.0/\0" + xmp.with_description(None, {"en": "old " * 99})
    segment = b"\xff\xe1" + (len(packet) + 2).to_bytes(2) + packet
    index = file.index(b"MPF\0")
    end = index - 2 + int.from_bytes(file[index - 2 : index])
    second = file.index(b"\xff\xd8", end) - index - 4
    entry = second.to_bytes(4, "little") if file[index + 4 : index + 6] == b"II" else b""
    assert file[index:end].count(entry) == 1
    further = (second + len(segment)).to_bytes(4, "little")
    old = file[:index] + file[index:end].replace(entry, further) + segment + file[end:]
    new = with_description(old, CAPTIONS)
    for was, now in zip(frames(file), frames(new), strict=True):
        np.testing.assert_array_equal(was, now)


def test_writing_twice_replaces() -> None:
    for make in KINDS.values():
        once = with_description(make(), CAPTIONS)
        assert with_description(once, CAPTIONS) == once


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
def test_kinds_without_room_are_refused(kind: str) -> None:
    with pytest.raises(NoRoomForMetadata, match="JPEG, PNG and WebP"):
        with_description(saved(cat(), kind), CAPTIONS)


def test_damage_is_told_and_never_written() -> None:
    for make in KINDS.values():
        file = with_description(make(), CAPTIONS)
        for end in (*range(3, 64), *range(64, min(len(file), 6000), 61)):
            try:
                new = with_description(file[:end], CAPTIONS)
            except (DamagedMetadata, NoRoomForMetadata):
                continue
            assert has_description(new)


def test_xmp_with_entities_is_refused() -> None:
    file = with_description(photos.ROCKET.read_bytes(), CAPTIONS)
    bomb = file.replace(b"<x:xmpmeta", b"<!DOCTYPE ", 1)
    with pytest.raises(DamagedMetadata):
        has_description(bomb)
