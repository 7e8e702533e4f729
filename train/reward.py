"""CIDEr-D as a reward: one caption against the references of its photo, fast enough to train on.

Vedantam et al. 2015 (arXiv 1411.5726), with the document frequencies of the train photos. The end
counts as a word, so that a caption which stops in mid-phrase loses n-grams (as in Luo 2020,
arXiv 2003.09971).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

ORDERS = (1, 2, 3, 4)
SIGMA = 6.0  # of the length penalty
NGram = tuple[int, ...]
Vectors = list[dict[NGram, float]]  # one per order


def count_ngrams(ids: Sequence[int]) -> Counter[NGram]:
    """All n-grams of up to four ids."""
    return Counter(
        tuple(ids[i : i + order]) for order in ORDERS for i in range(len(ids) - order + 1)
    )


class CiderReward:
    """Rewards for captions of known photos, all as ids that end with ``<end>``."""

    def __init__(self, references: Sequence[Sequence[Sequence[int]]]) -> None:
        """`references`: for every photo its captions' ids."""
        frequencies: Counter[NGram] = Counter()
        for captions in references:
            frequencies.update({ngram for ids in captions for ngram in count_ngrams(ids)})
        self._log_photos = math.log(max(2, len(references)))
        self._weights = {
            ngram: self._log_photos - math.log(count) for ngram, count in frequencies.items()
        }
        self._references = [[self._vectors(ids) for ids in captions] for captions in references]

    def _vectors(self, ids: Sequence[int]) -> tuple[Vectors, list[float], int]:
        vectors: Vectors = [{} for _ in ORDERS]
        for ngram, count in count_ngrams(ids).items():
            weight = self._weights.get(ngram, self._log_photos)
            vectors[len(ngram) - 1][ngram] = count * weight
        norms = [math.sqrt(sum(value**2 for value in vector.values())) for vector in vectors]
        return vectors, norms, len(ids)

    def score(self, photo: int, ids: Sequence[int]) -> float:
        """CIDEr-D of one caption, 0 to 10."""
        vectors, norms, length = self._vectors(ids)
        total = 0.0
        for theirs, their_norms, their_length in self._references[photo]:
            penalty = math.exp(-((length - their_length) ** 2) / (2 * SIGMA**2))
            for ours, other, norm, their_norm in zip(
                vectors, theirs, norms, their_norms, strict=True
            ):
                if norm and their_norm:
                    shared = sum(min(v, other[k]) * other[k] for k, v in ours.items() if k in other)
                    total += penalty * shared / (norm * their_norm)
        return 10 * total / (len(ORDERS) * len(self._references[photo]))

    def batch(self, photos: Iterable[int], captions: Iterable[Sequence[int]]) -> np.ndarray:
        """float32 [captions]: the score of each caption for its photo."""
        pairs = zip(photos, captions, strict=True)
        return np.array([self.score(photo, ids) for photo, ids in pairs], np.float32)
