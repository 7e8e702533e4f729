"""Word ids ↔ words of one language, and how its scores are calibrated."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from services.common.errors import ModelsUnavailable


@dataclass(frozen=True, slots=True)
class Calibration:
    """score = sigmoid(slope · mean log-probability + intercept)."""

    slope: float
    intercept: float


@dataclass(frozen=True, slots=True)
class Vocabulary:
    words: tuple[str, ...]
    start: int
    end: int
    no_end: frozenset[int]
    """Words that a caption must not end with, such as "a" or "with"."""
    calibration: Calibration | None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads `vocabulary.json`.

        Raises:
            ModelsUnavailable: The file is missing or not valid.
        """
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            calibration = document.get("calibration")
            return cls(
                words=tuple(document["words"]),
                start=int(document["start"]),
                end=int(document["end"]),
                no_end=frozenset(document.get("no_end", ())),
                calibration=Calibration(calibration["slope"], calibration["intercept"])
                if calibration
                else None,
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelsUnavailable(f"{path} is not a valid vocabulary: {error!r}.") from error

    def score(self, log_probabilities: Sequence[float]) -> float:
        """How likely the caption is right, in (0, 1], from the log-probability of each token."""
        mean = math.fsum(log_probabilities) / max(1, len(log_probabilities))
        if self.calibration is None:
            return math.exp(mean)
        return 1 / (1 + math.exp(-(self.calibration.slope * mean + self.calibration.intercept)))
