"""The decoder's answers."""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel

from services.common.manifest import DecoderModel
from services.decoder.captions import Caption, Word


class WordAnswer(BaseModel):
    text: str
    probability: float
    attention: list[float]
    """64 values, row-major over the 8×8 grid; they sum to 1."""


class CaptionAnswer(BaseModel):
    caption: str
    score: float
    words: list[WordAnswer]


class CaptionsAnswer(BaseModel):
    language: str
    model: str
    encoder: str
    captions: list[CaptionAnswer]


def word_answer(word: Word) -> WordAnswer:
    return WordAnswer(
        text=word.text,
        probability=word.probability,
        attention=np.round(word.attention.astype(np.float64), 5).tolist(),
    )


def captions_answer(model: DecoderModel, captions: Sequence[Caption]) -> CaptionsAnswer:
    return CaptionsAnswer(
        language=model.language,
        model=model.digest,
        encoder=model.encoder,
        captions=[
            CaptionAnswer(
                caption=caption.text,
                score=caption.score,
                words=[word_answer(word) for word in caption.words],
            )
            for caption in captions
        ],
    )
