"""The pruned encoder, which is taken by those who ask for it: nearly the features of the whole."""

import numpy as np
from numpy.typing import NDArray

from services.common.images import ImageLimits, decode_square
from services.common.manifest import Manifest
from services.common.precision import EncoderPrecision
from services.encoder.session import EncoderSession
from tests import photos

LIMITS = ImageLimits(40_000_000, 2**28)


def features(manifest: Manifest, precision: EncoderPrecision) -> NDArray[np.float32]:
    """float32 [photos, 64, D]."""
    session = EncoderSession(manifest.encoder, 1, precision)
    pixels = [decode_square(path.read_bytes(), session.side, LIMITS) for path in photos.ALL]
    return np.stack(session.run(pixels)).astype(np.float32)


def test_it_gives_nearly_the_features_of_the_whole_encoder(manifest: Manifest) -> None:
    whole, pruned = features(manifest, "fp32"), features(manifest, "pruned")
    assert pruned.shape == whole.shape
    assert not np.array_equal(pruned, whole)
    spread = np.mean((whole - whole.mean(axis=(0, 1))) ** 2)
    assert np.mean((pruned - whole) ** 2) < 0.2 * spread
