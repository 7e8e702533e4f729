"""Makes the encoder narrower, so that it multiplies less.

    python -m export.reopen --photos runs/data/flickr8k/images
    python -m train.features --weights runs/fit/shipped/encoder/shipped.weights.h5 --layer mixed7 \
        --layer mixed10 --bfloat16
    python -m train.prune --share 0.54 --epochs 4 --bfloat16
    python -m export.pruned

Chooses the channels that stay and refits the weights (`train.channels`), then trains the narrow
encoder to give the features of the whole one, and what its ``mixed7`` has in the channels that
stayed (Hinton et al. 2015, arXiv 1503.02531; Romero et al. 2014, arXiv 1412.6550). Photos of split
``train`` only; of them `HELD_OUT` are for watching the error.

The learning rate is constant and the weights that are kept are a running mean of the trained ones,
so a run may be stopped, looked at and resumed at any step, also with a lower rate. Writes
``kept.npz``, ``pruned.weights.h5``, ``errors.jsonl`` and ``errors.png`` into
``<work-dir>/prune/<name>/``.
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

from train import checkpoint
from train.channels import (
    Kept,
    Moments,
    Work,
    choose_channels,
    full_widths,
    kept_inputs,
    narrowed,
    prune,
    sources,
)
from train.data import load_photos, load_pixels, places
from train.features import load_features
from train.inception import BFLOAT16, build_inception
from train.plots import plot_curves
from train.read_ahead import read_ahead
from train.running_mean import RunningMean
from train.steps import run_steps

HELD_OUT = 256  # train photos
BETWEEN = "mixed7"  # where the narrow encoder is led as well
WEIGHT_BETWEEN = 0.1
WARM_UP = 100  # steps
Batch = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Pixels uint8 [n, 299, 299, 3]; the whole encoder's mixed7 and mixed10, float16 [n, h, w, c]."""


def whole_encoder(run: Path, work_dir: Path) -> keras.Model:
    """float32 [n, 299, 299, 3] in [0, 1] → features [n, 8, 8, D]: InceptionV3 and projection."""
    weights = checkpoint.read_notes(run)["encoder"]["weights"]
    inception = build_inception(weights, work_dir / "weights")
    return keras.Model(inception.input, checkpoint.load_projection(run)(inception.output))


def load_kept(folder: Path) -> Kept:
    with np.load(folder / "kept.npz") as saved:
        return {name: saved[name] for name in saved.files}


def load_pruned(whole: keras.Model, folder: Path, *, bfloat16: bool = False) -> keras.Model:
    """The narrow encoder that a run wrote."""
    widths = {name: len(channels) for name, channels in load_kept(folder).items()}
    pruned = narrowed(whole, widths, bfloat16=bfloat16)
    pruned.load_weights(folder / "pruned.weights.h5")
    return pruned


class TrainPhotos:
    """Photos of split ``train``, with what the whole encoder makes of them."""

    def __init__(self, work_dir: Path, features: str, collections: list[str]) -> None:
        photos = load_photos(work_dir, collections)
        self._photos = photos
        self._places = places(photos)
        self._maps = {
            one: [load_features(work_dir, features, layer, one) for layer in (BETWEEN, "mixed10")]
            for one in {photo.collection for photo in photos}
        }
        rows = np.array([row for row, photo in enumerate(photos) if photo.split == "train"])
        rows = np.random.default_rng(0).permutation(rows)
        self.held_out, self.rows = rows[:HELD_OUT], rows[HELD_OUT:]

    def pixels(self, rows: np.ndarray) -> np.ndarray:
        return np.stack([load_pixels(self._photos[row].path) for row in rows])

    def read(self, rows: np.ndarray) -> Batch:
        maps = [[array[row] for array in self._maps[one]] for one, row in self._at(rows)]
        between, last = (np.stack(column) for column in zip(*maps, strict=True))
        return self.pixels(rows), between, last

    def batches(self, size: int, seed: int) -> Iterator[Batch]:
        """Epoch after epoch; the next batch is read while this one is used."""
        for epoch in count(seed):
            order = np.random.default_rng(epoch).permutation(self.rows)
            ends = range(size, len(order) + 1, size)
            yield from read_ahead(self.read, [order[end - size : end] for end in ends])

    def _at(self, rows: np.ndarray) -> list[tuple[str, int]]:
        return [self._places[row] for row in rows]


