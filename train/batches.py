"""Caption batches bucketed by length: no padding, so no step is wasted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from train.data import Photo
from train.text import START, UNKNOWN, Vocabulary

Captions = dict[str, list[tuple[int, list[int]]]]  # language → (row of the photo, ids with <end>)


@dataclass(frozen=True)
class Batch:
    """Captions of one language and one length."""

    language: str
    photos: np.ndarray  # int [n], rows of the feature array
    tokens: np.ndarray  # int32 [n, t]: <start> w1 … wt-1
    targets: np.ndarray  # int32 [n, t]: w1 … <end>


def encode_captions(
    photos: list[Photo], language: str, vocabulary: Vocabulary
) -> list[tuple[int, list[int]]]:
    """(row of the photo, ids with <end>) for every caption of the train photos."""
    return [
        (row, ids)
        for row, photo in enumerate(photos)
        if photo.split == "train"
        for caption in photo.captions.get(language, ())
        if len(ids := vocabulary.encode(caption)) > 2
    ]


def teacher_forced(captions: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Ids with <end>, of any lengths → tokens and targets, int32 [n, t].

    Shorter captions are filled up with `UNKNOWN`, which does not count as a target.
    """
    targets = np.full((len(captions), max(map(len, captions), default=1)), UNKNOWN, np.int32)
    for row, ids in enumerate(captions):
        targets[row, : len(ids)] = ids
    start = np.full((len(captions), 1), START, np.int32)
    return np.concatenate([start, targets[:, :-1]], axis=1), targets


def epoch(captions: Captions, size: int, seed: int) -> Iterator[Batch]:
    """All captions of all languages once, in batches of equal length, in random order."""
    generator = np.random.default_rng(seed)
    batches = []
    for language, examples in captions.items():
        buckets: dict[int, list[int]] = defaultdict(list)
        for number in generator.permutation(len(examples)):
            buckets[len(examples[number][1])].append(number)
        for numbers in buckets.values():
            chunks = [numbers[i : i + size] for i in range(0, len(numbers), size)]
            batches += [(language, chunk) for chunk in chunks]
    for index in generator.permutation(len(batches)):
        language, chunk = batches[index]
        chosen = [captions[language][number] for number in chunk]
        tokens, targets = teacher_forced([ids for _, ids in chosen])
        yield Batch(language, np.array([row for row, _ in chosen]), tokens, targets)
