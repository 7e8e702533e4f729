"""What a training run leaves behind and export picks up.

A run's folder holds ``projection.npz`` (kernel, bias), and for every language
``<language>.weights.h5`` and ``<language>.vocabulary.json``; ``run.json`` says how it was made.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from train.decoder import AttentionDecoder, DecoderSize, projection_of
from train.text import Vocabulary


def save_projection(projection: keras.layers.Dense, run: Path) -> None:
    np.savez(run / "projection.npz", kernel=projection.kernel, bias=projection.bias)


def load_projection(run: Path) -> keras.layers.Dense:
    """The fully connected layer 2048 → D (a principal component basis before it is folded in)."""
    with np.load(run / "projection.npz") as saved:
        return projection_of(saved["kernel"], saved["bias"])


def save_decoder(decoder: AttentionDecoder, run: Path, language: str) -> None:
    decoder.save_weights(run / f"{language}.weights.h5")


def load_decoder(run: Path, language: str) -> tuple[AttentionDecoder, Vocabulary]:
    vocabulary = load_vocabulary(run, language)
    decoder = AttentionDecoder(DecoderSize(vocabulary=len(vocabulary)))
    decoder.build()
    decoder.load_weights(run / f"{language}.weights.h5")
    return decoder, vocabulary


def load_vocabulary(run: Path, language: str) -> Vocabulary:
    return Vocabulary.load(run / f"{language}.vocabulary.json")


def languages(run: Path) -> list[str]:
    """Languages that the run has a decoder for."""
    return sorted(path.name.partition(".")[0] for path in run.glob("*.weights.h5"))


def read_notes(run: Path) -> dict[str, Any]:
    """What ``run.json`` says: encoder weights, data, scores."""
    return json.loads((run / "run.json").read_text())


def write_notes(run: Path, notes: dict[str, Any]) -> None:
    (run / "run.json").write_text(json.dumps(notes, indent=2, ensure_ascii=False) + "\n")
