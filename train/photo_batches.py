"""What `train.finetune` reads: cached activations of photos, with captions of every language."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from train.batches import encode_captions, teacher_forced
from train.data import Photo, places
from train.features import load_features
from train.read_ahead import read_ahead
from train.targets import CUT
from train.text import Vocabulary

CAPTIONS = 3  # of a photo and language in one step; the others have their turn in other epochs
Captions = tuple[np.ndarray, np.ndarray, np.ndarray]  # photo [m], tokens and targets [m, t]


def padded(captions: list[tuple[int, list[int]]]) -> Captions:
    """(row of the batch, ids with <end>) as arrays."""
    tokens, targets = teacher_forced([ids for _, ids in captions])
    return np.array([photo for photo, _ in captions], np.int32), tokens, targets


class TrainPhotos:
    """Cached activations and captions of the train photos that have any."""

    def __init__(
        self,
        work_dir: Path,
        photos: list[Photo],
        words: dict[str, Vocabulary],
        cached: str,
        augmented: str | None = None,
    ) -> None:
        """Opens the activations and encodes the captions.

        Args:
            work_dir: where they are.
            photos: whole collections as `load_photos` gives them.
            words: by language.
            cached: folder of the photos' activations.
            augmented: folder of those of changed photos (`train.features --augment`), which may
                have the first photos of some collections only.
        """
        self._languages = list(words)
        self._variants: dict[str, list[np.ndarray]] = {}
        for one in dict.fromkeys(photo.collection for photo in photos):
            self._variants[one] = [load_features(work_dir, cached, CUT, one)]
            if augmented and (work_dir / "features" / augmented / one).exists():
                self._variants[one].append(load_features(work_dir, augmented, CUT, one))
        self._places = places(photos)
        self._captions: dict[int, dict[str, list[list[int]]]] = {}
        for language, vocabulary in words.items():
            for row, ids in encode_captions(photos, language, vocabulary):
                self._captions.setdefault(row, {}).setdefault(language, []).append(ids)
        self.rows = np.array(sorted(self._captions))

    def activations(self, rows: np.ndarray) -> np.ndarray:
        """float16 [n, 17, 17, 768] of any photos as they are."""
        return np.stack([self._variants[one][0][row] for one, row in self._at(rows)])

    def changed(self, rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """The same of photos as they are or augmented, half of them mirrored.

        Mirroring an activation is not quite the activation of the mirrored photo, but near enough.
        """
        chosen = []
        for one, row in self._at(rows):
            variants = [array for array in self._variants[one] if row < len(array)]
            chosen.append(variants[generator.integers(len(variants))][row])
        maps = np.stack(chosen)
        flip = generator.random(len(rows)) < 0.5
        maps[flip] = maps[flip, :, ::-1]
        return maps

    def _at(self, rows: np.ndarray) -> list[tuple[str, int]]:
        return [self._places[row] for row in rows]

    def batches(self, size: int, seed: int) -> Iterator[tuple[np.ndarray, dict[str, Captions]]]:
        """One epoch in random order; the next batch is read while this one is used."""
        generator = np.random.default_rng(seed)
        order = generator.permutation(self.rows)
        groups = [order[i : i + size] for i in range(0, len(order), size)]

        def read(rows: np.ndarray) -> tuple[np.ndarray, dict[str, Captions]]:
            maps = self.changed(rows, generator)
            chosen: dict[str, list[tuple[int, list[int]]]] = {one: [] for one in self._languages}
            for number, row in enumerate(rows):
                for language, captions in self._captions[row].items():
                    picked = generator.permutation(len(captions))[:CAPTIONS]
                    chosen[language] += [(number, captions[i]) for i in picked]
            return maps, {one: padded(captions) for one, captions in chosen.items() if captions}

        return read_ahead(read, groups)
