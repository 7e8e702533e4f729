"""Pictures of where each word came from: attention over the photo, as PNG."""

import asyncio
import base64
import math
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from services.common.budget import ByteBudget
from services.common.deadline import Deadline
from services.common.images import ImageLimits, Pixels, decode_to_size, read_header
from services.gateway.schemas import Attention, Caption

LONGEST_SIDE = 360
"""Pixels of an overlay: enough to see an 8×8 grid, small enough for twenty of them in JSON."""

_STRENGTH = 0.55
_COLUMNS = 4
_LABEL = 34
_GAP = 8


class Heatmaps:
    """Draws in a thread, within a memory budget."""

    def __init__(self, limits: ImageLimits, threads: int = 1) -> None:
        self._limits = limits
        self._memory = ByteBudget(limits.max_decode_bytes)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="heatmaps")

    def close(self) -> None:
        self._threads.shutdown(wait=True)

    async def drawn(self, caption: Caption, image: bytes, deadline: Deadline) -> Caption:
        """The caption with `overlay` on every word and a `figure` of all of them.

        Raises:
            DeadlinePassed: No time left.
        """
        loop = asyncio.get_running_loop()
        header = await loop.run_in_executor(self._threads, read_header, image, self._limits)
        async with self._memory.hold(header.decode_bytes):
            deadline.check()
            return await loop.run_in_executor(self._threads, self._draw, caption, image)

    def _draw(self, caption: Caption, image: bytes) -> Caption:
        scale = LONGEST_SIDE / max(caption.image.width, caption.image.height)
        size = (
            max(1, round(caption.image.width * scale)),
            max(1, round(caption.image.height * scale)),
        )
        photo = decode_to_size(image, size, self._limits)
        overlays = [overlay(photo, word.attention or []) for word in caption.words]
        words = [
            word.model_copy(update={"overlay": data_uri(picture)})
            for word, picture in zip(caption.words, overlays, strict=True)
        ]
        texts = [word.text for word in caption.words]
        return caption.model_copy(
            update={"words": words, "figure": data_uri(figure(photo, overlays, texts))}
        )


def overlay(photo: Pixels, attention: Attention) -> Pixels:
    """The photo with warm colours where the word came from.

    Args:
        photo: RGB uint8 [height, width, 3].
        attention: 8 rows of 8 over the whole photo.
    """
    height, width = photo.shape[:2]
    grid = np.asarray(attention, np.float32)  # [8, 8]
    smooth = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    smooth = np.clip(smooth / max(float(grid.max()), 1e-9), 0, 1)  # [height, width]
    levels = (smooth * 255).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    weight = (_STRENGTH * smooth + 0.25 * (1 - smooth))[..., None]  # darkens what was not looked at
    return np.asarray(photo * (1 - weight) + colours * weight, np.uint8)


def figure(photo: Pixels, overlays: list[Pixels], texts: list[str]) -> Pixels:
    """The photo and every overlay with its word above it, in rows, on white."""
    tiles = [_labelled(photo, ""), *map(_labelled, overlays, texts)]
    height, width = tiles[0].shape[:2]
    columns = min(_COLUMNS, len(tiles))
    rows = math.ceil(len(tiles) / columns)
    canvas = np.full(
        (rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, 3), 255, np.uint8
    )
    for index, tile in enumerate(tiles):
        top = _GAP + index // columns * (height + _GAP)
        left = _GAP + index % columns * (width + _GAP)
        canvas[top : top + height, left : left + width] = tile
    return canvas


def data_uri(picture: Pixels) -> str:
    return "data:image/png;base64," + base64.b64encode(png(picture)).decode()


def png(picture: Pixels) -> bytes:
    done, encoded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert done, "OpenCV encodes any uint8 picture"
    return encoded.tobytes()


def _labelled(picture: Pixels, text: str) -> Pixels:
    height, width = picture.shape[:2]
    tile: NDArray[np.uint8] = np.full((height + _LABEL, max(width, 120), 3), 255, np.uint8)
    tile[_LABEL:, :width] = picture
    if text:
        # OpenCV 5 carries a font with Latin and Cyrillic letters.
        cv2.putText(tile, text, (2, _LABEL - 11), (20, 20, 20), cv2.FontFace("sans"), 20)
    return tile
