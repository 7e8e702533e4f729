"""The reward of self-critical training prefers what people would write of this photo."""

import numpy as np

from train.reward import CiderReward
from train.scst import advantages, is_spoilt, until_end
from train.text import END, Vocabulary

REFERENCES = (
    ("a black dog runs in the snow", "the dog is running through snow"),
    ("two men ride a red bus", "men on a bus"),
    ("a cat sleeps on a chair", "the cat is asleep"),
)


def vocabulary() -> Vocabulary:
    return Vocabulary.from_captions((t for texts in REFERENCES for t in texts), min_count=1)


def reward(words: Vocabulary) -> CiderReward:
    return CiderReward([[words.encode(text) for text in texts] for texts in REFERENCES])


def test_own_photo_pays_more_than_another() -> None:
    words = vocabulary()
    scores = reward(words).batch([0, 1, 2], [words.encode("a black dog runs in snow")] * 3)
    assert scores[0] > 3 * max(scores[1:])


def test_a_caption_cut_in_mid_phrase_pays_less() -> None:
    words = vocabulary()
    whole = words.encode("two men ride a red bus")
    cut = [*words.encode("two men ride a")]
    scored = reward(words)
    assert scored.score(1, whole) > scored.score(1, cut)


def test_bad_endings_and_repeats_are_spoilt() -> None:
    words = vocabulary()
    no_end = frozenset(words.ids({"a", "on", "the"}))
    assert not is_spoilt(words.encode("a cat sleeps"), no_end)
    assert is_spoilt(words.encode("a cat sleeps on a"), no_end)
    assert is_spoilt(words.encode("the cat the cat sleeps"), no_end)
    assert is_spoilt(words.encode("a cat sleeps")[:-1], no_end), "it never ended"
    assert is_spoilt([END], no_end)


def test_samples_compete_with_the_others_of_their_photo() -> None:
    gains = advantages(np.array([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]]))
    np.testing.assert_allclose(gains, [[-1.5, 0, 1.5], [0, 0, 0]])


def test_words_after_the_end_are_dropped() -> None:
    assert until_end(np.array([7, 8, END, END])) == [7, 8, END]
    assert until_end(np.array([7, 8])) == [7, 8]
