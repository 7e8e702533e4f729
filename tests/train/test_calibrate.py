"""A calibrated score says what share of a caption's words people would use."""

import numpy as np

from train.calibrate import cross_scored, fit_rule, reliability, shared_words


def test_shared_words_counts_content_only() -> None:
    references = ("A dog runs on the beach.", "Two dogs play.")
    assert shared_words("a dog on a beach", references, frozenset({"a", "on", "the"})) == 1
    assert shared_words("a cat on a beach", references, frozenset({"a", "on", "the"})) == 0.5
    assert shared_words("on the", references, frozenset({"on", "the"})) == 0


def test_promise_holds_on_captions_that_the_fit_has_not_seen() -> None:
    generator = np.random.default_rng(0)
    log_probs = generator.uniform(-3, -0.5, 2000)
    truth = 1 / (1 + np.exp(-(1.5 * log_probs + 2)))
    shares = generator.binomial(6, truth) / 6
    slope, intercept = fit_rule(log_probs, shares)
    assert abs(slope - 1.5) < 0.15
    assert abs(intercept - 2) < 0.25
    for promised, seen in reliability(cross_scored(log_probs, shares), shares):
        assert abs(promised - seen) < 0.06
