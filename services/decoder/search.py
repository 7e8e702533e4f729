"""Beam search over one caption. Knows words and probabilities, nothing of models or batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from operator import attrgetter
from typing import NamedTuple

from services.decoder.session import Floats, Ids
from services.decoder.vocabulary import Vocabulary

FEWEST = 3
"""Complete captions that end a search, where the beam has room for them: the best caption must not
depend on how many others were asked for."""
LENGTH_PENALTY = 1.6
"""Chosen on dev photos: the mean word alone (1) makes captions a tenth shorter than people's."""
IMPOSSIBLE = -1e4
"""Log-probabilities at or below this mean that the graph has ruled the word out."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    beam_size: int = 3
    max_words: int = 20
    n_best: int = 3
    length_penalty: float = LENGTH_PENALTY


class Node(NamedTuple):
    """One word of a hypothesis, linked to the word before it.

    A tuple, as `Candidate`: a frozen dataclass takes four times as long to make.
    """

    word: int
    log_probability: float
    attention: Floats  # [64]
    before: "Node | None"
    length: int
    total: float
    """Sum of log-probabilities from the start."""

    def path(self) -> list["Node"]:
        nodes: list[Node] = []
        node: Node | None = self
        while node is not None:
            nodes.append(node)
            node = node.before
        return nodes[::-1]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A complete caption: its words without `<end>`, and the log-probability of every token."""

    nodes: tuple[Node, ...]
    log_probabilities: tuple[float, ...]
    rank: float
    """Length-normalised log-probability by which captions compete."""

    @property
    def words(self) -> tuple[int, ...]:
        return tuple(node.word for node in self.nodes)


class Candidate(NamedTuple):
    """A beam's continuation by one word."""

    total: float
    beam: int
    word: int
    log_probability: float


_total = attrgetter("total")


class BeamSearch:
    """Grows the beams of one caption step by step.

    A completed caption takes its place in the beam with it, as in Xu et al. 2015, so that a beam
    of one is greedy search. Ruled out are words directly repeated, bigrams used before (the
    loops that captioners fall into), an empty caption, and ends after words such as "a".
    """

    def __init__(self, vocabulary: Vocabulary, options: SearchOptions) -> None:
        self._vocabulary = vocabulary
        self._options = options
        self._live: list[Node | None] = [None]  # None: the empty beginning
        self._complete: list[Hypothesis] = []

    @property
    def done(self) -> bool:
        return not self._live

    def tokens(self) -> list[int]:
        """The word each live beam ends with; the next input of the step graph."""
        return [self._vocabulary.start if node is None else node.word for node in self._live]

    def advance(self, log_probability: Floats, word: Ids, attention: Floats) -> list[int]:
        """Takes one step's predictions.

        Args:
            log_probability: [beams, 16] for the live beams in order, largest first.
            word: [beams, 16].
            attention: [beams, 64].

        Returns:
            For each beam that lives on, the index of the beam it continues.
        """
        chosen = self._best(log_probability, word)
        live: list[Node | None] = []
        parents: list[int] = []
        for candidate in chosen:
            node = self._live[candidate.beam]
            if candidate.word == self._vocabulary.end:
                assert node is not None, "an empty caption is never a candidate"
                self._finish(node, candidate.log_probability)
                continue
            # A copy: a view would keep the whole step's array alive.
            grown = Node(
                candidate.word,
                candidate.log_probability,
                attention[candidate.beam].copy(),
                node,
                1 if node is None else node.length + 1,
                candidate.total,
            )
            live.append(grown)
            parents.append(candidate.beam)
        if not chosen:  # every word is ruled out: the beams end as they are
            for node in filter(None, self._live):
                self._finish(node, None)
        self._live = live
        if self._exhausted():
            for node in filter(None, live):
                self._finish(node, None)
            self._live, parents = [], []
        elif self._settled():
            self._live, parents = [], []
        return parents

    def best(self) -> list[Hypothesis]:
        """The complete captions, best first, at most `n_best`."""
        ranked = sorted(self._complete, key=lambda hypothesis: -hypothesis.rank)
        return ranked[: self._options.n_best]

    def agreed(self) -> list[Node]:
        """The first words on which everything that can still win agrees."""
        paths: list[Sequence[Node]] = [node.path() for node in self._live if node is not None]
        if any(node is None for node in self._live):
            return []
        if self._complete:
            paths.append(self.best()[0].nodes)
        if not paths:
            return []
        same: list[Node] = []
        for column in zip(*paths, strict=False):
            if any(node.word != column[0].word for node in column):
                break
            same.append(column[0])
        return same

    def _best(self, log_probability: Floats, word: Ids) -> list[Candidate]:
        """The most probable continuations of all beams, best first.

        Plain lists: the arrays are so small that every NumPy call costs more than its work.
        """
        width = self._options.beam_size - len(self._complete)
        candidates: list[Candidate] = []
        beams = zip(self._live, log_probability.tolist(), word.tolist(), strict=True)
        for beam, (node, probabilities, words) in enumerate(beams):
            total = node.total if node else 0.0
            ruled_out = self._ruled_out(node)
            found = 0
            # The graph gives the most probable first: no beam contributes more than `width`.
            for each, probability in zip(words, probabilities, strict=True):
                if found == width or probability <= IMPOSSIBLE:
                    break
                if each not in ruled_out:
                    candidates.append(Candidate(total + probability, beam, each, probability))
                    found += 1
        candidates.sort(key=_total, reverse=True)
        return candidates[:width]

    def _ruled_out(self, node: Node | None) -> set[int]:
        if node is None:
            return {self._vocabulary.end}
        last = node.word
        words = {last}
        if last in self._vocabulary.no_end:
            words.add(self._vocabulary.end)
        after, before = node, node.before
        while before is not None:
            if before.word == last:
                words.add(after.word)
            after, before = before, before.before
        return words

    def _finish(self, node: Node, end: float | None) -> None:
        """Completes a caption; `end` is the log-probability of `<end>`, None when cut off."""
        nodes = tuple(node.path())
        tokens = (*(each.log_probability for each in nodes), *(() if end is None else (end,)))
        rank = fsum(tokens) / len(tokens) ** self._options.length_penalty
        self._complete.append(Hypothesis(nodes, tokens, rank))

    def _exhausted(self) -> bool:
        lengths = (node.length for node in self._live if node is not None)
        return max(lengths, default=0) >= self._options.max_words

    def _settled(self) -> bool:
        """No live beam, ended now, would be among the captions looked for."""
        wanted = max(self._options.n_best, min(FEWEST, self._options.beam_size))
        if len(self._complete) < wanted:
            return False
        threshold = sorted(hypothesis.rank for hypothesis in self._complete)[-wanted]
        return all(
            node.total / node.length**self._options.length_penalty < threshold
            for node in self._live
            if node is not None
        )
