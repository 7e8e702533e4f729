"""Overlays lie over the photo, light where the word came from; the figure shows all words."""

import base64
import io
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from services.gateway.overlays import LONGEST_SIDE, figure, levels, overlay, overlay_size, png
from tests import photos

SIZE = (96, 64)


def looking_at(row: int, column: int) -> list[list[float]]:
    grid = np.full((8, 8), 0.01)
    grid[row, column] = 1 - 63 * 0.01
    return [list(map(float, line)) for line in grid]


def opacity(row: int, column: int) -> NDArray[np.uint8]:
    return overlay(looking_at(row, column), SIZE)[..., 3]


@pytest.mark.parametrize(("row", "column"), [(0, 0), (7, 7), (2, 5), (6, 1)])
def test_the_veil_is_open_where_the_word_came_from(row: int, column: int) -> None:
    veil = opacity(row, column)
    top, left = np.unravel_index(np.argmin(veil), veil.shape)
    assert abs((top + 0.5) / SIZE[1] * 8 - (row + 0.5)) <= 1
    assert abs((left + 0.5) / SIZE[0] * 8 - (column + 0.5)) <= 1
    assert veil.max() > 150 > 80 > veil.min()


def test_levels_span_their_range() -> None:
    smooth = levels(looking_at(3, 3), SIZE)
    assert smooth.shape == (64, 96)
    assert smooth.max() == pytest.approx(1)
    assert smooth.min() >= 0


def test_a_flat_map_lights_nothing() -> None:
    flat = [[1 / 64] * 8] * 8
    assert not levels(flat, SIZE).any()


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(640, 480, (360, 270)), (300, 900, (120, 360)), (10_000, 10, (360, 24)), (1, 1, (360, 360))],
)
def test_overlays_have_the_shape_of_the_photo(
    width: int, height: int, expected: tuple[int, int]
) -> None:
    assert overlay_size(width, height) == expected


@pytest.mark.parametrize("word", ["dog", "ґанок", "їжак", "найнеймовірнішийвсесвітнійїжачок"])
def test_the_figure_has_its_words_written_out(word: str) -> None:
    size = (150, 100)
    photo = np.full((100, 150, 3), 128, np.uint8)
    cover = overlay(looking_at(3, 3), size)
    blank, written = (figure(photo, [cover], [text]) for text in ("", word))
    rows, columns = np.nonzero((blank != written).any(axis=2))
    assert rows.size > 20
    assert columns.max() < written.shape[1] - 20, "a long word is made to fit"
    # Letters that the font lacks would all be drawn as the same box.
    other = figure(photo, [cover], [word[::-1]])
    assert (other != written).any()


def test_pictures_are_png() -> None:
    picture = Image.open(io.BytesIO(png(overlay(looking_at(1, 1), SIZE))))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", SIZE)


def test_overlays_of_the_api(client: httpx.Client) -> None:
    files = {"image": photos.MOTORCYCLE.read_bytes()}
    answer = client.post("/v1/captions", files=files, params={"heatmap": "overlay"})
    caption: dict[str, Any] = answer.json()
    for word in caption["words"]:
        with pictured(word["overlay"]) as picture:
            assert picture.mode == "RGBA"
            assert max(picture.size) == LONGEST_SIDE
    with pictured(caption["figure"]) as picture:
        assert picture.mode == "RGB"


def pictured(uri: str) -> Image.Image:
    """The picture of a data URI."""
    head, _, body = uri.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(body)))
