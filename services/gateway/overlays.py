"""Pictures of where each word came from, for people without the page: PNG, drawn with OpenCV."""

import base64
import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from services.common.images import Pixels
from services.gateway.schemas import Attention

LONGEST_SIDE: Final = 360
"""Pixels of an overlay: enough to see an 8×8 grid, small enough for twenty of them in JSON."""

SHORTEST_SIDE: Final = 24
"""Of panoramas and other strips, so that their overlays stay visible."""

_VEIL = np.array((16, 13, 20), np.float32)
_GLOW = np.array((255, 186, 84), np.float32)
_VEIL_ALPHA = 0.8
_GLOW_ALPHA = 0.25

_COLUMNS = 4
_MARGIN = 24
_GAP = 16
_LABEL = 40
_NARROWEST_TILE = 150
_TEXT_SIZE = 22
_PAPER = (250, 247, 241)
_INK = (33, 29, 25)

Levels = NDArray[np.float32]
"""Between 0 (looked at least) and 1 (most), [height, width]."""

Overlay = NDArray[np.uint8]
"""RGBA, not premultiplied, [height, width, 4]."""


def overlay_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) of an overlay: the photo's shape, the longer side `LONGEST_SIDE`."""
    scale = LONGEST_SIDE / max(width, height)
    return (
        max(SHORTEST_SIDE, round(width * scale)),
        max(SHORTEST_SIDE, round(height * scale)),
    )


def overlay(attention: Attention, size: tuple[int, int]) -> Overlay:
    """A dark veil that opens, warm, where the word came from; to be laid over the photo.

    Args:
        attention: 8 rows of 8 over the whole photo.
        size: (width, height) of the picture.
    """
    share = levels(attention, size)[..., None]  # [height, width, 1]
    opened = share * share * (3 - 2 * share)  # smoothstep: calm at both ends
    veil = _VEIL_ALPHA * (1 - opened) ** 1.25
    glow = _GLOW_ALPHA * opened
    alpha = veil + glow - veil * glow
    colour = (_GLOW * glow * (1 - veil) + _VEIL * veil) / alpha
    return np.concatenate((colour, 255 * alpha), axis=2).round().astype(np.uint8)


def levels(attention: Attention, size: tuple[int, int]) -> Levels:
    """The map enlarged smoothly and stretched over its own range; zeros when it is flat."""
    grid = np.asarray(attention, np.float32)  # [8, 8]
    span = float(np.ptp(grid))
    if span < 1e-9:
        return np.zeros(size[::-1], np.float32)
    stretched = (grid - grid.min()) / span
    smooth = cv2.resize(stretched, size, interpolation=cv2.INTER_CUBIC)
    # Each cell is blurred by half its size, which takes away the corners of the cubic.
    blurred = cv2.GaussianBlur(smooth, (0, 0), size[0] / 32, sigmaY=size[1] / 32)
    return np.asarray(np.clip(blurred / max(float(blurred.max()), 1e-9), 0, 1), np.float32)


def laid_over(photo: Pixels, picture: Overlay) -> Pixels:
    alpha = picture[..., 3:].astype(np.float32) / 255
    return np.asarray(photo * (1 - alpha) + picture[..., :3] * alpha, np.uint8)


def figure(photo: Pixels, overlays: list[Overlay], texts: list[str]) -> Pixels:
    """The photo, and once more for every word with its overlay, the word above it, in rows.

    Args:
        photo: uint8 [height, width, 3].
        overlays: One per word, of the photo's size.
        texts: The words, in any alphabet that OpenCV's font has (Latin and Cyrillic among them).
    """
    tiles = [_tile(photo, "")]
    tiles += [
        _tile(laid_over(photo, over), text) for over, text in zip(overlays, texts, strict=True)
    ]
    height, width = tiles[0].shape[:2]
    columns = min(_COLUMNS, len(tiles))
    rows = math.ceil(len(tiles) / columns)
    canvas = np.empty(
        (
            rows * (height + _GAP) - _GAP + 2 * _MARGIN,
            columns * (width + _GAP) - _GAP + 2 * _MARGIN,
            3,
        ),
        np.uint8,
    )
    canvas[:] = _PAPER
    for index, tile in enumerate(tiles):
        top = _MARGIN + index // columns * (height + _GAP)
        left = _MARGIN + index % columns * (width + _GAP)
        canvas[top : top + height, left : left + width] = tile
    return canvas


def data_uri(picture: Pixels | Overlay) -> str:
    return "data:image/png;base64," + base64.b64encode(png(picture)).decode()


def png(picture: Pixels | Overlay) -> bytes:
    """RGB or RGBA as PNG."""
    order = cv2.COLOR_RGBA2BGRA if picture.shape[2] == 4 else cv2.COLOR_RGB2BGR
    done, encoded = cv2.imencode(".png", cv2.cvtColor(picture, order))
    assert done, "OpenCV encodes any uint8 picture"
    return encoded.tobytes()


def _tile(picture: Pixels, text: str) -> Pixels:
    """The picture with room for a word above it; long words are written smaller."""
    height, width = picture.shape[:2]
    tile: Pixels = np.empty((height + _LABEL, max(width, _NARROWEST_TILE), 3), np.uint8)
    tile[:] = _PAPER
    left = (tile.shape[1] - width) // 2
    tile[_LABEL:, left : left + width] = picture
    if text:
        # OpenCV 5 carries fonts; "sans" has Latin and Cyrillic letters.
        font = cv2.FontFace("sans")
        room = tile.shape[1] - 4
        (_, _, needed, _) = cv2.getTextSize((0, 0), text, (0, 0), font, _TEXT_SIZE)
        size = max(9, min(_TEXT_SIZE, _TEXT_SIZE * room // max(1, needed)))
        cv2.putText(tile, text, (2, _LABEL - 14), _INK, font, size)
    return tile
