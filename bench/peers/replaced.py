"""The web app that Oko replaces: TensorFlow, one layer call after another, greedy.

The architecture is the one of TensorFlow's image captioning tutorial (InceptionV3, attention,
recurrent decoder), in Oko's sizes. Weights are random: they do not change how long it takes.
"""

import time

import keras
import tensorflow as tf

from bench.peers.server import Answer

WORDS = 11
VOCABULARY = 3830
FEATURES, HIDDEN, ATTENTION, EMBEDDING = 512, 512, 256, 300


class Decoder(keras.Model):
    """One step of an attention LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = keras.layers.Embedding(VOCABULARY, EMBEDDING)
        self.keys = keras.layers.Dense(ATTENTION)
        self.query = keras.layers.Dense(ATTENTION)
        self.energy = keras.layers.Dense(1)
        self.recurrent = keras.layers.LSTM(HIDDEN, return_sequences=True, return_state=True)
        self.hidden = keras.layers.Dense(EMBEDDING)
        self.logits = keras.layers.Dense(VOCABULARY)

    def call(
        self, token: tf.Tensor, features: tf.Tensor, h: tf.Tensor, c: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        """token [1, 1], features [1, 64, D] → logits [1, V], h, c, attention [1, 64]."""
        energy = self.energy(tf.tanh(self.keys(features) + self.query(h)[:, None]))
        attention = tf.nn.softmax(energy, axis=1)  # [1, 64, 1]
        context = tf.reduce_sum(attention * features, axis=1)  # [1, D]
        word = tf.concat([context[:, None], self.embedding(token)], axis=-1)
        output, h, c = self.recurrent(word, initial_state=[h, c])
        logits = self.logits(self.hidden(tf.reshape(output, (-1, HIDDEN))))
        return logits, h, c, attention[..., 0]


class Replaced:
    """`compiled`: encoder and decoder step each in a `tf.function`."""

    def __init__(self, *, compiled: bool) -> None:
        inception = keras.applications.InceptionV3(include_top=False, weights=None)
        projection = keras.layers.Dense(FEATURES, activation="relu")
        decoder = Decoder()

        def encode(photo: tf.Tensor) -> tf.Tensor:
            grid = inception(photo, training=False)  # [1, 8, 8, 2048]
            return projection(tf.reshape(grid, (1, 64, 2048)))

        self._encode = tf.function(encode) if compiled else encode
        self._step = tf.function(decoder.call) if compiled else decoder

    def caption(self, photo: bytes) -> Answer:
        started = time.perf_counter()
        pixels = tf.image.resize(tf.image.decode_jpeg(photo, channels=3), (299, 299))
        features = self._encode(pixels[None] / 127.5 - 1)
        features.numpy()
        encoded = time.perf_counter()
        token, h, c = tf.constant([[1]]), tf.zeros((1, HIDDEN)), tf.zeros((1, HIDDEN))
        words = []
        for _ in range(WORDS):
            logits, h, c, attention = self._step(token, features, h, c)
            attention.numpy()
            word = int(tf.argmax(logits[0]).numpy())
            words.append(str(word))
            token = tf.constant([[word]])
        done = time.perf_counter()
        return Answer(" ".join(words), 1000 * (encoded - started), 1000 * (done - encoded))
