"""Named numbers, which parts hand back and the report reads."""

from dataclasses import dataclass

Figures = dict[str, float]
"""The last word of a name is its unit."""


@dataclass(frozen=True)
class Encoder:
    """Names of its figures."""

    title: str
    prefix: str
    alone: str
    """Milliseconds of one run with nothing beside it."""
    best: str
    """Milliseconds per photo, as many photos at once as is best."""


SERVED = Encoder("as served", "", "encoder_served_alone_ms", "encoder_served_ms")
FLOAT32 = Encoder("float32", "float32_", "encoder_alone_ms", "encoder_best_ms")
SERVED_OF_FLOAT32 = Encoder(
    "as served, against the float32 encoder", "", FLOAT32.alone, FLOAT32.best
)
