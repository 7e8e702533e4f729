"""Self-critical sequence training: the decoder is rewarded for captions that people would write.

    python -m train.scst --run runs/fit/base --language en --epochs 4

Samples several captions a photo and raises the probability of those with more CIDEr-D than the
others (Rennie et al. 2017, arXiv 1612.00563; the mean of the other samples as baseline: Luo 2020,
arXiv 2003.09971). What this training is known to spoil is punished: a caption that ends on a word
that needs another one, or says a bigram twice, earns nothing; and what it says of one photo must
not fit others as well (``--contrast``), or all photos end up with the same few sentences.

Starts from the run's decoder, leaves the projection as it is, and replaces
``<language>.weights.h5`` whenever dev CIDEr is better than before; ``<language>.scst.json`` holds
the curve. Started again it goes on from the best weights.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from train import checkpoint
from train.data import Photo, load_photos
from train.decoder import AttentionDecoder, keras_engine
from train.features import load_features, project
from train.metrics import cider
from train.reward import CiderReward
from train.running_mean import RunningMean
from train.search import describe
from train.text import END, START, Vocabulary, load_language, repeats_bigram

LONGEST = 18
OTHERS = 4  # photos of the same batch that a caption is held against


class Sampler:
    """Random captions from a decoder, several a photo."""

    def __init__(self, decoder: AttentionDecoder, samples: int) -> None:
        self._decoder = decoder
        self._samples = samples

    @tf.function(reduce_retracing=True)
    def __call__(self, features: tf.Tensor) -> tf.Tensor:
        """float32 [n, 64, D] → ids [n, samples, LONGEST]; after ``<end>`` only ``<end>``."""
        count, size = tf.shape(features)[0], self._decoder.size
        keys, h, c = self._decoder.init(features)
        shape = (count, self._samples)
        first = tf.repeat(tf.range(count)[:, None], self._samples, axis=1)
        own = tf.reshape(tf.range(count * self._samples), shape)
        written = tf.TensorArray(tf.int64, LONGEST, element_shape=(None, self._samples))

        def advance(t, token, parent, h, c, ended, written):
            log_prob, h, c, _ = self._decoder.step(token, parent, h, c, features, keys)
            flat = tf.reshape(log_prob, (-1, size.vocabulary))
            word = tf.reshape(tf.random.categorical(flat, 1), shape)
            word = tf.where(ended, tf.cast(END, tf.int64), word)
            return t + 1, word, own, h, c, ended | (word == END), written.write(t, word)

        start = tf.fill(shape, tf.cast(START, tf.int64))
        state = (0, start, first, h, c, tf.zeros(shape, tf.bool), written)
        *_, written = tf.while_loop(
            lambda t, *_: t < LONGEST,
            advance,
            state,
            shape_invariants=(
                tf.TensorShape([]),
                tf.TensorShape([None, self._samples]),
                tf.TensorShape([None, self._samples]),
                tf.TensorShape([None, size.hidden]),
                tf.TensorShape([None, size.hidden]),
                tf.TensorShape([None, self._samples]),
                tf.TensorShape(None),
            ),
        )
        return tf.transpose(written.stack(), (1, 2, 0))


def until_end(ids: np.ndarray) -> list[int]:
    """The words and one ``<end>``; a caption that never ended stays without."""
    words = [int(i) for i in ids]
    return words[: words.index(END) + 1] if END in words else words


def is_spoilt(ids: list[int], no_end: frozenset[int]) -> bool:
    """Never ended, empty, ends on a word that needs another one, or says a bigram twice."""
    if ids[-1] != END or len(ids) < 2 or ids[-2] in no_end:
        return True
    return repeats_bigram(ids)


def advantages(rewards: np.ndarray) -> np.ndarray:
    """float32 [n, samples]: each sample's reward minus the mean of the photo's other samples."""
    samples = rewards.shape[1]
    others = (rewards.sum(axis=1, keepdims=True) - rewards) / (samples - 1)
    return rewards - others


class Photos:
    """The photos of a split that have captions in the language, and their projected features."""

    def __init__(
        self, run: Path, photos: list[Photo], split: str, language: str, work_dir: Path
    ) -> None:
        name = checkpoint.read_notes(run)["encoder"]["features"]
        projection = checkpoint.load_projection(run)
        self.captions: list[tuple[str, ...]] = []
        parts = []
        for collection in dict.fromkeys(photo.collection for photo in photos):
            grids = load_features(work_dir, name, "mixed10", collection)
            members = [photo for photo in photos if photo.collection == collection]
            rows = [
                row
                for row, photo in enumerate(members)
                if photo.split == split and photo.captions.get(language)
            ]
            self.captions += [members[row].captions[language] for row in rows]
            if rows:
                parts.append(project(projection, grids, rows).astype(np.float16))
        self.features = np.concatenate(parts)  # [photos, 64, D]


class SelfCritic:
    """One language's decoder under self-critical training."""

    def __init__(
        self,
        decoder: AttentionDecoder,
        reward: CiderReward,
        no_end: frozenset[int],
        samples: int,
        contrast: float,
        learning_rate: float,
    ) -> None:
        self._contrast = contrast
        self._decoder = decoder
        self._reward = reward
        self._no_end = no_end
        self._samples = samples
        self._sample = Sampler(decoder, samples)
        self._optimizer = keras.optimizers.Adam(learning_rate, global_clipnorm=1.0)
        self._optimizer.build(decoder.trainable_variables)
        self.mean = RunningMean(decoder, decay=0.99)

    def train_on(self, rows: np.ndarray, features: np.ndarray) -> float:
        """One step on photos `rows` with `features` [n, 64, D]; returns the mean reward."""
        maps = tf.constant(features, tf.float32)
        ids = self._sample(maps).numpy()  # [n, samples, t]
        flat = ids.reshape(-1, LONGEST)
        captions = [until_end(row) for row in flat]
        rewards = self._reward.batch(np.repeat(rows, self._samples), captions)
        if self._contrast:
            for shift in range(1, OTHERS + 1):
                others = np.repeat(np.roll(rows, shift), self._samples)
                rewards -= self._contrast / OTHERS * self._reward.batch(others, captions)
        spoilt = [is_spoilt(caption, self._no_end) for caption in captions]
        rewards[spoilt] = np.minimum(0, rewards[spoilt])
        gain = advantages(rewards.reshape(-1, self._samples)).reshape(-1)
        lengths = np.array([len(caption) for caption in captions])
        mask = (np.arange(LONGEST) < lengths[:, None]).astype(np.float32)
        self._update(maps, tf.constant(flat), tf.constant(mask), tf.constant(gain))
        return float(rewards.mean())

    @tf.function(reduce_retracing=True)
    def _update(self, maps: tf.Tensor, ids: tf.Tensor, mask: tf.Tensor, gain: tf.Tensor) -> None:
        features = tf.repeat(maps, self._samples, axis=0)
        tokens = tf.concat([tf.fill((tf.shape(ids)[0], 1), tf.cast(START, ids.dtype)), ids], 1)
        variables = self._decoder.trainable_variables
        with tf.GradientTape() as tape:
            logits, _ = self._decoder(features, tokens[:, :-1])
            log_prob = tf.nn.log_softmax(logits + self._decoder.forbidden())
            said = tf.gather(log_prob, ids, batch_dims=2) * mask
            loss = -tf.reduce_sum(said * gain[:, None]) / tf.reduce_sum(mask)
        self._optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        self.mean.update()


