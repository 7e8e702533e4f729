"""The caption model in Keras: projection of the encoder's grid and the attention-LSTM decoder.

Show, Attend and Tell (Xu et al. 2015, https://arxiv.org/abs/1502.03044), soft attention: additive
attention over 64 places (eq. 4–6), gate β (section 4.2.1), deep output layer (eq. 7).
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from train.search import TOP_K, Engine
from train.text import PAD, START, UNKNOWN, Vocabulary, load_language

GRID = 64  # places of the 8×8 grid
NEVER_SAID = (PAD, START, UNKNOWN)


@dataclass(frozen=True)
class DecoderSize:
    """Widths of a decoder's layers."""

    vocabulary: int
    features: int = 512
    hidden: int = 512
    attention: int = 256
    embedding: int = 300


class AttentionDecoder(keras.Model):
    """One language's decoder. `init` and `step` are what is exported; `call` is for training."""

    def __init__(self, size: DecoderSize, dropout: float = 0.4, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.embedding = layers.Embedding(size.vocabulary, size.embedding, name="embedding")
        self.keys = layers.Dense(size.attention, name="keys")
        self.query = layers.Dense(size.attention, name="query", use_bias=False)
        self.energy = layers.Dense(1, name="energy", use_bias=False)
        self.gate = layers.Dense(size.features, activation="sigmoid", name="gate")
        self.first_hidden = layers.Dense(size.hidden, activation="tanh", name="first_hidden")
        self.first_cell = layers.Dense(size.hidden, activation="tanh", name="first_cell")
        self.word_gates = layers.Dense(4 * size.hidden, name="word_gates")
        self.context_gates = layers.Dense(4 * size.hidden, name="context_gates", use_bias=False)
        self.state_gates = layers.Dense(
            4 * size.hidden,
            name="state_gates",
            use_bias=False,
            kernel_initializer="orthogonal",
        )
        self.output_state = layers.Dense(size.embedding, name="output_state")
        self.output_context = layers.Dense(size.embedding, name="output_context", use_bias=False)
        self.logits = layers.Dense(size.vocabulary, name="logits")
        self.dropout = layers.Dropout(dropout)

    def build(self, input_shape: object = None) -> None:
        """Creates every weight; shapes come from `size`."""
        size = self.size
        self.embedding.build((None,))
        for layer, width in (
            (self.keys, size.features),
            (self.query, size.hidden),
            (self.energy, size.attention),
            (self.gate, size.hidden),
            (self.first_hidden, size.features),
            (self.first_cell, size.features),
            (self.word_gates, size.embedding),
            (self.context_gates, size.features),
            (self.state_gates, size.hidden),
            (self.output_state, size.hidden),
            (self.output_context, size.features),
            (self.logits, size.embedding),
        ):
            layer.build((None, width))
        # A forget gate that starts open remembers over a caption's length (Jozefowicz et al. 2015).
        bias = np.zeros(4 * size.hidden, np.float32)
        bias[size.hidden : 2 * size.hidden] = 1.0
        self.word_gates.bias.assign(bias)
        self.built = True

    def init(self, features: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """[n, 64, D] → attention keys [n, 64, A] and the first state h, c [n, H]."""
        mean = tf.reduce_mean(features, axis=1)
        return self.keys(features), self.first_hidden(mean), self.first_cell(mean)

    def attend(
        self, h: tf.Tensor, features: tf.Tensor, keys: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Where to look next: h [n, b, H] → gated context [n, b, D] and attention [n, b, 64]."""
        query = self.query(h)[:, :, None, :]  # [n, b, 1, A]
        energy = self.energy(tf.tanh(keys[:, None] + query))  # [n, b, 64, 1]
        attention = tf.nn.softmax(energy[..., 0], axis=-1)  # [n, b, 64]
        context = tf.matmul(attention, features) * self.gate(h)  # [n, b, D]
        return context, attention

    def recur(self, gates: tf.Tensor, c: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """One LSTM update from summed gate inputs [..., 4H]: input, forget, cell, output."""
        i, f, g, o = tf.split(gates, 4, axis=-1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        return tf.sigmoid(o) * tf.tanh(c), c

    def predict_logits(self, word: tf.Tensor, h: tf.Tensor, context: tf.Tensor) -> tf.Tensor:
        """Deep output: embedding of the last word, state and context → logits [..., V]."""
        hidden = word + self.output_state(h) + self.output_context(context)
        return self.logits(tf.tanh(hidden))

    def step(
        self,
        token: tf.Tensor,
        parent: tf.Tensor,
        h: tf.Tensor,
        c: tf.Tensor,
        features: tf.Tensor,
        keys: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """One word for every beam of every running caption.

        Args:
            token: int64 [n, b], the last word of each beam.
            parent: int64 [n, b], the row of `h` and `c` that each beam goes on from.
            h: float32 [s, H], states of the step before, flat.
            c: float32 [s, H].
            features: float32 [n, 64, D].
            keys: float32 [n, 64, A], from `init`.

        Returns:
            log-probabilities [n, b, V] without mass on `NEVER_SAID`, the next h and c [n·b, H],
            and the attention of the word being predicted [n, b, 64].
        """
        size = self.size
        h = tf.gather(h, parent)  # [n, b, H]
        c = tf.gather(c, parent)
        word = self.embedding(token)  # [n, b, E]
        context, attention = self.attend(h, features, keys)
        gates = self.word_gates(word) + self.context_gates(context) + self.state_gates(h)
        h, c = self.recur(gates, c)
        logits = self.predict_logits(word, h, context) + self.forbidden()
        flat = (-1, size.hidden)
        return tf.nn.log_softmax(logits), tf.reshape(h, flat), tf.reshape(c, flat), attention

    def forbidden(self) -> tf.Tensor:
        """Added to logits: a large negative number at the words that are never said."""
        penalty = np.zeros(self.size.vocabulary, np.float32)
        penalty[list(NEVER_SAID)] = -1e4
        return tf.constant(penalty)

    def call(
        self, features: tf.Tensor, tokens: tf.Tensor, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Teacher forcing.

        Args:
            features: [n, 64, D].
            tokens: [n, t], `START` and the caption's words.

        Returns:
            logits [n, t, V] and attention [n, t, 64].
        """
        keys, h, c = self.init(features)
        words = self.dropout(self.embedding(tokens), training=training)  # [n, t, E]
        word_gates = tf.transpose(self.word_gates(words), (1, 0, 2))  # [t, n, 4H]

        def advance(last: tuple[tf.Tensor, ...], gates: tf.Tensor) -> tuple[tf.Tensor, ...]:
            h, c = last[:2]
            context, attention = self.attend(h[:, None], features, keys)
            gates = gates + self.context_gates(context[:, 0]) + self.state_gates(h)
            return *self.recur(gates, c), context[:, 0], attention[:, 0]

        nothing = (tf.zeros_like(features[:, 0]), tf.zeros_like(features[:, :, 0]))
        states, _, contexts, attentions = tf.scan(advance, word_gates, (h, c, *nothing))
        state, context, attention = (
            tf.transpose(values, (1, 0, 2)) for values in (states, contexts, attentions)
        )
        state = self.dropout(state, training=training)  # [n, t, H]
        context = self.dropout(context, training=training)  # [n, t, D]
        logits = self.predict_logits(words, state, context)
        return logits, attention


def keras_engine(decoder: AttentionDecoder, vocabulary: Vocabulary, language: str) -> Engine:
    """A decoder as it is trained."""

    @tf.function(reduce_retracing=True)
    def step(*inputs: tf.Tensor) -> tuple[tf.Tensor, ...]:
        log_prob, h, c, attention = decoder.step(*inputs)
        best, ids = tf.math.top_k(log_prob, TOP_K)
        return best, ids, h, c, attention

    return Engine(
        init=lambda features: tuple(x.numpy() for x in decoder.init(tf.constant(features))),
        step=lambda *inputs: tuple(x.numpy() for x in step(*map(tf.constant, inputs))),
        no_end=frozenset(vocabulary.ids(load_language(language).no_end)),
    )


def build_projection(features: int = 512, inputs: int = 2048) -> layers.Dense:
    """The encoder's last layer, 2048 → D with ReLU; it is exported inside the encoder."""
    layer = layers.Dense(features, activation="relu", name="projection")
    layer.build((None, inputs))
    return layer


def projection_of(kernel: np.ndarray, bias: np.ndarray) -> layers.Dense:
    """That layer with the weights [inputs, D] and [D]."""
    layer = build_projection(kernel.shape[1], kernel.shape[0])
    layer.set_weights([kernel, bias])
    return layer