class Student:
    """The narrow encoder under training, beside the whole one's projection."""

    def __init__(
        self, whole: keras.Model, folder: Path, learning_rate: float, *, bfloat16: bool
    ) -> None:
        kept = load_kept(folder)
        self.model = load_pruned(whole, folder, bfloat16=bfloat16)
        between = self.model.get_layer(BETWEEN).output
        self._tapped = keras.Model(self.model.input, [between, self.model.output])
        self._projection = whole.layers[-1]
        everything = {name: np.arange(width) for name, width in full_widths(whole).items()}
        layer = whole.get_layer(BETWEEN)
        self._between = kept_inputs(layer, sources(whole)[BETWEEN], everything, kept)
        # Refitted weights are close already: steps of full size in all of them would undo that.
        self.optimizer = keras.optimizers.Adam(
            keras.optimizers.schedules.PolynomialDecay(
                learning_rate / WARM_UP, WARM_UP, learning_rate
            ),
            global_clipnorm=1.0,
        )
        self.optimizer.build(self.model.trainable_variables)
        self.mean = RunningMean(self.model)

    def _errors(self, pixels: tf.Tensor, between: tf.Tensor, last: tf.Tensor) -> list[tf.Tensor]:
        """Squared errors relative to the variance: of features and of mixed7."""
        ours = self._tapped(tf.cast(pixels, tf.float32) / 255, training=False)
        features = self._projection(tf.cast(last, tf.float32))
        between = tf.gather(tf.cast(between, tf.float32), self._between, axis=-1)
        pairs = ((ours[1], features), (ours[0], between))
        return [
            tf.reduce_mean((tf.cast(given, tf.float32) - wanted) ** 2)
            / tf.reduce_mean((wanted - tf.reduce_mean(wanted, axis=(0, 1, 2))) ** 2)
            for given, wanted in pairs
        ]

    @tf.function(reduce_retracing=True)
    def step(self, pixels: tf.Tensor, between: tf.Tensor, last: tf.Tensor) -> list[tf.Tensor]:
        """One update; returns the errors."""
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            errors = self._errors(pixels, between, last)
            loss = errors[0] + WEIGHT_BETWEEN * errors[1]
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        self.mean.update()
        return errors

    @tf.function(reduce_retracing=True)
    def errors(self, pixels: tf.Tensor, between: tf.Tensor, last: tf.Tensor) -> list[tf.Tensor]:
        return self._errors(pixels, between, last)


def start(whole: keras.Model, data: TrainPhotos, share: float, count: int, folder: Path) -> None:
    """Chooses channels and refits, on `count` photos; writes the untrained narrow encoder."""
    pixels = data.pixels(data.rows[:count]).astype(np.float32) / 255
    kept = choose_channels(whole, Moments(whole, pixels), share)
    np.savez(folder / "kept.npz", **kept)
    prune(whole, kept, pixels).save_weights(folder / "pruned.weights.h5")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m train.prune",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--run", type=Path, help="default: what export.reopen wrote")
    parser.add_argument("--features", default="shipped", help="folder of its mixed7 and mixed10")
    parser.add_argument("--collection", action="append", help="default: all imported")
    parser.add_argument("--share", type=float, default=0.54, help="of the work that stays")
    parser.add_argument("--photo-count", type=int, default=256, help="to choose and refit on")
    parser.add_argument("--name", default="pruned")
    parser.add_argument("--epochs", type=float, default=4)
    parser.add_argument("--minutes", type=float, help="stop after this time; resumable")
    parser.add_argument("--batch-size", type=int, default=24)
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--check-every", type=int, default=250, help="steps")
    parser.add_argument("--bfloat16", action="store_true", help=BFLOAT16)
    parser.add_argument("--work-dir", type=Path, default=Path("runs"))
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    work_dir, folder = arguments.work_dir, arguments.work_dir / "prune" / arguments.name
    folder.mkdir(parents=True, exist_ok=True)
    data = TrainPhotos(work_dir, arguments.features, arguments.collection or [])
    whole = whole_encoder(arguments.run or work_dir / "fit" / "shipped", work_dir)
    if not (folder / "pruned.weights.h5").exists():
        start(whole, data, arguments.share, arguments.photo_count, folder)
    widths = {name: len(channels) for name, channels in load_kept(folder).items()}
    work = Work(whole)
    print(f"{work(widths) / 1e9:.2f} G multiplications of {work(full_widths(whole)) / 1e9:.2f} G")

    student = Student(whole, folder, arguments.learning_rate, bfloat16=arguments.bfloat16)
    state = tf.train.Checkpoint(model=student.model, optimizer=student.optimizer, mean=student.mean)
    manager = tf.train.CheckpointManager(state, str(folder / "state"), max_to_keep=1)
    if manager.latest_checkpoint:
        state.restore(manager.latest_checkpoint).assert_existing_objects_matched()

    def check(done: int, recent: list[list[float]]) -> None:
        parts = np.array_split(data.held_out, -(-HELD_OUT // arguments.batch_size))
        with student.mean.applied():
            errors = [[float(e) for e in student.errors(*data.read(rows))] for rows in parts]
            student.model.save_weights(folder / "pruned.weights.h5")
        manager.save(checkpoint_number=done)
        row = {"step": done, "error": np.mean(errors, axis=0).round(5).tolist()}
        if recent:
            row["training"] = np.mean(recent, axis=0).round(5).tolist()
        with (folder / "errors.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
        rows = [json.loads(line) for line in (folder / "errors.jsonl").read_text().splitlines()]
        curves = {
            f"{name} of held-out photos": [(row["step"], row["error"][i]) for row in rows]
            for i, name in enumerate(("features", BETWEEN))
        }
        plot_curves(folder / "errors.png", curves, "step", "squared error / variance")
        tqdm.write(json.dumps(row))

    done = int(student.optimizer.iterations.numpy())
    run_steps(
        data.batches(arguments.batch_size, seed=done),
        lambda batch: [float(error) for error in student.step(*map(tf.constant, batch))],
        check,
        lambda recent: {"error": f"{np.mean(recent, axis=0)[0]:.4f}"},
        done=done,
        total=int(arguments.epochs * (len(data.rows) // arguments.batch_size)),
        minutes=arguments.minutes,
        check_every=arguments.check_every,
    )


if __name__ == "__main__":
    main()
