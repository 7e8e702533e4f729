"""What the student of `train.distill` sees and is to give: cached activations, targets, words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from train.data import Photo
from train.features import load_features
from train.probe import frequent_words, word_labels
from train.read_ahead import read_ahead

CUT = "mixed4"
LAYERS = {"inception": ("mixed8",), "lite2": ("features", "logits")}  # of the teachers
WORDS = 600  # frequent caption words that are to be read from the pooled features


@dataclass(frozen=True)
class Example:
    """Where one train photo's cached activation and targets stand."""

    collection: str
    feature_row: int
    target_row: int


class CachedTargets:
    """Cached ``mixed4`` activations and teacher targets of all train photos."""

    def __init__(
        self, work_dir: Path, photos: list[Photo], features: str, teachers: Iterable[str]
    ) -> None:
        """Opens the folder `features` of activations and the targets of the teachers in `LAYERS`.

        Raises:
            FileNotFoundError: `train.teachers` has not made them.
        """
        self.layers = [layer for teacher in teachers for layer in LAYERS[teacher]]
        self.examples: list[Example] = []
        train = [photo for photo in photos if photo.split == "train"]
        self._words = word_labels(train, frequent_words(train, WORDS))
        self._captioned = np.array([bool(photo.captions.get("en")) for photo in train])
        self._inputs, self._targets = {}, {}
        for collection in dict.fromkeys(photo.collection for photo in photos):
            splits = [p.split for p in photos if p.collection == collection]
            rows = [row for row, split in enumerate(splits) if split == "train"]
            self.examples += [Example(collection, row, i) for i, row in enumerate(rows)]
            self._inputs[collection] = load_features(work_dir, features, CUT, collection)
            self._targets[collection] = [
                np.load(work_dir / "targets" / teacher / collection / f"{layer}.npy", mmap_mode="r")
                for teacher in teachers
                for layer in LAYERS[teacher]
            ]

    def batch(self, chosen: np.ndarray, mirrored: np.ndarray) -> dict[str, np.ndarray]:
        """``mixed4``, the teachers' `layers`, ``words`` and ``captioned`` of the examples.

        Activations and targets are float16; words [n, WORDS] and captioned [n] are bool: photos
        without captions teach no words. Mirroring an activation is not quite the activation of the
        mirrored photo, but near enough to teach the blocks above.
        """
        columns: dict[str, list[np.ndarray]] = {name: [] for name in (CUT, *self.layers)}
        for number, flip in zip(chosen, mirrored, strict=True):
            example = self.examples[number]
            maps = [self._inputs[example.collection][example.feature_row]]
            maps += [target[example.target_row] for target in self._targets[example.collection]]
            for column, values in zip(columns.values(), maps, strict=True):
                column.append(values[:, ::-1] if flip and values.ndim == 3 else values)
        stacked = {name: np.stack(column) for name, column in columns.items()}
        return stacked | {"words": self._words[chosen], "captioned": self._captioned[chosen]}


def batches(data: CachedTargets, batch_size: int, seed: int) -> Iterator[dict[str, np.ndarray]]:
    """One epoch in random order; the next batch is read while this one is used."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(data.examples))
    groups = [order[i : i + batch_size] for i in range(0, len(order) - batch_size + 1, batch_size)]
    flips = [generator.random(batch_size) < 0.5 for _ in groups]
    return read_ahead(lambda job: data.batch(*job), list(zip(groups, flips, strict=True)))
