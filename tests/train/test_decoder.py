"""The decoder says the same whether it is trained on whole captions or stepped word by word."""

import numpy as np
import tensorflow as tf

from train.decoder import GRID, NEVER_SAID, AttentionDecoder, DecoderSize
from train.text import START

SIZE = DecoderSize(vocabulary=40, features=32, hidden=24, attention=16, embedding=20)


def build() -> AttentionDecoder:
    decoder = AttentionDecoder(SIZE)
    decoder.build()
    return decoder


def test_teacher_forcing_equals_stepping() -> None:
    decoder = build()
    features = np.random.default_rng(0).random((3, GRID, SIZE.features), np.float32)
    tokens = np.array([[START, 5, 6, 7]] * 3, np.int32)
    logits, attention = decoder(tf.constant(features), tf.constant(tokens))
    expected = tf.nn.log_softmax(logits + decoder.forbidden()).numpy()

    keys, h, c = decoder.init(features)
    parent = np.arange(3)[:, None]
    for t in range(tokens.shape[1]):
        log_probs, h, c, looked = decoder.step(tokens[:, t : t + 1], parent, h, c, features, keys)
        np.testing.assert_allclose(log_probs[:, 0], expected[:, t], atol=1e-4)
        np.testing.assert_allclose(looked[:, 0], attention[:, t], atol=1e-5)


def test_attention_is_a_distribution_and_special_words_are_never_said() -> None:
    decoder = build()
    features = np.random.default_rng(1).random((2, GRID, SIZE.features), np.float32)
    keys, h, c = decoder.init(features)
    token = np.full((2, 3), START)
    parent = np.repeat(np.arange(2)[:, None], 3, axis=1)
    log_probs, _, _, attention = decoder.step(token, parent, h, c, features, keys)
    np.testing.assert_allclose(attention.numpy().sum(axis=-1), 1, atol=1e-5)
    assert np.exp(log_probs.numpy()[..., list(NEVER_SAID)]).max() == 0
