"""Captions of different lengths are trained together; what is behind an end does not count."""

import numpy as np
import tensorflow as tf

from train.caption_model import CaptionModel
from train.photo_batches import padded
from train.text import END, START, UNKNOWN, Vocabulary

WORDS = Vocabulary.from_captions(["a dog runs in the snow", "two men ride"], min_count=1)


def test_shorter_captions_are_filled_up() -> None:
    photo, tokens, targets = padded([(0, [7, 8, 9, END]), (0, [5, END])])
    assert photo.tolist() == [0, 0]
    assert tokens.tolist() == [[START, 7, 8, 9], [START, 5, END, UNKNOWN]]
    assert targets.tolist() == [[7, 8, 9, END], [5, END, UNKNOWN, UNKNOWN]]


def test_filling_does_not_change_the_cross_entropy() -> None:
    model = CaptionModel({"en": WORDS}, dropout=0.0, inputs=32)
    model.feature_dropout.rate = 0.0
    grid = tf.constant(np.random.default_rng(0).random((1, 64, 32), np.float32))
    ids = WORDS.encode("a dog runs")
    _, tokens, targets = padded([(0, ids)])
    longer = np.concatenate([tokens, np.full((1, 4), UNKNOWN, np.int32)], axis=1)
    nothing = np.concatenate([targets, np.full((1, 4), UNKNOWN, np.int32)], axis=1)

    def seen(tokens: np.ndarray, targets: np.ndarray) -> set[float]:
        """A word in ten is read as unknown at random: the values that come up in many runs."""
        losses = (model.loss_of("en", grid, tokens, targets)[1] for _ in range(40))
        return {round(float(loss), 3) for loss in losses}

    assert seen(tokens, targets) & seen(longer, nothing)
