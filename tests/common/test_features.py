"""Features on the wire: what was packed comes out, everything else is refused."""

import io
import pickle

import numpy as np
import pytest
from hypothesis import given, strategies

from services.common.errors import InvalidFeatures
from services.common.features import pack_features, unpack_features

FEATURES = np.arange(64 * 512, dtype=np.float16).reshape(64, 512) / 8


def npy(array: np.ndarray, **options: bool) -> bytes:
    body = io.BytesIO()
    np.save(body, array, **options)
    return body.getvalue()


def test_round_trip() -> None:
    assert (unpack_features(pack_features(FEATURES), 64, 512) == FEATURES).all()
    assert unpack_features(pack_features(FEATURES), 64, 512).dtype == np.float16


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        npy(FEATURES.astype(np.float32)),
        npy(FEATURES.astype(">f2")),
        npy(FEATURES[:10]),
        npy(np.asfortranarray(FEATURES)),
        npy(np.full((64, 512), np.nan, np.float16)),
        npy(np.full((64, 512), np.inf, np.float16)),
        npy(np.array([{"a": 1}], dtype=object), allow_pickle=True),
        pickle.dumps(FEATURES),
        npy(FEATURES)[:-1],
        npy(FEATURES) + b"x",
        npy(FEATURES).replace(b"\x93NUMPY\x01", b"\x93NUMPY\x02"),
    ],
)
def test_everything_else_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidFeatures):
        unpack_features(body, 64, 512)


@given(strategies.binary(max_size=300))
def test_any_header_is_answered(tail: bytes) -> None:
    with pytest.raises(InvalidFeatures):
        unpack_features(b"\x93NUMPY\x01\x00" + tail, 64, 512)
