"""Beam search over made-up probabilities, without a model."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from services.decoder.search import BeamSearch, Hypothesis, SearchOptions
from services.decoder.vocabulary import Vocabulary

START, END, A, DOG, RUNS, FAST = range(6)
WORDS = ("<start>", "<end>", "a", "dog", "runs", "fast")

Predict = Callable[[int], dict[int, float]]


def vocabulary(no_end: frozenset[int] = frozenset()) -> Vocabulary:
    return Vocabulary(WORDS, START, END, no_end, None)


def search(
    predict: Predict, options: SearchOptions, words: Vocabulary | None = None
) -> list[Hypothesis]:
    """Runs a search in which the probabilities depend on the last word only."""
    beams = BeamSearch(words or vocabulary(), options)
    while not beams.done:
        rows = [
            sorted(predict(token).items(), key=lambda item: -item[1]) for token in beams.tokens()
        ]
        probability = np.array([[p for _, p in row] for row in rows], np.float32)
        with np.errstate(divide="ignore"):
            log_probability = np.log(probability)
        word = np.array([[w for w, _ in row] for row in rows], np.int64)
        beams.advance(log_probability, word, np.full((len(rows), 64), 1 / 64, np.float32))
    return beams.best()


def chain(token: int) -> dict[int, float]:
    after = {START: A, A: DOG, DOG: RUNS, RUNS: END}
    return {word: 0.9 if word == after.get(token, END) else 0.02 for word in range(1, 6)}


def test_follows_the_likely_words() -> None:
    best, *_ = search(chain, SearchOptions(beam_size=3))
    assert best.words == (A, DOG, RUNS)
    assert best.log_probabilities == pytest.approx([np.log(0.9)] * 4, rel=1e-5)


def test_beam_of_one_equals_greedy() -> None:
    random = np.random.default_rng(7)
    for _ in range(50):
        table = random.dirichlet(np.full(5, 0.4), size=6)
        greedy, token = [], START
        for _ in range(8):
            banned = {token} | {after for b, after in itertools.pairwise(greedy) if b == token}
            banned |= set() if greedy else {END}
            ranked = [w for w in 1 + np.argsort(-table[token], kind="stable") if w not in banned]
            token = int(ranked[0])
            if token == END:
                break
            greedy.append(token)
        (best,) = search(
            lambda token, table=table: dict(enumerate(table[token], start=1)),  # type: ignore[misc]
            SearchOptions(beam_size=1, n_best=1, max_words=8),
        )
        assert best.words == tuple(greedy)


def test_wider_beam_finds_the_better_caption() -> None:
    """Greedy takes 0.6 and is then punished; the second word leads to certainty."""
    table = {
        START: {A: 0.6, DOG: 0.4},
        A: {RUNS: 0.3, FAST: 0.3, END: 0.2},
        DOG: {RUNS: 1.0},
        RUNS: {END: 1.0},
        FAST: {END: 1.0},
    }

    def predict(token: int) -> dict[int, float]:
        return {word: table[token].get(word, 0.0) for word in range(1, 6)}

    (greedy,) = search(predict, SearchOptions(beam_size=1, n_best=1))
    best, *_ = search(predict, SearchOptions(beam_size=3))
    assert greedy.words[0] == A
    assert best.words == (DOG, RUNS)


def test_the_best_caption_is_the_same_however_many_are_asked_for() -> None:
    random = np.random.default_rng(3)
    for _ in range(100):
        table = random.dirichlet(np.full(5, 0.7), size=6)
        found = [
            search(
                lambda token, table=table: dict(enumerate(table[token], start=1)),  # type: ignore[misc]
                SearchOptions(beam_size=3, n_best=n_best, max_words=8),
            )
            for n_best in (1, 2, 3)
        ]
        assert len({captions[0].words for captions in found}) == 1
        assert list(map(len, found)) == [1, 2, 3]


def test_never_ends_after_a_word_that_cannot_be_last() -> None:
    def predict(token: int) -> dict[int, float]:
        return {END: 0.9, A: 0.06, DOG: 0.04} if token != DOG else {END: 0.9, A: 0.06, RUNS: 0.04}

    best, *_ = search(predict, SearchOptions(beam_size=1, n_best=1), vocabulary(frozenset({A})))
    assert best.words[-1] != A


def test_may_end_anywhere_at_max_words() -> None:
    def predict(token: int) -> dict[int, float]:
        return {A: 0.9, END: 0.1}

    best, *_ = search(
        predict, SearchOptions(beam_size=1, n_best=1, max_words=1), vocabulary(frozenset({A}))
    )
    assert best.words == (A,)


def test_no_empty_caption() -> None:
    best, *_ = search(lambda token: {END: 0.99, DOG: 0.01}, SearchOptions(beam_size=2, n_best=1))
    assert best.words == (DOG,)


def test_words_ruled_out_by_the_graph_are_never_taken() -> None:
    def predict(token: int) -> dict[int, float]:
        return {DOG: 1.0, A: 0.0} if token == START else {END: 0.5, RUNS: 0.5, A: 0.0}

    for hypothesis in search(predict, SearchOptions(beam_size=4, n_best=4, max_words=6)):
        assert A not in hypothesis.words


def test_agreed_words_are_never_taken_back() -> None:
    random = np.random.default_rng(3)
    for _ in range(30):
        table = random.dirichlet(np.full(5, 0.3), size=6)
        beams = BeamSearch(vocabulary(), SearchOptions(beam_size=3, max_words=8))
        agreed: list[int] = []
        while not beams.done:
            rows = table[beams.tokens()]
            order = np.argsort(-rows, axis=1)
            probability = np.take_along_axis(rows, order, 1).astype(np.float32)
            attention = np.full((len(rows), 64), 1 / 64, np.float32)
            beams.advance(np.log(probability), order + 1, attention)
            now = [node.word for node in beams.agreed()]
            assert now[: len(agreed)] == agreed
            agreed = now
        assert tuple(agreed) == beams.best()[0].words
