"""Augmented photos look different and still like the photo; activations of some photos suffice."""

from pathlib import Path

import numpy as np
from PIL import Image

from train.augment import load_augmented
from train.data import Photo, load_pixels
from train.features import FeatureStore, from_array
from train.photo_batches import TrainPhotos
from train.text import Vocabulary


def gradient(path: Path) -> Path:
    """Dark at the left, red at the top."""
    across, down = np.meshgrid(np.linspace(0, 255, 200), np.linspace(255, 0, 150))
    pixels = np.stack([down, across, across], axis=-1).astype(np.uint8)
    Image.fromarray(pixels).save(path, quality=95)
    return path


def test_another_photo_for_every_seed_and_the_same_for_one(tmp_path: Path) -> None:
    path = gradient(tmp_path / "photo.jpg")
    plain = load_pixels(path).astype(float)
    changed = [load_augmented(path, seed) for seed in range(12)]
    assert all(one.shape == (299, 299, 3) and one.dtype == np.uint8 for one in changed)
    assert np.array_equal(changed[3], load_augmented(path, 3))
    distances = [np.abs(one - plain).mean() for one in changed]
    assert len(set(distances)) == len(distances)
    assert min(distances) > 1
    assert max(distances) < 70
    for one in changed:  # what is where stays where it is
        assert one[:, :30].mean() < one[:, -30:].mean()
        assert one[:30, :, 0].mean() > one[-30:, :, 0].mean()


def test_photos_without_an_augmented_activation_are_taken_as_they_are(tmp_path: Path) -> None:
    photos = [Photo(Path(f"{i}.jpg"), "some", "train", {"en": ("a red dog",)}) for i in range(4)]
    for name, value, done in (("plain", 1.0, 4), ("changed", 2.0, 2)):
        store = FeatureStore(tmp_path / "features" / name / "some", {"mixed4": (3, 3, 2)}, 4)
        store.append([np.full((done, 3, 3, 2), value, np.float16)])
    words = {"en": Vocabulary.from_captions(["a red dog"], 1)}
    data = TrainPhotos(tmp_path, photos, words, "plain", "changed")
    seen = [
        {float(row.mean()) for row in column}
        for column in zip(
            *(data.changed(data.rows, np.random.default_rng(i)) for i in range(40)), strict=True
        )
    ]
    assert seen == [{1.0, 2.0}, {1.0, 2.0}, {1.0}, {1.0}]
    assert np.all(data.activations(data.rows) == 1.0)


def test_mirrored_activations_are_read_from_right_to_left() -> None:
    array = np.arange(5 * 2 * 3, dtype=np.float16).reshape(5, 2, 3, 1)
    plain = np.concatenate(list(from_array(array, batch_size=2)(1)))
    mirrored = np.concatenate(list(from_array(array, mirrored=True, batch_size=2)(1)))
    assert np.array_equal(plain, array[1:])
    assert np.array_equal(mirrored, array[1:, :, ::-1])
