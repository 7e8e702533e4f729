"""Rebuilds the upper blocks of InceptionV3 from teachers that know ImageNet.

    python -m train.features --weights nsfwjs --layer mixed4
    python -m train.teachers --inception teacher.npz --lite2
    python -m train.distill --epochs 8

The blocks above ``mixed4`` learn from cached ``mixed4`` activations: through linear heads, their
``mixed8`` is to give the Inception teacher's ``mixed8``, their ``mixed10`` the feature map and the
class scores of EfficientNet-Lite2 (Hinton et al. 2015, arXiv 1503.02531; Romero et al. 2014, arXiv
1412.6550); a fourth head is to read the words of the photo's captions. Heads are thrown away.
Photos of split ``train`` only; dev is for the probe.

The learning rate is constant and the weights that are kept are a running mean of the trained ones
(Polyak averaging), so a run may be stopped, looked at and resumed at any step. Writes
``student.weights.h5``, ``probe.jsonl`` and ``probe.png`` into ``<work-dir>/distill/<name>/``.
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

from train.data import load_photos
from train.features import load_features
from train.inception import build_inception
from train.plots import plot_curves
from train.probe import frequent_words, probe, word_labels
from train.running_mean import RunningMean
from train.targets import CUT, WORDS, CachedTargets, batches

# The four losses are to be of one size: cross-entropy is about three times as large as the two
# standardised errors, the sum over the words about ten times.
LOGITS_WEIGHT = 0.3
WORDS_WEIGHT = 0.1
RARE = keras.initializers.Constant(-4.0)  # a word starts at the odds of a rare one
STANDARDISE_ON = 400  # photos


class Student(keras.Model):
    """The blocks above ``mixed4`` and the linear heads."""

    def __init__(self, upper: keras.Model, data: CachedTargets) -> None:
        super().__init__()
        self.upper = upper  # mixed4 → mixed8, mixed10
        self.mixed8_head = keras.layers.Dense(1280)
        self.lite2_head = keras.layers.Dense(1280)
        self.logits_head = keras.layers.Dense(1000)
        self.mixed8_head.build((None, 8, 8, 1280))
        self.lite2_head.build((None, 8, 8, 2048))
        self.logits_head.build((None, 2048))
        self.words_head = keras.layers.Dense(
            WORDS, bias_initializer=keras.initializers.Constant(-4)
        )
        self.words_head.build((None, 2048))
        some = np.random.default_rng(0).choice(len(data.examples), STANDARDISE_ON, replace=False)
        _, mixed8, lite2, *_ = data.batch(some, np.zeros(len(some), bool))
        self._mixed8_moments = _channel_moments(mixed8)
        self._lite2_moments = _channel_moments(lite2)

    def losses_of(
        self,
        mixed4: tf.Tensor,
        mixed8: tf.Tensor,
        lite2: tf.Tensor,
        logits: tf.Tensor,
        words: tf.Tensor,
        captioned: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Mean squared error of the two standardised maps, cross-entropies of classes and words."""
        ours8, ours10 = self.upper(mixed4, training=True)
        error8 = self.mixed8_head(ours8) - _standardise(mixed8, self._mixed8_moments)
        error10 = self.lite2_head(ours10) - _standardise(lite2, self._lite2_moments)
        pooled = tf.reduce_mean(ours10, axis=(1, 2))
        scores = self.logits_head(pooled)
        said = tf.nn.sigmoid_cross_entropy_with_logits(words, self.words_head(pooled))
        cross_entropy = tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax(logits), scores)
        return (
            tf.reduce_mean(error8**2),
            tf.reduce_mean(error10**2),
            tf.reduce_mean(cross_entropy),
            tf.reduce_mean(tf.reduce_sum(said, axis=1) * captioned),
        )


def _channel_moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    channels = values.astype(np.float32).reshape(-1, values.shape[-1])
    deviation = channels.std(axis=0)
    # A channel that hardly ever fires must not be blown up to the weight of the others.
    return channels.mean(axis=0), np.maximum(deviation, 0.5 * np.median(deviation))


def _standardise(values: tf.Tensor, moments: tuple[np.ndarray, np.ndarray]) -> tf.Tensor:
    return (values - moments[0]) / moments[1]


