"""What is written about a photo, the same in every kind of output: one row per photo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Best:
    """The caption that ranked first."""

    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Row:
    """A photo's best caption per language."""

    path: str
    captions: Mapping[str, Best]

    def values(self) -> dict[str, str | float]:
        """By the names of `columns`."""
        values: dict[str, str | float] = {"path": self.path}
        for language, best in self.captions.items():
            values[f"caption_{language}"] = best.text
            values[f"score_{language}"] = round(best.score, 4)
        return values


def columns(languages: Sequence[str]) -> list[str]:
    """`path`, then `caption_en`, `score_en` and so on in the order of the languages."""
    kinds = ("caption", "score")
    return ["path", *(f"{kind}_{language}" for language in languages for kind in kinds)]
