"""The attention figure: the photo once per word, light where the word came from."""

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from oko.files import replace_file
from oko.outputs.output import UnusableOutput
from services.common.accepted_images import ImageLimits
from services.common.images import Pixels, decode_to_size, read_header
from services.decoder.captions import Word
from services.encoder.settings import EncoderSettings
from services.gateway.overlays import figure, overlay, overlay_size

KINDS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def check_kind(target: Path) -> None:
    """Raises `UnusableOutput` for a name that says no kind of picture we write."""
    if target.suffix.lower() not in KINDS:
        raise UnusableOutput(f"{target}: the name must end in {', '.join(KINDS)}.")


def drawn(image: bytes, words: Sequence[Word], grid: tuple[int, int]) -> Pixels:
    """The photo, and a panel for each word.

    Args:
        image: The file's bytes.
        words: Each with its attention, float32 [rows · columns].
        grid: (rows, columns) of the attention.

    Returns:
        uint8 [height, width, 3].

    Raises:
        OkoError: The image is not valid.
    """
    settings = EncoderSettings()
    limits = ImageLimits(settings.max_pixels, settings.max_decode_bytes)
    header = read_header(image, limits)
    size = overlay_size(header.width, header.height)
    overlays = [overlay(word.attention.reshape(grid).tolist(), size) for word in words]
    photo = decode_to_size(image, size, limits)
    return figure(photo, overlays, [word.text for word in words])


def save(picture: Pixels, target: Path) -> None:
    """Writes the picture in the kind that its name says, whole or not at all.

    Raises:
        UnusableOutput: It cannot be written there.
    """
    body = io.BytesIO()
    Image.fromarray(picture).save(body, KINDS[target.suffix.lower()], quality=90)
    try:
        replace_file(target, body.getvalue())
    except OSError as error:
        raise UnusableOutput(f"{target} cannot be written: {error.strerror}.") from error
