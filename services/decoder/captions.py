"""Captions as values, and how a finished search becomes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

from services.decoder.search import Hypothesis, Node
from services.decoder.session import Floats
from services.decoder.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    probability: float
    attention: Floats  # [64], sums to 1


@dataclass(frozen=True, slots=True)
class Caption:
    words: tuple[Word, ...]
    score: float

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def to_word(node: Node, vocabulary: Vocabulary) -> Word:
    return Word(vocabulary.words[node.word], _probability(node), node.attention)


def to_captions(hypotheses: Sequence[Hypothesis], vocabulary: Vocabulary) -> list[Caption]:
    """Best first, by the search's rank; the score says how likely the caption is right."""
    return [
        Caption(
            tuple(to_word(node, vocabulary) for node in hypothesis.nodes),
            vocabulary.score(hypothesis.log_probabilities),
        )
        for hypothesis in hypotheses
    ]


def _probability(node: Node) -> float:
    return min(1.0, exp(node.log_probability))
