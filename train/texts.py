"""Captions without photos: they teach words and grammar where captions of photos are few."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from train.batches import Captions
from train.embeddings import read_lines
from train.text import MAX_WORDS, UNKNOWN, Vocabulary


class Texts:
    """Captions without photos, by language."""

    def __init__(self, sources: list[tuple[str, Path]], words: dict[str, Vocabulary]) -> None:
        """Reads those of the sentences whose words are known."""
        self._texts: dict[str, list[list[int]]] = {}
        for language, path in sources:
            encoded = map(words[language].encode, read_lines(path, language))
            known = [ids for ids in encoded if 2 < len(ids) <= MAX_WORDS and UNKNOWN not in ids]
            self._texts.setdefault(language, []).extend(known)
            print(f"{language}: {len(known)} captions without photos from {path.name}")

    def mixed_in(self, captions: Captions, row: int, seed: int) -> Captions:
        """The captions and, with photo `row`, at most as many texts, drawn anew for every seed."""
        generator = np.random.default_rng(seed)
        mixed = dict(captions)
        for language, texts in self._texts.items():
            chosen = generator.permutation(len(texts))[: len(captions[language])]
            mixed[language] = captions[language] + [(row, texts[i]) for i in chosen]
        return mixed
