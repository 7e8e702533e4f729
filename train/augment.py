"""Photos as other people might have sent them: cut, coloured, blurred, sharpened, compressed again.

Training photos are small and some are squashed, those of users are large and sharp; what the
encoder says should not depend on that.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from train.data import IMAGE_SIZE

LEAST_SIDE = 0.8  # of the width and of the height that a cut leaves
COLOUR = 0.3  # brightness, contrast and saturation change by up to so much
BLURRED = 0.3  # of the photos; the others are sharpened
RADIUS = 1.2  # pixels, at most
SHARPENING = 150  # per cent, at most
QUALITY = (40, 95)  # of the JPEG


def load_augmented(path: Path, seed: int) -> np.ndarray:
    """uint8 [299, 299, 3]: the photo, changed at random; always in the same way for a seed."""
    generator = np.random.default_rng(seed)
    with Image.open(path) as photo:
        image = _cut(photo.convert("RGB"), generator)
    image = image.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BILINEAR, reducing_gap=3.0)
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = enhance(image).enhance(generator.uniform(1 - COLOUR, 1 + COLOUR))
    radius = generator.uniform(0, RADIUS)
    if generator.random() < BLURRED:
        image = image.filter(ImageFilter.GaussianBlur(radius))
    else:
        sharpening = int(generator.integers(SHARPENING))
        image = image.filter(ImageFilter.UnsharpMask(radius, sharpening))
    body = io.BytesIO()
    image.save(body, "JPEG", quality=int(generator.integers(*QUALITY)))
    return np.asarray(Image.open(body))


def _cut(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    width, height = (round(side * generator.uniform(LEAST_SIDE, 1)) for side in image.size)
    width, height = max(1, width), max(1, height)
    left = int(generator.integers(image.width - width + 1))
    top = int(generator.integers(image.height - height + 1))
    return image.crop((left, top, left + width, top + height))
