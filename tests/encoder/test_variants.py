"""The encoder's 8-bit and pruned variants give nearly the features of the float32 one."""

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from services.common.accepted_images import ImageLimits
from services.common.images import decode_square
from services.common.manifest import Manifest
from services.common.precision import EncoderPrecision
from services.encoder import session
from services.encoder.session import EncoderSession
from tests import photos

LIMITS = ImageLimits(40_000_000, 2**28)


def features(manifest: Manifest, precision: EncoderPrecision) -> NDArray[np.float32]:
    """float32 [photos, 64, D]."""
    encoder = EncoderSession(manifest.encoder, 1, precision)
    pixels = [decode_square(path.read_bytes(), encoder.side, LIMITS) for path in photos.ALL]
    return np.stack(encoder.run(pixels)).astype(np.float32)


@pytest.mark.parametrize(("precision", "error"), [("int8", 0.05), ("pruned", 0.2)])
def test_a_variant_gives_nearly_the_features_of_the_float32_encoder(
    manifest: Manifest, precision: EncoderPrecision, error: float
) -> None:
    whole, variant = features(manifest, "fp32"), features(manifest, precision)
    assert variant.shape == whole.shape
    assert not np.array_equal(variant, whole)
    spread = np.mean((whole - whole.mean(axis=(0, 1))) ** 2)
    assert np.mean((variant - whole) ** 2) < error * spread


def test_eight_bits_are_the_same_features_on_processors_without_vnni(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is VNNI, the way of the others runs as well; without it, this proves nothing."""
    ours = features(manifest, "int8")
    monkeypatch.setattr(session, "has_vnni", lambda: False)
    np.testing.assert_array_equal(features(manifest, "int8"), ours)


def test_a_photo_has_the_same_features_after_a_pause_and_in_company(manifest: Manifest) -> None:
    encoder = EncoderSession(manifest.encoder, 2, "int8")
    pixels = [decode_square(path.read_bytes(), encoder.side, LIMITS) for path in photos.ALL[:3]]
    company = encoder.run(pixels)
    (at_once,) = encoder.run(pixels[:1])
    time.sleep(2 * session.IDLE_S)
    (after_a_pause,) = encoder.run(pixels[:1])
    np.testing.assert_array_equal(at_once, company[0])
    np.testing.assert_array_equal(after_a_pause, company[0])
