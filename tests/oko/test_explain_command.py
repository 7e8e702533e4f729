"""`oko explain`."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import photos
from tests.oko.command import oko


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_a_panel_for_every_word(tmp_path: Path, suffix: str) -> None:
    figure = tmp_path / f"figure.{suffix}"
    done = oko("explain", photos.CAT, figure)
    assert done.returncode == 0, done.stderr
    words = done.stdout.split()
    with Image.open(figure) as image:
        picture = np.asarray(image.convert("RGB")).astype(int)
    with Image.open(photos.CAT) as photo:
        height = round(360 * photo.height / photo.width)
    rows = -(-(1 + len(words)) // 4)
    assert picture.shape[1] > 4 * 360
    assert rows * height < picture.shape[0] < rows * (height + 80)
    first, second = picture[64 : 64 + height, 24:384], picture[64 : 64 + height, 400:760]
    assert np.abs(first - second).mean() > 10, "a panel differs from the photo"


def test_what_cannot_work(tmp_path: Path) -> None:
    for arguments in (
        [tmp_path / "missing.jpg", tmp_path / "figure.png"],
        [photos.CAT, tmp_path / "figure.gif"],
        [photos.CAT, tmp_path / "missing" / "figure.png"],
    ):
        done = oko("explain", *arguments)
        assert done.returncode == 2
        assert done.stderr.startswith("oko: ")
        assert "Traceback" not in done.stderr
