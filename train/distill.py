"""Rebuilds the upper blocks of InceptionV3 from teachers that know ImageNet.

    python -m train.features --weights nsfwjs --layer mixed4
    python -m train.teachers --inception teacher.npz --lite2
    python -m train.distill --epochs 8
    python -m train.distill --weights runs/fit/shipped/encoder/shipped.weights.h5 --features nsfwjs

The second goes on from exported models (`export.reopen`).

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
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from train.data import load_photos
from train.features import load_features
from train.inception import BFLOAT16, build_inception
from train.plots import plot_curves
from train.probe import frequent_words, probe, word_labels
from train.running_mean import RunningMean
from train.steps import run_steps
from train.targets import CUT, LAYERS, CachedTargets, batches

# The losses are to be of one size: cross-entropy is about three times as large as the two
# standardised errors, the sum over the words about ten times.
WEIGHTS = {"mixed8": 1.0, "features": 1.0, "logits": 0.3, "words": 0.1}
RARE = keras.initializers.Constant(-4.0)  # a word starts at the odds of a rare one
STANDARDISE_ON = 400  # photos


class Student(keras.Model):
    """The blocks above ``mixed4`` and the linear heads."""

    def __init__(self, upper: keras.Model, data: CachedTargets) -> None:
        super().__init__()
        self.upper = upper  # mixed4 → mixed8, mixed10
        widths = {"mixed8": 1280, "features": 2048, "logits": 2048}  # of what a head reads
        self.heads = {}
        some = np.random.default_rng(0).permutation(len(data.examples))[:STANDARDISE_ON]
        targets = data.batch(some, np.zeros(len(some), bool))
        self._moments = {}
        for name in data.layers:
            self.heads[name] = keras.layers.Dense(targets[name].shape[-1])
            self.heads[name].build((None, widths[name]))
            if targets[name].ndim == 4:
                self._moments[name] = _channel_moments(targets[name])
        words = targets["words"].shape[-1]
        self.heads["words"] = keras.layers.Dense(words, bias_initializer=RARE)
        self.heads["words"].build((None, 2048))

    def losses_of(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One of each head, for what `CachedTargets.batch` gives.

        Mean squared error of standardised maps, cross-entropies of classes and words.
        """
        ours8, ours10 = (tf.cast(x, tf.float32) for x in self.upper(batch[CUT], training=True))
        pooled = tf.reduce_mean(ours10, axis=(1, 2))
        losses = {}
        for name, ours in (("mixed8", ours8), ("features", ours10)):
            if name in self._moments:
                error = self.heads[name](ours) - _standardise(batch[name], self._moments[name])
                losses[name] = tf.reduce_mean(error**2)
        if "logits" in self.heads:
            classes = tf.nn.softmax(batch["logits"])
            scores = self.heads["logits"](pooled)
            cross_entropy = tf.nn.softmax_cross_entropy_with_logits(classes, scores)
            losses["logits"] = tf.reduce_mean(cross_entropy)
        said = tf.nn.sigmoid_cross_entropy_with_logits(batch["words"], self.heads["words"](pooled))
        losses["words"] = tf.reduce_mean(tf.reduce_sum(said, axis=1) * batch["captioned"])
        return losses


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
        for split, photos_of_it in (("train", train), ("dev", dev)):
            rows = [i for i, photo in enumerate(photos) if photo.split == split]
            rows = rows[:photos_of_it]
            self._rows.append(rows)
            self._labels.append(word_labels([photos[i] for i in rows], words))

    def __call__(self, upper: keras.Model) -> float:
        """Mean average precision of the pooled ``mixed10``."""

        @tf.function(reduce_retracing=True)
        def pool(mixed4: tf.Tensor) -> tf.Tensor:
            _, mixed10 = upper(tf.cast(mixed4, tf.float32), training=False)
            return tf.reduce_mean(tf.cast(mixed10, tf.float32), axis=(1, 2))

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
    parser.add_argument(
        "--teacher", action="append", choices=sorted(LAYERS), help="default: all of them"
    )
    parser.add_argument("--bfloat16", action="store_true", help=BFLOAT16)
    parser.add_argument("--name", default="student")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--minutes", type=float, help="stop after this time; resumable")
    parser.add_argument("--batch-size", type=int, default=24)
    parser.add_argument("--learning-rate", type=float, default=8e-4)
    parser.add_argument("--probe-every", type=int, default=400, help="steps")
    parser.add_argument("--work-dir", type=Path, default=Path("runs"))
    return parser.parse_args()


def endless(data: CachedTargets, batch_size: int, seed: int) -> Iterator[dict[str, np.ndarray]]:
    """Epoch after epoch."""
    for epoch in count():
        yield from batches(data, batch_size, seed + epoch)


def mean_losses(losses: list[dict[str, float]]) -> dict[str, float]:
    names = losses[0] if losses else ()
    return {name: round(float(np.mean([row[name] for row in losses])), 4) for name in names}


def main() -> None:
    arguments = parse_arguments()
    work_dir, folder = arguments.work_dir, arguments.work_dir / "distill" / arguments.name
    folder.mkdir(parents=True, exist_ok=True)
    features = arguments.features or Path(arguments.weights).name.split(".")[0]
    photos = load_photos(work_dir, arguments.collection or ())
    data = CachedTargets(work_dir, photos, features, arguments.teacher or sorted(LAYERS))
    dev_probe = DevProbe(work_dir, features)

    inception = build_inception(
        arguments.weights, work_dir / "weights", bfloat16=arguments.bfloat16
    )
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
    def step(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            losses = student.losses_of({k: tf.cast(v, tf.float32) for k, v in batch.items()})
            loss = tf.add_n([WEIGHTS[name] * value for name, value in losses.items()])
        variables = student.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        mean.update()
        return losses

    state = tf.train.Checkpoint(model=student, optimizer=optimizer, mean=mean)
    manager = tf.train.CheckpointManager(state, str(folder / "state"), max_to_keep=1)
    if manager.latest_checkpoint:
        state.restore(manager.latest_checkpoint).assert_existing_objects_matched()

    def save_and_probe(done: int, losses: list[dict[str, float]]) -> None:
        manager.save(checkpoint_number=done)
        with mean.applied():
            inception.save_weights(folder / "student.weights.h5")
            score = dev_probe(upper)
        row = {"step": done, "probe": round(score, 4), "losses": mean_losses(losses)}
        with (folder / "probe.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
        rows = [json.loads(line) for line in (folder / "probe.jsonl").read_text().splitlines()]
        curve = {"linear probe on dev": [(r["step"], r["probe"]) for r in rows]}
        plot_curves(folder / "probe.png", curve, "step", "mAP of pooled mixed10")
        tqdm.write(json.dumps(row))

    done = int(optimizer.iterations.numpy())
    run_steps(
        endless(data, arguments.batch_size, seed=done),
        lambda batch: {name: float(loss) for name, loss in step(batch).items()},
        save_and_probe,
        mean_losses,
        done=done,
        total=arguments.epochs * (len(data.examples) // arguments.batch_size),
        minutes=arguments.minutes,
        check_every=arguments.probe_every,
    )


if __name__ == "__main__":
    main()
