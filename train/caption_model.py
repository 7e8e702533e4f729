"""What is trained on captions: the projection and one decoder per language."""

from __future__ import annotations

import keras
import tensorflow as tf

from train.decoder import GRID, AttentionDecoder, DecoderSize, build_projection
from train.reduce import COMPONENTS
from train.text import UNKNOWN, Vocabulary

LABEL_SMOOTHING = 0.1
WORD_DROPOUT = 0.1  # a known word is read as <unk>, so that captions survive a wrong one
FEATURE_DROPOUT = 0.15
# The doubly stochastic term alone pulls every word to look everywhere (54 of 64 places at weight
# 0.5); the entropy of each word's attention pulls the other way (2.5 places at 0.1 and 0.03, where
# words miss half of what they name).
DOUBLY_WEIGHT = 0.1
ENTROPY_WEIGHT = 0.005


def cross_entropies(logits: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """With and without label smoothing, per word; a target that is `UNKNOWN` does not count.

    Args:
        logits: float32 [n, t, V].
        targets: int32 [n, t].
    """
    log_probs = tf.nn.log_softmax(logits)
    known = tf.cast(targets != UNKNOWN, tf.float32)
    hit = tf.gather(log_probs, targets, batch_dims=2)
    count = tf.reduce_sum(known)
    plain = -tf.reduce_sum(hit * known) / count
    uniform = -tf.reduce_sum(tf.reduce_mean(log_probs, axis=-1) * known) / count
    return (1 - LABEL_SMOOTHING) * plain + LABEL_SMOOTHING * uniform, plain


class CaptionModel(keras.Model):
    """The projection and the decoders that share it."""

    def __init__(
        self, vocabularies: dict[str, Vocabulary], dropout: float, inputs: int = COMPONENTS
    ) -> None:
        super().__init__()
        self.projection = build_projection(inputs=inputs)
        self.feature_dropout = keras.layers.Dropout(FEATURE_DROPOUT)
        self.decoders = {}
        for language, vocabulary in vocabularies.items():
            decoder = AttentionDecoder(DecoderSize(len(vocabulary)), dropout, name=language)
            decoder.build()
            self.decoders[language] = decoder
        self.built = True

    def loss_of(
        self, language: str, grid: tf.Tensor, tokens: tf.Tensor, targets: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """What is minimised, and the plain cross-entropy per word.

        Args:
            language: whose decoder.
            grid: the projection's input [n, 64, inputs].
            tokens, targets: int32 [n, t]; a target that is `UNKNOWN` does not count.
        """
        features = self.projection(tf.cast(grid, tf.float32))
        features = self.feature_dropout(features, training=True)
        dropped = tf.random.uniform(tf.shape(tokens)) < WORD_DROPOUT
        first = tf.range(tf.shape(tokens)[1]) == 0
        tokens = tf.where(dropped & ~first, UNKNOWN, tokens)
        logits, attention = self.decoders[language](features, tokens, training=True)
        smoothed, cross_entropy = cross_entropies(logits, targets)
        looked = tf.reduce_sum(attention, axis=1)  # [n, 64]
        share = tf.cast(tf.shape(tokens)[1], tf.float32) / GRID
        doubly = tf.reduce_mean((looked - share) ** 2)
        entropy = -tf.reduce_mean(tf.reduce_sum(attention * tf.math.log(attention + 1e-9), axis=-1))
        return smoothed + DOUBLY_WEIGHT * doubly + ENTROPY_WEIGHT * entropy, cross_entropy
