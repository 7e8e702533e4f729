"""Any number of photos: scikit-image's, and made ones in other sizes, cuts and kinds."""

from collections.abc import Iterator
from itertools import count, cycle
from pathlib import Path

from PIL import Image

from tests import photos

SIDES = (320, 480, 640, 800, 1024)
"""Longer sides of the made ones."""


def make(folder: Path, number: int) -> None:
    """Fills a folder: a quarter of the files are scikit-image's own, repeated under other names;
    the others are JPEGs made from them, every one different, and some WebP and PNG."""
    folder.mkdir(parents=True)
    originals = cycle(_photos())
    made = _made()
    for index in range(number):
        if index % 4 == 0:
            original = next(originals)
            (folder / f"{index:05}-{original.name}").write_bytes(original.read_bytes())
        else:
            image, kind = next(made)
            image.save(folder / f"{index:05}.{kind}", quality=85)


def _photos() -> list[Path]:
    found = (path for path in photos.FOLDER.iterdir() if path.suffix in (".jpg", ".png"))
    return sorted(path for path in found if path.stat().st_size < 2**20)


def _made() -> Iterator[tuple[Image.Image, str]]:
    sources = []
    for path in photos.ALL:
        with Image.open(path) as image:
            sources.append(image.convert("RGB"))
    for index, side in zip(count(), cycle(SIDES)):
        source = sources[index % len(sources)]
        offset = index * 7 % (min(source.size) // 4)
        cut = source.crop((offset, offset, source.width - offset // 2, source.height))
        scale = side / max(cut.size)
        image = cut.resize((round(cut.width * scale), round(cut.height * scale)))
        yield image, "webp" if index % 20 == 7 else "png" if index % 20 == 13 else "jpg"
