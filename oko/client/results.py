"""What the service answers, as types. Caption and its parts are the service's own."""

from typing import Literal

from pydantic import BaseModel

from services.gateway.schemas import Attention, Caption, Image, Language, Word

__all__ = ["Caption", "Health", "Image", "ImageFound", "Language", "StreamedWord", "Word"]


class Health(BaseModel):
    """`degraded` still answers requests, with something missing; `down` does not."""

    status: Literal["ok", "degraded", "down"]
    parts: dict[str, Literal["ok", "degraded", "down"]]


class ImageFound(Image):
    """First event of a stream."""

    cache: str


class StreamedWord(BaseModel):
    """A word of the caption that is being found; it is certain."""

    index: int
    text: str
    probability: float
    attention: Attention | None = None


Event = ImageFound | StreamedWord | Caption
