"""The photos that are captioned: real ones from scikit-image's wheel."""

import io
import itertools
import time
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tests.photos import COFFEE, ROCKET

ORDINARY = ROCKET
"""640×427, 110 kB: what most web pages show."""


def ordinary() -> bytes:
    return ORDINARY.read_bytes()


def twelve_megapixels() -> bytes:
    """4000×3000 JPEG of about 4 MB, as phones take: enlarged, with the noise of a sensor."""
    picture = Image.open(COFFEE).convert("RGB").resize((4000, 3000), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(1).normal(0, 4, (3000, 4000, 1))
    pixels = np.clip(np.asarray(picture, np.float32) + noise, 0, 255).astype(np.uint8)
    body = io.BytesIO()
    Image.fromarray(pixels).save(body, "JPEG", quality=85)
    return body.getvalue()


def unseen(photo: bytes) -> Iterator[bytes]:
    """The same picture in bytes that no cache knows: nobody reads what follows a JPEG's end."""
    counter = itertools.count(time.time_ns())
    while True:
        yield photo + b"%d" % next(counter)
