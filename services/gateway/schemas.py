"""The public API's parameters and answers."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Heatmap = Literal["none", "grid", "overlay"]
Attention = list[list[float]]


class CaptionParameters(BaseModel):
    """As query parameters, or as fields of the form next to the image."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str = Field(
        "en", min_length=1, max_length=16, description="A language of /v1/languages."
    )
    beam_size: int = Field(3, ge=1, le=10, description="Captions kept under consideration.")
    n_best: int = Field(
        3, ge=1, le=10, description="Captions answered; no more come than beam_size."
    )
    max_words: int = Field(20, ge=1, le=40, description="Longest caption, in words.")
    heatmap: Heatmap = Field(
        "grid",
        description="`grid`: where each word came from as 8×8 numbers; `overlay`: also as PNG "
        "pictures; `none`: not at all.",
    )


class Word(BaseModel):
    text: str
    probability: float = Field(gt=0, le=1)
    attention: Attention | None = Field(
        None,
        description="8 rows of 8 numbers of four decimals that sum to 1, over the image as shown.",
    )
    overlay: str | None = Field(
        None,
        description="Transparent PNG as a data URI, to be stretched over the photo; with "
        "heatmap=overlay.",
    )


class Alternative(BaseModel):
    caption: str
    score: float


class Image(BaseModel):
    """Size as shown, after EXIF orientation."""

    width: int
    height: int
    digest: str
    kind: str


class Models(BaseModel):
    encoder: str
    decoder: str


class Timings(BaseModel):
    encoder: float
    decoder: float
    total: float


class Caption(BaseModel):
    caption: str
    language: str
    score: float = Field(ge=0, le=1)
    words: list[Word]
    alternatives: list[Alternative]
    image: Image
    models: Models
    cache: Literal["hit", "miss", "bypass"]
    timings_ms: Timings
    status: Literal["ok", "degraded"]
    request_id: str
    figure: str | None = Field(
        None, description="All words' overlays in one PNG as a data URI, with heatmap=overlay."
    )


class Problem(BaseModel):
    """RFC 9457."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str


class Captions(BaseModel):
    """Several images: in the order sent; an image that failed has its problem instead."""

    captions: list[Caption | Problem]


class Language(BaseModel):
    code: str
    name: str


class Languages(BaseModel):
    languages: list[Language]


class ModelsDocument(BaseModel):
    encoder: dict[str, Any]
    decoders: dict[str, dict[str, Any]]
