"""Trains the encoder's upper blocks together with the decoders, on captions.

    python -m train.finetune --run runs/fit/base --name tuned --minutes 60

Starts from a run of `train.fit` and the encoder that it was trained on; gradients of the caption
loss flow through the projection into the blocks above ``mixed4``, from cached activations of photos
as they are and augmented, mirrored half of the time. Batch norm keeps the statistics it has. The
learning rates are constant and the weights that are kept are a running mean, so a run may be
stopped, looked at and resumed at any step. Writes what `train.checkpoint` describes,
``encoder/<name>.weights.h5`` and ``curves.png`` into ``<work-dir>/fit/<name>/`` whenever the mean
weights caption dev better than before. Features of the new encoder (`train.features
--from-cached`) are what `train.scst` goes on with.
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
from train.caption_model import CaptionModel
from train.data import Photo, load_photos
from train.decoder import GRID
from train.fit import DevSet, dev_cider
from train.inception import BFLOAT16, build_inception
from train.photo_batches import Captions, TrainPhotos
from train.plots import plot_curves
from train.running_mean import RunningMean
from train.targets import CUT
from train.text import Vocabulary

CHANNELS = 2048
DEV_PHOTOS = 400


class Joint:
    """Upper blocks and caption model under training."""

    def __init__(
        self, upper: keras.Model, captions: CaptionModel, learning_rate: float, upper_rate: float
    ) -> None:
        self.upper, self.captions = upper, captions
        self.optimizer = keras.optimizers.Adam(learning_rate, global_clipnorm=5.0)
        self.optimizer.build(captions.trainable_variables)
        self.upper_optimizer = keras.optimizers.AdamW(
            keras.optimizers.schedules.PolynomialDecay(upper_rate / 20, 100, upper_rate),
            weight_decay=0.01,
            global_clipnorm=5.0,
        )
        self.upper_optimizer.build(upper.trainable_variables)
        self.means = [RunningMean(model) for model in (upper, captions)]

    def step(self, mixed4: np.ndarray, batch: dict[str, Captions]) -> tf.Tensor:
        """One update; returns the mean cross-entropy per word over the languages."""
        tensors = {one: tuple(map(tf.constant, arrays)) for one, arrays in batch.items()}
        return self._step(tf.constant(mixed4), tensors)

    @tf.function(reduce_retracing=True)
    def _step(self, mixed4: tf.Tensor, batch: dict[str, tuple[tf.Tensor, ...]]) -> tf.Tensor:
        lower_variables = self.upper.trainable_variables
        variables = lower_variables + self.captions.trainable_variables
        with tf.GradientTape() as tape:
            mixed10 = self.upper(tf.cast(mixed4, tf.float32), training=False)
            grid = tf.reshape(tf.cast(mixed10, tf.float32), (-1, GRID, CHANNELS))
            losses, entropies = [], []
            for language, (photo, tokens, targets) in batch.items():
                chosen = tf.gather(grid, photo)
                loss, entropy = self.captions.loss_of(language, chosen, tokens, targets)
                losses.append(loss)
                entropies.append(entropy)
            total = tf.add_n(losses)
        gradients = tape.gradient(total, variables)
        gradients = [
            tf.zeros_like(variable) if gradient is None else gradient
            for gradient, variable in zip(gradients, variables, strict=True)
        ]
        count = len(lower_variables)
        self.upper_optimizer.apply_gradients(zip(gradients[:count], lower_variables, strict=True))
        self.optimizer.apply_gradients(zip(gradients[count:], variables[count:], strict=True))
        for mean in self.means:
            mean.update()
        return tf.reduce_mean(entropies)


class DevPhotos:
    """Some dev photos, captioned by the encoder as it is now."""

    def __init__(self, photos: list[Photo], data: TrainPhotos) -> None:
        rows = [row for row, photo in enumerate(photos) if photo.split == "dev"]
        chosen = np.random.default_rng(0).permutation(rows)[:DEV_PHOTOS]
        self._photos = [photos[row] for row in chosen]
        self._activations = data.activations(chosen)

    def encoded(self, upper: keras.Model) -> DevSet:
        """The photos with their grids, float16 [n, 64, 2048]."""

        @tf.function(reduce_retracing=True)
        def run(mixed4: tf.Tensor) -> tf.Tensor:
            return tf.cast(upper(tf.cast(mixed4, tf.float32), training=False), tf.float16)

        parts = [
            run(self._activations[i : i + 32]).numpy() for i in range(0, len(self._photos), 32)
        ]
        return DevSet(self._photos, np.concatenate(parts).reshape(-1, GRID, CHANNELS))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m train.finetune",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--run", type=Path, required=True, help="folder that train.fit wrote")
    parser.add_argument("--weights", help="encoder weights (default: what the run was trained on)")
    parser.add_argument("--cached", default="nsfwjs", help="folder of cached mixed4")
    parser.add_argument("--augmented", metavar="NAME", help="folder of train.features --augment")
    parser.add_argument("--collection", action="append", help="default: flickr8k and coco")
    parser.add_argument(
        "--translated", action="store_true", help="with captions of train.translate"
    )
    parser.add_argument("--name", default="tuned")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--minutes", type=float, help="stop after this time; resumable")
    parser.add_argument("--batch-size", type=int, default=16, help="photos")
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--upper-rate", type=float, default=1e-4, help="of the encoder's blocks")
    parser.add_argument("--dropout", type=float, default=0.4)
    parser.add_argument("--bfloat16", action="store_true", help=f"{BFLOAT16}; the encoder only")
    parser.add_argument("--check-every", type=int, default=150, help="steps")
    parser.add_argument("--work-dir", type=Path, default=Path("runs"))
    return parser.parse_args()


class Run:
    """The folder of a fine-tuning run: its curve, its best weights, and how to go on."""

    def __init__(self, folder: Path, joint: Joint, inception: keras.Model, notes: dict) -> None:
        self.folder, self.joint, self.inception, self.notes = folder, joint, inception, notes
        self.weights = folder / "encoder" / f"{folder.name}.weights.h5"
        self.weights.parent.mkdir(parents=True, exist_ok=True)
        state = tf.train.Checkpoint(
            upper=joint.upper,
            captions=joint.captions,
            optimizer=joint.optimizer,
            upper_optimizer=joint.upper_optimizer,
            means=joint.means,
        )
        self._manager = tf.train.CheckpointManager(state, str(folder / "state"), max_to_keep=1)
        self.history: list[dict] = []
        if self._manager.latest_checkpoint:
            state.restore(self._manager.latest_checkpoint).assert_existing_objects_matched()
            self.history = checkpoint.read_notes(folder)["finetuning"]

    def check(self, dev: DevPhotos, words: dict[str, Vocabulary], losses: list[float]) -> None:
        """Captions dev, keeps the weights if that went better than before, saves the state."""
        step = int(self.joint.optimizer.iterations.numpy())
        with self.joint.means[0].applied(), self.joint.means[1].applied():
            scores = dev_cider(self.joint.captions, words, dev.encoded(self.joint.upper))
            best = max((np.mean(list(row["cider"].values())) for row in self.history), default=0)
            if np.mean(list(scores.values())) > best:
                self._keep()
        loss = round(float(np.mean(losses)), 4) if losses else None
        self.history.append({"step": step, "loss": loss, "cider": scores})
        tqdm.write(json.dumps(self.history[-1]))
        self._manager.save(checkpoint_number=step)
        encoder = {"weights": str(self.weights), "features": self.folder.name}
        notes = self.notes | {"encoder": encoder, "finetuning": self.history}
        checkpoint.write_notes(self.folder, notes)
        curves = {
            f"dev CIDEr {language} (greedy, {DEV_PHOTOS} photos)": [
                (row["step"], row["cider"][language]) for row in self.history
            ]
            for language in words
        }
        plot_curves(self.folder / "curves.png", curves, "step", "")

    def _keep(self) -> None:
        self.inception.save_weights(self.weights)
        checkpoint.save_projection(self.joint.captions.projection, self.folder)
        for language, decoder in self.joint.captions.decoders.items():
            checkpoint.save_decoder(decoder, self.folder, language)


def main() -> None:
    arguments = parse_arguments()
    work_dir, folder = arguments.work_dir, arguments.work_dir / "fit" / arguments.name
    folder.mkdir(parents=True, exist_ok=True)
    notes = checkpoint.read_notes(arguments.run)
    notes.pop("calibration", None)
    photos = load_photos(
        work_dir, arguments.collection or ("flickr8k", "coco"), translated=arguments.translated
    )
    words = {
        language: checkpoint.load_vocabulary(arguments.run, language)
        for language in checkpoint.languages(arguments.run)
    }
    data = TrainPhotos(work_dir, photos, words, arguments.cached, arguments.augmented)
    dev = DevPhotos(photos, data)

    weights = arguments.weights or notes["encoder"]["weights"]
    inception = build_inception(weights, work_dir / "weights", bfloat16=arguments.bfloat16)
    upper = keras.Model(inception.get_layer(CUT).output, inception.output)
    captions = CaptionModel(words, arguments.dropout, inputs=CHANNELS)
    captions.projection.set_weights(checkpoint.load_projection(arguments.run).get_weights())
    for language, decoder in captions.decoders.items():
        decoder.load_weights(arguments.run / f"{language}.weights.h5")
        words[language].save(folder / f"{language}.vocabulary.json")
    joint = Joint(upper, captions, arguments.learning_rate, arguments.upper_rate)
    run = Run(folder, joint, inception, notes)
    if not run.history:
        run.check(dev, words, [])

    total = arguments.epochs * -(-len(data.rows) // arguments.batch_size)
    done = int(joint.optimizer.iterations.numpy())
    deadline = time.monotonic() + 60 * (arguments.minutes or 1e9)
    losses: list[float] = []
    with tqdm(total=total, initial=done, unit="step") as bar:
        while done < total and time.monotonic() < deadline:
            for mixed4, batch in data.batches(arguments.batch_size, seed=done):
                losses.append(float(joint.step(mixed4, batch)))
                done += 1
                bar.update()
                bar.set_postfix_str(f"{np.mean(losses[-50:]):.3f}", refresh=False)
                if done % arguments.check_every == 0 or time.monotonic() > deadline:
                    run.check(dev, words, losses)
                    losses = []
                if time.monotonic() > deadline:
                    break
    if losses:
        run.check(dev, words, losses)


if __name__ == "__main__":
    main()
