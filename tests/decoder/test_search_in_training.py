"""Scores of `train.evaluate` are of what is served: its search finds the service's captions."""

import json

import numpy as np
import pytest

from services.common.manifest import Manifest
from services.common.settings import REPOSITORY
from services.decoder.search import BeamSearch, SearchOptions
from services.decoder.vocabulary import Vocabulary
from train.search import N_BEST, Engine, onnx_engine, search

PHOTOS = 6


def served_caption(
    engine: Engine, vocabulary: Vocabulary, features: np.ndarray, options: SearchOptions
) -> tuple[int, ...]:
    """The service's search, driven one step at a time; `features` [1, 64, D]."""
    keys, h, c = engine.init(features)
    beams = BeamSearch(vocabulary, options)
    parents = [0]
    while not beams.done:
        token = np.array([beams.tokens()], np.int64)
        parent = np.array([parents], np.int64)
        log_prob, ids, h, c, attention = engine.step(token, parent, h, c, features, keys)
        parents = beams.advance(log_prob[0], ids[0], attention[0])
    return beams.best()[0].words


@pytest.mark.parametrize("language", ["en", "uk"])
@pytest.mark.parametrize("beam_size", [1, 3, 5])
def test_same_captions(manifest: Manifest, language: str, beam_size: int) -> None:
    folder = REPOSITORY / "models" / "decoder" / language
    document = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    engine = onnx_engine(folder, document["no_end"])
    vocabulary = Vocabulary.read(folder / "vocabulary.json")
    shape = (PHOTOS, 64, manifest.encoder.dimensions)
    features = np.random.default_rng(0).random(shape, np.float32) ** 4
    ours = [beams[0].ids for beams in search(engine, features, beam_size)]
    options = SearchOptions(beam_size=beam_size, n_best=min(N_BEST, beam_size))
    for row, ids in enumerate(ours):
        assert ids == served_caption(engine, vocabulary, features[row : row + 1], options)
