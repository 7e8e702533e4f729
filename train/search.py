"""Beam search over many captions in step, for evaluation and self-critical training.

The same rules as the decoder service's search, which a test holds it to: a completed caption keeps
its place in the beam (Xu et al. 2015), no word twice in a row, no bigram twice, no empty caption,
no end after a word that needs another one; captions compete by their log-probability, divided by
length to a power, until no beam under way, ended now, would be among the `N_BEST` captions of an
answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime as ort

from train.text import END, START

TOP_K = 16
IMPOSSIBLE = -1e4
STEP_INPUTS = ("token", "parent", "h", "c", "features", "keys")
N_BEST = 3
LENGTH_PENALTY = 1.6  # what the decoder service takes unless it is told another

Init = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]
# token, parent, h, c, features, keys → log_prob [n, b, k], id [n, b, k], h, c, attention [n, b, 64]
Step = Callable[..., tuple[np.ndarray, ...]]


@dataclass(frozen=True)
class Engine:
    """A decoder, whoever computes it."""

    init: Init
    step: Step
    no_end: frozenset[int]


@dataclass(frozen=True)
class Beam:
    """A caption under way: its words, their log-probabilities, and where each one looked."""

    ids: tuple[int, ...] = ()
    log_probs: tuple[float, ...] = ()
    attention: tuple[np.ndarray, ...] = ()  # each [64]

    @property
    def total(self) -> float:
        return sum(self.log_probs)

    def rank(self, length_penalty: float) -> float:
        """By which captions compete; with a penalty of 1 the mean log-probability."""
        return self.total / max(1, len(self.log_probs)) ** length_penalty


def onnx_engine(folder: Path, no_end: list[int]) -> Engine:
    """A decoder as it is served; `folder` holds ``init.onnx`` and ``step.onnx``."""
    init, step = (ort.InferenceSession(folder / name) for name in ("init.onnx", "step.onnx"))
    return Engine(
        init=lambda features: tuple(init.run(None, {"features": features})),
        step=lambda *inputs: tuple(step.run(None, dict(zip(STEP_INPUTS, inputs, strict=True)))),
        no_end=frozenset(no_end),
    )


@dataclass
class _Search:
    """The beams of one caption."""

    beam_size: int
    max_words: int
    length_penalty: float
    no_end: frozenset[int]
    live: list[Beam] = field(default_factory=lambda: [Beam()])
    complete: list[Beam] = field(default_factory=list)

    def advance(self, log_prob: np.ndarray, ids: np.ndarray, attention: np.ndarray) -> list[int]:
        """Takes predictions [live, k] and returns which beam each one that lives on continues."""
        candidates = [
            (beam.total + float(log_prob[row, k]), row, k)
            for row, beam in enumerate(self.live)
            for k in range(ids.shape[1])
            if log_prob[row, k] > IMPOSSIBLE and self._allowed(beam.ids, int(ids[row, k]))
        ]
        candidates.sort(key=lambda candidate: -candidate[0])
        grown, parents = [], []
        chosen = candidates[: self.beam_size - len(self.complete)]
        for _, row, k in chosen:
            beam, word = self.live[row], int(ids[row, k])
            log_probs = (*beam.log_probs, float(log_prob[row, k]))
            if word == END:
                self.complete.append(Beam(beam.ids, log_probs, beam.attention))
                continue
            grown.append(Beam((*beam.ids, word), log_probs, (*beam.attention, attention[row])))
            parents.append(row)
        if not chosen:
            self.complete += self.live
        if grown and len(grown[0].ids) >= self.max_words:
            self.complete += grown
            grown, parents = [], []
        if self._settled(grown):
            grown, parents = [], []
        self.live = grown
        return parents

    def _settled(self, live: list[Beam]) -> bool:
        answers = min(N_BEST, self.beam_size)
        if len(self.complete) < answers:
            return False
        threshold = sorted(map(self.rank, self.complete), reverse=True)[answers - 1]
        return all(self.rank(beam) < threshold for beam in live)

    def rank(self, beam: Beam) -> float:
        return beam.rank(self.length_penalty)

    def _allowed(self, ids: tuple[int, ...], word: int) -> bool:
        if not ids:
            return word != END
        if word == END:
            return ids[-1] not in self.no_end
        return word != ids[-1] and (ids[-1], word) not in pairwise(ids)


def search(
    engine: Engine,
    features: np.ndarray,
    beam_size: int = 3,
    max_words: int = 20,
    length_penalty: float = LENGTH_PENALTY,
) -> list[list[Beam]]:
    """Captions of many photos, each best first.

    Args:
        engine: the decoder.
        features: float32 [n, 64, D].
        beam_size: 1 is greedy.
        max_words: longer captions are cut.
        length_penalty: above 1 longer captions are preferred.
    """
    count = len(features)
    searches = [_Search(beam_size, max_words, length_penalty, engine.no_end) for _ in range(count)]
    keys, h, c = engine.init(features)
    parent = np.repeat(np.arange(count)[:, None], beam_size, axis=1)  # [n, b]
    while any(one.live for one in searches):
        token = np.full((count, beam_size), START, np.int64)
        for row, one in enumerate(searches):
            for b, beam in enumerate(one.live):
                token[row, b] = beam.ids[-1] if beam.ids else START
        log_prob, ids, h, c, attention = engine.step(token, parent, h, c, features, keys)
        parent = np.repeat(np.arange(count)[:, None] * beam_size, beam_size, axis=1)
        for row, one in enumerate(searches):
            if one.live:
                live = len(one.live)
                kept = one.advance(log_prob[row, :live], ids[row, :live], attention[row, :live])
                parent[row, : len(kept)] += np.array(kept, np.int64)
    return [sorted(one.complete, key=one.rank, reverse=True) for one in searches]


def describe(
    engine: Engine,
    features: np.ndarray,
    beam_size: int,
    batch_size: int = 100,
    length_penalty: float = LENGTH_PENALTY,
) -> list[Beam]:
    """The best caption of every photo; `features` [n, 64, D] may be float16 or memory-mapped."""
    best = []
    for start in range(0, len(features), batch_size):
        batch = np.asarray(features[start : start + batch_size], np.float32)
        found = search(engine, batch, beam_size, length_penalty=length_penalty)
        best += [beams[0] for beams in found]
    return best
