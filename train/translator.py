"""A small translator of captions: a bidirectional LSTM reads, the caption decoder writes.

Bahdanau et al. 2015, arXiv 1409.0473. What the decoder attends to are the words of the sentence
instead of the places of a photo; everything else is `train.decoder.AttentionDecoder`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from train.batches import teacher_forced
from train.caption_model import cross_entropies
from train.decoder import AttentionDecoder, DecoderSize, keras_engine
from train.search import Beam, search
from train.text import Vocabulary, load_language

READER = 256  # units in each direction


@dataclass(frozen=True)
class Translation:
    """A sentence in the other language, and how it came about."""

    text: str
    log_prob: float  # mean of its words and the end
    coverage: float  # attention over the whole translation of the source's least noticed word


class Translator(keras.Model):
    """Source ids [n, s] → features [n, s, 512], which the decoder attends to."""

    def __init__(self, source: Vocabulary, target: Vocabulary, dropout: float = 0.3) -> None:
        super().__init__()
        self.source, self.target = source, target
        size = DecoderSize(len(target), features=2 * READER)
        self.embedding = layers.Embedding(len(source), size.embedding)
        self.reader = layers.Bidirectional(layers.LSTM(READER, return_sequences=True))
        self.dropout = layers.Dropout(dropout)
        self.decoder = AttentionDecoder(size, dropout)
        self.embedding.build((None,))
        self.reader.build((None, None, size.embedding))
        self.decoder.build()
        self.built = True

    def read(self, source: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Ids of sentences of one length [n, s] → features [n, s, 512]."""
        words = self.dropout(self.embedding(source), training=training)
        return self.dropout(self.reader(words), training=training)

    def losses_of(
        self, source: tf.Tensor, tokens: tf.Tensor, targets: tf.Tensor, training: bool
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """What is minimised, and the plain cross-entropy per word; `UNKNOWN` does not count."""
        logits, _ = self.decoder(self.read(source, training), tokens, training=training)
        return cross_entropies(logits, targets)

    def translate(
        self,
        sentences: list[list[int]],
        languages: tuple[str, str],
        beam_size: int,
        batch_size: int = 128,
    ) -> Iterator[tuple[int, Translation]]:
        """(place of the sentence, its translation), shortest sentences first.

        Args:
            sentences: ids of source words, none empty.
            languages: source and target, for their function words.
            beam_size: 1 is greedy.
            batch_size: sentences of one length that are translated together.
        """
        engine = keras_engine(self.decoder, self.target, languages[1])
        function_words = self.source.ids(load_language(languages[0]).no_end)
        for rows in by_length(list(map(len, sentences)), batch_size):
            source = np.array([sentences[row] for row in rows], np.int32)
            features = self.read(tf.constant(source)).numpy()
            # The penalty that is tuned for captions would prefer long-winded translations.
            found = search(engine, features, beam_size, length_penalty=1.0)
            for row, beams in zip(rows, found, strict=True):
                content = ~np.isin(sentences[row], function_words)
                yield row, self._translation(beams[0], content)

    def _translation(self, beam: Beam, content: np.ndarray) -> Translation:
        looked = np.sum(beam.attention, axis=0)[content] if beam.attention else np.zeros(1)
        coverage = float(looked.min(initial=1.0))
        return Translation(self.target.decode(beam.ids), beam.rank(1.0), coverage)


def by_length(lengths: list[int], size: int) -> Iterator[list[int]]:
    """Places of sentences in groups of one length, shortest first."""
    buckets: dict[int, list[int]] = defaultdict(list)
    for place, length in enumerate(lengths):
        buckets[length].append(place)
    for length in sorted(buckets):
        places = buckets[length]
        yield from (places[i : i + size] for i in range(0, len(places), size))


Pair = tuple[list[int], list[int]]  # ids of the source, ids of the target with <end>
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]  # source [n, s], tokens and targets [n, t]


def pair_batches(pairs: list[Pair], size: int, seed: int) -> list[Arrays]:
    """One epoch in random order: sources of a batch are of one length, targets nearly."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(pairs))
    order = order[np.argsort([len(pairs[i][1]) for i in order], kind="stable")]
    shuffled = [pairs[i] for i in order]
    groups = list(by_length([len(source) for source, _ in shuffled], size))
    return [
        _arrays([shuffled[i] for i in groups[group]])
        for group in generator.permutation(len(groups))
    ]


def _arrays(pairs: list[Pair]) -> Arrays:
    sources = np.array([source for source, _ in pairs], np.int32)
    return sources, *teacher_forced([target for _, target in pairs])
