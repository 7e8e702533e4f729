"""Captions as words: tokenisation and the vocabulary."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

PAD, START, END, UNKNOWN = 0, 1, 2, 3
SPECIAL_WORDS = ("<pad>", "<start>", "<end>", "<unk>")
MAX_WORDS = 22

_WORD = re.compile(r"[^\W_]+(?:['\-][^\W_]+)*")


@dataclass(frozen=True)
class Language:
    """What training knows of a language beyond its captions: ``languages/<code>.json``."""

    name: str
    no_end: frozenset[str]
    """Words that need another one after them; a caption that stops there was cut off."""


def load_language(code: str) -> Language:
    """A language without a file goes by its code and may end on any word."""
    path = Path(__file__).parent / "languages" / f"{code}.json"
    if not path.exists():
        return Language(code, frozenset())
    document = json.loads(path.read_text())
    return Language(document["name"], frozenset(" ".join(document["no_end"]).split()))


def tokenize(caption: str) -> list[str]:
    """Lower-case words without punctuation; apostrophes and hyphens inside a word stay."""
    return _WORD.findall(caption.lower().replace("’", "'").replace("ʼ", "'").replace("`", "'"))


def repeats_bigram(words: Iterable[str] | Iterable[int]) -> bool:
    """Two neighbouring words, or ids, come again."""
    pairs = list(pairwise(words))
    return len(set(pairs)) < len(pairs)


@dataclass(frozen=True)
class Vocabulary:
    """Words and their ids; the first four are `SPECIAL_WORDS`."""

    words: tuple[str, ...]
    index: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {word: i for i, word in enumerate(self.words)})

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def from_captions(cls, captions: Iterable[str], min_count: int) -> Vocabulary:
        """All words seen at least `min_count` times, the most frequent first."""
        counts = Counter(word for caption in captions for word in tokenize(caption))
        kept = sorted(
            (w for w, n in counts.items() if n >= min_count), key=lambda w: (-counts[w], w)
        )
        return cls((*SPECIAL_WORDS, *kept))

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        return cls(tuple(json.loads(path.read_text())))

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(self.words, ensure_ascii=False))

    def encode(self, caption: str) -> list[int]:
        """Ids of the words, then `END`; unknown words are `UNKNOWN`, long captions are cut."""
        ids = [self.index.get(word, UNKNOWN) for word in tokenize(caption)]
        return [*ids[:MAX_WORDS], END]

    def decode(self, ids: Iterable[int]) -> str:
        """The words up to the first `END`, joined by spaces."""
        words = []
        for i in ids:
            if i == END:
                break
            words.append(self.words[i])
        return " ".join(words)

    def ids(self, words: Iterable[str]) -> list[int]:
        """The ids of those of the words that are in the vocabulary."""
        return sorted(self.index[word] for word in set(words) if word in self.index)
