"""Photos made for a test: nobody has sent these bytes before."""

import io
from itertools import count
from os import getpid
from pathlib import Path

from PIL import Image

from tests import photos

_COUNT = count()


def fresh_photo(source: Path = photos.CAT, size: tuple[int, int] = (224, 224)) -> bytes:
    """A real photo as JPEG with bytes that no cache has seen."""
    image = Image.open(source).convert("RGB").resize(size)
    return encoded(image, "JPEG", comment=f"{getpid()}-{next(_COUNT)}".encode())


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    body = io.BytesIO()
    image.save(body, kind, **options)
    return body.getvalue()
