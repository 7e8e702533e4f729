"""A service as most are written: one route, a function called in a thread, nothing else."""

from dataclasses import asdict, dataclass
from typing import Protocol

import uvicorn
from fastapi import Body, FastAPI


@dataclass(frozen=True)
class Answer:
    """A caption, and how long its parts took."""

    caption: str
    encoder_ms: float
    decoder_ms: float


class Captioner(Protocol):
    def caption(self, photo: bytes) -> Answer: ...


def serve(captioner: Captioner, port: int) -> None:
    app = FastAPI()

    @app.post("/caption")
    def caption(photo: bytes = Body(media_type="image/jpeg")) -> dict[str, str | float]:
        return asdict(captioner.caption(photo))

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")
