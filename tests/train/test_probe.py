"""The probe measures what can be read from features."""

import numpy as np
import pytest

from train.probe import average_precision, probe


def test_average_precision_of_a_known_order() -> None:
    scores = np.array([[0.9], [0.8], [0.7]])
    labels = np.array([[True], [False], [True]])
    assert average_precision(scores, labels) == pytest.approx((1 + 2 / 3) / 2)


def test_features_that_hold_the_words_score_high_and_noise_does_not() -> None:
    generator = np.random.default_rng(0)
    labels = generator.random((300, 12)) < 0.2
    telling = labels @ generator.normal(size=(12, 40)) + 0.1 * generator.normal(size=(300, 40))
    noise = generator.normal(size=(300, 40))
    assert probe(telling[:200], labels[:200], telling[200:], labels[200:]) > 0.9
    assert probe(noise[:200], labels[:200], noise[200:], labels[200:]) < 0.5
