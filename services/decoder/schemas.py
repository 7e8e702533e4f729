"""The decoder's answers."""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel

from services.common.manifest import DecoderModel
from services.decoder.captions import Caption, Word
from services.decoder.session import Floats

_UNITS = 10_000


class WordAnswer(BaseModel):
    text: str
    probability: float
    attention: list[float]
    """64 values of four decimals, row-major over the 8×8 grid; they sum to 1."""


class CaptionAnswer(BaseModel):
    caption: str
    score: float
    words: list[WordAnswer] | None = None


class CaptionsAnswer(BaseModel):
    """Best first; only the best has its words."""

    language: str
    model: str
    encoder: str
    captions: list[CaptionAnswer]


def word_answers(words: Sequence[Word]) -> list[WordAnswer]:
    if not words:
        return []
    maps = compact(np.stack([word.attention for word in words]))
    return [
        WordAnswer(text=word.text, probability=significant(word.probability), attention=attention)
        for word, attention in zip(words, maps, strict=True)
    ]


def significant(value: float) -> float:
    """Four significant digits: the others are noise, and most of the JSON."""
    return float(f"{value:.4g}")


def compact(attention: Floats) -> list[list[float]]:
    """[words, 64] to four decimals that still sum to 1: the running sum is rounded, not a value."""
    running = np.rint(np.cumsum(attention, axis=1, dtype=np.float64) * _UNITS)
    running[:, 1:] -= running[:, :-1].copy()
    values: list[list[float]] = (running / _UNITS).tolist()
    return values


def captions_answer(model: DecoderModel, captions: Sequence[Caption]) -> CaptionsAnswer:
    return CaptionsAnswer(
        language=model.language,
        model=model.digest,
        encoder=model.encoder,
        captions=[
            CaptionAnswer(
                caption=caption.text,
                score=significant(caption.score),
                words=None if rank else word_answers(caption.words),
            )
            for rank, caption in enumerate(captions)
        ],
    )