class DevProbe:
    """Scores the current student on dev, from cached activations."""

    def __init__(self, work_dir: Path, features: str, train: int = 1300, dev: int = 400) -> None:
        photos = load_photos(work_dir, ["flickr8k"])
        self._inputs = load_features(work_dir, features, CUT, "flickr8k")
        words = frequent_words([photo for photo in photos if photo.split == "train"])
        self._rows, self._labels = [], []
        for split, count in (("train", train), ("dev", dev)):
            rows = [i for i, photo in enumerate(photos) if photo.split == split][:count]
            self._rows.append(rows)
            self._labels.append(word_labels([photos[i] for i in rows], words))

    def __call__(self, upper: keras.Model) -> float:
        """Mean average precision of the pooled ``mixed10``."""

        @tf.function(reduce_retracing=True)
        def pool(mixed4: tf.Tensor) -> tf.Tensor:
            _, mixed10 = upper(tf.cast(mixed4, tf.float32), training=False)
            return tf.reduce_mean(mixed10, axis=(1, 2))

        pooled = [
            np.concatenate(
                [pool(self._inputs[rows[i : i + 32]]).numpy() for i in range(0, len(rows), 32)]
            )
            for rows in self._rows
        ]
        return probe(pooled[0], self._labels[0], pooled[1], self._labels[1])


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m train.distill",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--weights", default="nsfwjs", help="where the student starts")
    parser.add_argument("--features", help="folder of cached mixed4 (default: like --weights)")
    parser.add_argument("--collection", action="append", help="default: all imported")
    parser.add_argument("--name", default="student")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--minutes", type=float, help="stop after this time; resumable")
    parser.add_argument("--batch-size", type=int, default=24)
    parser.add_argument("--learning-rate", type=float, default=8e-4)
    parser.add_argument("--probe-every", type=int, default=400, help="steps")
    parser.add_argument("--work-dir", type=Path, default=Path("runs"))
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    work_dir, folder = arguments.work_dir, arguments.work_dir / "distill" / arguments.name
    folder.mkdir(parents=True, exist_ok=True)
    features = arguments.features or Path(arguments.weights).name.split(".")[0]
    data = CachedTargets(work_dir, load_photos(work_dir, arguments.collection or ()), features)
    dev_probe = DevProbe(work_dir, features)

    inception = build_inception(arguments.weights, work_dir / "weights")
    outputs = [inception.get_layer(name).output for name in ("mixed8", "mixed10")]
    upper = keras.Model(inception.get_layer(CUT).output, outputs)
    student = Student(upper, data)
    optimizer = keras.optimizers.AdamW(
        keras.optimizers.schedules.PolynomialDecay(
            arguments.learning_rate / 20, 200, arguments.learning_rate
        ),
        weight_decay=0.02,
        global_clipnorm=5.0,
    )
    optimizer.build(student.trainable_variables)
    mean = RunningMean(upper)

    @tf.function
    def step(*batch: tf.Tensor) -> tuple[tf.Tensor, ...]:
        with tf.GradientTape() as tape:
            losses = student.losses_of(*(tf.cast(values, tf.float32) for values in batch))
            loss = losses[0] + losses[1] + LOGITS_WEIGHT * losses[2] + WORDS_WEIGHT * losses[3]
        variables = student.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        mean.update()
        return losses

    state = tf.train.Checkpoint(model=student, optimizer=optimizer, mean=mean)
    manager = tf.train.CheckpointManager(state, str(folder / "state"), max_to_keep=1)
    if manager.latest_checkpoint:
        state.restore(manager.latest_checkpoint).assert_existing_objects_matched()

    def save_and_probe(done: int, losses: np.ndarray) -> None:
        manager.save(checkpoint_number=done)
        with mean.applied():
            inception.save_weights(folder / "student.weights.h5")
            score = dev_probe(upper)
        row = {"step": done, "probe": score, "losses": [round(float(x), 4) for x in losses]}
        with (folder / "probe.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
        rows = [json.loads(line) for line in (folder / "probe.jsonl").read_text().splitlines()]
        curve = {"linear probe on dev": [(r["step"], r["probe"]) for r in rows]}
        plot_curves(folder / "probe.png", curve, "step", "mAP of pooled mixed10")
        tqdm.write(json.dumps(row))

    deadline = time.monotonic() + 60 * (arguments.minutes or 1e9)
    per_epoch = len(data.examples) // arguments.batch_size
    done = int(optimizer.iterations.numpy())
    recent: list[np.ndarray] = []
    with tqdm(total=arguments.epochs * per_epoch, initial=done, unit="step") as bar:
        while done < arguments.epochs * per_epoch and time.monotonic() < deadline:
            for batch in batches(data, arguments.batch_size, seed=done):
                recent.append(np.array([loss.numpy() for loss in step(*batch)]))
                done += 1
                bar.update()
                bar.set_postfix_str("/".join(f"{x:.3f}" for x in np.mean(recent[-50:], axis=0)))
                if done % arguments.probe_every == 0:
                    save_and_probe(done, np.mean(recent, axis=0))
                    recent = []
                if time.monotonic() > deadline:
                    break
    if recent:
        save_and_probe(done, np.mean(recent, axis=0))


if __name__ == "__main__":
    main()