def dev_scores(
    decoder: AttentionDecoder, vocabulary: Vocabulary, language: str, dev: Photos
) -> dict[str, float]:
    """Greedy CIDEr × 100, and the share of captions that no other photo got."""
    engine = keras_engine(decoder, vocabulary, language)
    beams = describe(engine, dev.features, beam_size=1)
    captions = [vocabulary.decode(beam.ids) for beam in beams]
    tqdm.write(" | ".join(captions[:: len(captions) // 5][:5]))
    return {
        "cider": round(cider(captions, dev.captions), 2),
        "distinct": round(len(set(captions)) / len(captions), 3),
    }


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m train.scst",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--run", type=Path, required=True, help="folder that train.fit wrote")
    parser.add_argument("--language", required=True)
    parser.add_argument("--collection", action="append", help="default: flickr8k and coco")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=32, help="photos")
    parser.add_argument("--samples", type=int, default=5, help="captions a photo")
    parser.add_argument("--contrast", type=float, default=0.5, help="weight of others' photos")
    parser.add_argument("--minutes", type=float, help="stop after this time")
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--work-dir", type=Path, default=Path("runs"))
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    run, language = arguments.run, arguments.language
    photos = load_photos(arguments.work_dir, arguments.collection or ("flickr8k", "coco"))
    train, dev = (
        Photos(run, photos, split, language, arguments.work_dir) for split in ("train", "dev")
    )
    decoder, vocabulary = checkpoint.load_decoder(run, language)
    no_end = frozenset(vocabulary.ids(load_language(language).no_end))
    reward = CiderReward([[vocabulary.encode(text) for text in texts] for texts in train.captions])
    critic = SelfCritic(
        decoder, reward, no_end, arguments.samples, arguments.contrast, arguments.learning_rate
    )
    curve_file = run / f"{language}.scst.json"
    curve = json.loads(curve_file.read_text()) if curve_file.exists() else []
    before = dev_scores(decoder, vocabulary, language, dev)
    print(f"before: {before}")
    curve, best = curve or [before], before["cider"]
    deadline = time.monotonic() + 60 * (arguments.minutes or 1e9)
    while len(curve) <= arguments.epochs and time.monotonic() < deadline:
        order = np.random.default_rng(len(curve)).permutation(len(train.captions))
        starts = range(0, len(order), arguments.batch_size)
        rewards = []
        with tqdm(starts, desc=f"epoch {len(curve)}") as bar:
            for start in bar:
                rows = np.sort(order[start : start + arguments.batch_size])
                rewards.append(critic.train_on(rows, train.features[rows]))
                bar.set_postfix_str(f"reward {np.mean(rewards[-50:]):.3f}", refresh=False)
                if time.monotonic() > deadline:
                    break
        with critic.mean.applied():
            scores = dev_scores(decoder, vocabulary, language, dev)
            if scores["cider"] > best:
                best = scores["cider"]
                checkpoint.save_decoder(decoder, run, language)
        curve.append(scores | {"reward": round(float(np.mean(rewards)), 4)})
        print(json.dumps(curve[-1]))
        curve_file.write_text(json.dumps(curve, indent=1) + "\n")


if __name__ == "__main__":
    main()
