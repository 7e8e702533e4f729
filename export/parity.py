"""ONNX against Keras on real photos: the largest difference of every output."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import tensorflow as tf

from train.decoder import AttentionDecoder
from train.search import TOP_K
from train.text import START

ENCODER_TOLERANCE = 1e-3
DECODER_TOLERANCE = 1e-4
STEPS = 12
BEAMS = 3


class ParityError(Exception):
    """An exported graph does not compute what Keras does."""


def session(model: onnx.ModelProto) -> ort.InferenceSession:
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def _check(name: str, delta: float, tolerance: float) -> float:
    if not delta <= tolerance:
        raise ParityError(
            f"{name}: ONNX differs from Keras by {delta:.2e}, allowed {tolerance:.0e}"
        )
    return delta


def check_encoder(
    model: onnx.ModelProto, encode: tf.types.experimental.GenericFunction, pixels: np.ndarray
) -> tuple[float, np.ndarray]:
    """Compares features of uint8 photos [n, 299, 299, 3].

    Returns:
        The largest absolute difference and the ONNX features [n, 64, D].

    Raises:
        ParityError: it is above `ENCODER_TOLERANCE`.
    """
    (features,) = session(model).run(None, {"image": pixels})
    delta = float(np.abs(features - encode(tf.constant(pixels)).numpy()).max())
    return _check("encoder", delta, ENCODER_TOLERANCE), features


def check_decoder(
    init: onnx.ModelProto, step: onnx.ModelProto, decoder: AttentionDecoder, features: np.ndarray
) -> float:
    """Compares `STEPS` steps of `BEAMS` beams on features [n, 64, D], each side on its own state.

    Returns:
        The largest absolute difference over all steps and outputs.

    Raises:
        ParityError: it is above `DECODER_TOLERANCE`.
    """
    start, advance = session(init), session(step)
    keys, h, c = start.run(None, {"features": features})
    expected_keys, expected_h, expected_c = decoder.init(tf.constant(features))
    delta = max(
        float(np.abs(ours - theirs.numpy()).max())
        for ours, theirs in ((keys, expected_keys), (h, expected_h), (c, expected_c))
    )
    count = len(features)
    token = np.full((count, BEAMS), START)
    parent = np.repeat(np.arange(count)[:, None], BEAMS, axis=1)  # [n, b]
    for _ in range(STEPS):
        inputs = {"token": token, "parent": parent, "h": h, "c": c}
        log_prob, ids, h, c, attention = advance.run(
            None, {**inputs, "features": features, "keys": keys}
        )
        expected, expected_h, expected_c, expected_attention = decoder.step(
            tf.constant(token),
            tf.constant(parent),
            expected_h,
            expected_c,
            tf.constant(features),
            expected_keys,
        )
        best = tf.math.top_k(expected, TOP_K).values.numpy()
        pairs = (
            (log_prob, best),
            (h, expected_h.numpy()),
            (c, expected_c.numpy()),
            (attention, expected_attention.numpy()),
        )
        delta = max(delta, *(float(np.abs(ours - theirs).max()) for ours, theirs in pairs))
        _check("decoder step", delta, DECODER_TOLERANCE)
        # Beam b goes on with its b-th best word: different words and states at every step.
        token = np.stack([ids[:, b, b] for b in range(BEAMS)], axis=1)
        parent = np.arange(count * BEAMS).reshape(count, BEAMS)
    return delta


def file_size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
