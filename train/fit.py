"""Trains the projection and one decoder per language on features of a frozen encoder.

    python -m train.fit --features nsfwjs --encoder nsfwjs --name base
    python -m train.fit --text uk=pairs.en-uk.tsv.gz

Cross-entropy with label smoothing, attention that sees the whole photo over a caption (doubly
stochastic, Xu et al. 2015, eq. 14) and little of it at a word (entropy), word dropout, gradient
clipping, batches bucketed by length. All languages share the projection and are trained together.
``--text`` adds captions without photos, as many an epoch as there are with photos: they teach words
and grammar where captions of photos are few, and stand with the mean of all photos.
After every epoch the running mean of the weights captions the dev photos; the epoch with the best
CIDEr, averaged over the languages, is kept.
Writes what `train.checkpoint` describes, and ``curves.png``, into ``<work-dir>/fit/<name>/``.
Started again it goes on after the last whole epoch.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from train import checkpoint
from train.batches import Batch, Captions, encode_captions, epoch
from train.caption_model import CaptionModel
from train.data import Photo, caption_languages, load_photos
from train.decoder import GRID, keras_engine, projection_of
from train.embeddings import language_and_path, start_embedding
from train.metrics import cider
from train.plots import plot_curves
from train.reduce import COMPONENTS, Basis, reduced_features
from train.running_mean import RunningMean
from train.search import describe
from train.text import Vocabulary
from train.texts import Texts

DEV_BATCH = 100


def dev_cider(model: CaptionModel, vocabularies: dict[str, Vocabulary], dev: DevSet) -> dict:
    """Greedy CIDEr of every language on the dev photos that have captions in it."""
    result = {}
    for language, vocabulary in vocabularies.items():
        rows = [i for i, photo in enumerate(dev.photos) if photo.captions.get(language)]
        features = np.concatenate(
            [
                model.projection(dev.reduced[rows[i : i + 200]].astype(np.float32)).numpy()
                for i in range(0, len(rows), 200)
            ]
        )
        engine = keras_engine(model.decoders[language], vocabulary, language)
        captions = [
            vocabulary.decode(beam.ids)
            for beam in describe(engine, features, beam_size=1, batch_size=DEV_BATCH)
        ]
        references = [dev.photos[i].captions[language] for i in rows]
        result[language] = round(cider(captions, references), 2)
        tqdm.write(f"{language}: {' | '.join(captions[:: len(captions) // 4][:4])}")
    return result


class DevSet:
    """Dev photos of the collections that were trained on, with their reduced features."""

    def __init__(self, photos: list[Photo], reduced: np.ndarray) -> None:
        rows = [row for row, photo in enumerate(photos) if photo.split == "dev"]
        self.photos = [photos[row] for row in rows]
        self.reduced = reduced[rows]


def save(model: CaptionModel, basis: Basis, run: Path) -> None:
    """Writes the projection, folded with the basis, and the decoders."""
    kernel, bias = (np.asarray(weight) for weight in model.projection.get_weights())
    checkpoint.save_projection(projection_of(*basis.fold(kernel, bias)), run)
    for language, decoder in model.decoders.items():
        checkpoint.save_decoder(decoder, run, language)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m train.fit",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--features", default="nsfwjs", help="folder under features/")
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="NAME",
        help="features of the same photos changed, such as mirrored; may be repeated",
    )
    parser.add_argument("--encoder", default="nsfwjs", help="weights those features came from")
    parser.add_argument("--name", default="base")
    parser.add_argument("--start-from", type=Path, help="run whose projection and decoders go on")
    parser.add_argument("--language", action="append", help="default: those of the captions")
    parser.add_argument("--collection", action="append", help="default: flickr8k and coco")
    parser.add_argument(
        "--translated", action="store_true", help="with captions of train.translate"
    )
    parser.add_argument(
        "--text",
        action="append",
        default=[],
        type=language_and_path,
        metavar="LANGUAGE=PATH",
        help="captions without photos, as for train.embeddings; may be repeated",
    )
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--minutes", type=float, help="start no epoch after this time")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=6e-4)
    parser.add_argument("--dropout", type=float, default=0.4)
    parser.add_argument("--min-count", type=int, default=4, help="rarer words are left out")
    parser.add_argument("--work-dir", type=Path, default=Path("runs"))
    return parser.parse_args()


def choose_vocabulary(
    photos: list[Photo], language: str, min_count: int, start_from: Path | None
) -> Vocabulary:
    """The run's that is gone on from, or the words of the train captions."""
    if start_from:
        return checkpoint.load_vocabulary(start_from, language)
    train = [photo for photo in photos if photo.split == "train"]
    texts = (text for photo in train for text in photo.captions.get(language, ()))
    return Vocabulary.from_captions(texts, min_count)


def build_optimizer(learning_rate: float, steps: int) -> keras.optimizers.Optimizer:
    """Adam with a warm-up and a cosine down to 2 %."""
    schedule = keras.optimizers.schedules.CosineDecay(
        learning_rate / 20,
        decay_steps=steps,
        warmup_target=learning_rate,
        warmup_steps=min(200, steps // 10),
        alpha=0.02,
    )
    return keras.optimizers.Adam(schedule, global_clipnorm=5.0)


class Fit:
    """A model under training, with everything that a resumed run needs."""

    def __init__(self, model: CaptionModel, optimizer: keras.optimizers.Optimizer) -> None:
        self.model = model
        self.optimizer = optimizer
        optimizer.build(model.trainable_variables)
        self.mean = RunningMean(model, decay=0.999)
        ids = tf.TensorSpec((None, None), tf.int32)
        maps = tf.TensorSpec((None, GRID, COMPONENTS), tf.float16)
        self._compiled = {
            language: tf.function(partial(self._step, language), input_signature=[maps, ids, ids])
            for language in model.decoders
        }

    def _step(
        self, language: str, reduced: tf.Tensor, tokens: tf.Tensor, targets: tf.Tensor
    ) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss, cross_entropy = self.model.loss_of(language, reduced, tokens, targets)
        own = [*self.model.projection.trainable_variables]
        own += self.model.decoders[language].trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, own), own, strict=True))
        self.mean.update()
        return cross_entropy

    def run_epoch(
        self, batches: Iterable[Batch], variants: list[np.ndarray], seed: int, bar: tqdm
    ) -> float:
        """Trains on the batches and returns the mean cross-entropy per word.

        Every batch reads one of the `variants` of all photos' reduced features.
        """
        losses: list[float] = []
        generator = np.random.default_rng(seed)
        for batch in batches:
            reduced = variants[generator.integers(len(variants))]
            inputs = (reduced[batch.photos], batch.tokens, batch.targets)
            losses.append(float(self._compiled[batch.language](*inputs)))
            bar.update()
            bar.set_postfix_str(f"{np.mean(losses[-100:]):.3f}", refresh=False)
        return float(np.mean(losses))


def plot_history(history: list[dict], path: Path) -> None:
    curves = {"cross-entropy × 10": [(row["epoch"], 10 * row["loss"]) for row in history]}
    for language in history[0]["cider"]:
        points = [(row["epoch"], row["cider"][language]) for row in history]
        curves[f"dev CIDEr {language} (greedy)"] = points
    plot_curves(path, curves, "epoch", "")


def main() -> None:
    arguments = parse_arguments()
    work_dir, run = arguments.work_dir, arguments.work_dir / "fit" / arguments.name
    run.mkdir(parents=True, exist_ok=True)
    photos = load_photos(
        work_dir, arguments.collection or ("flickr8k", "coco"), translated=arguments.translated
    )
    reduced, basis = reduced_features(work_dir, arguments.features, photos)
    changed = [reduced_features(work_dir, name, photos, basis)[0] for name in arguments.also]
    variants = [np.pad(one, ((0, 1), (0, 0), (0, 0))) for one in (reduced, *changed)]
    dev = DevSet(photos, reduced)
    vocabularies: dict[str, Vocabulary] = {}
    captions: Captions = {}
    for language in arguments.language or caption_languages(photos):
        vocabulary = choose_vocabulary(photos, language, arguments.min_count, arguments.start_from)
        vocabulary.save(run / f"{language}.vocabulary.json")
        vocabularies[language] = vocabulary
        captions[language] = encode_captions(photos, language, vocabulary)
        print(f"{language}: {len(captions[language])} captions, {len(vocabulary)} words")
    texts = Texts(arguments.text, vocabularies)
    notes = {
        "encoder": {"weights": arguments.encoder, "features": arguments.features},
        "data": {
            "collections": sorted({photo.collection for photo in photos}),
            "captions": {language: len(rows) for language, rows in captions.items()},
        },
    }

    model = CaptionModel(vocabularies, arguments.dropout)
    if arguments.start_from:
        projection = checkpoint.load_projection(arguments.start_from)
        model.projection.set_weights(basis.unfold(*projection.get_weights()))
        for language, decoder in model.decoders.items():
            decoder.load_weights(arguments.start_from / f"{language}.weights.h5")
    else:
        for language, decoder in model.decoders.items():
            path = work_dir / "embeddings" / f"{language}.kv"
            start_embedding(decoder.embedding, vocabularies[language].words, path)
    mixed = texts.mixed_in(captions, len(photos), seed=0)
    per_epoch = sum(1 for _ in epoch(mixed, arguments.batch_size, seed=0))
    fit = Fit(model, build_optimizer(arguments.learning_rate, arguments.epochs * per_epoch))
    state = tf.train.Checkpoint(model=model, optimizer=fit.optimizer, mean=fit.mean)
    manager = tf.train.CheckpointManager(state, str(run / "state"), max_to_keep=1)
    history: list[dict] = []
    if manager.latest_checkpoint:
        state.restore(manager.latest_checkpoint).assert_existing_objects_matched()
        history = checkpoint.read_notes(run)["history"]

    deadline = time.monotonic() + 60 * (arguments.minutes or 1e9)
    while len(history) < arguments.epochs and time.monotonic() < deadline:
        number = len(history) + 1
        with tqdm(total=per_epoch, desc=f"epoch {number}", unit="step") as bar:
            mixed = texts.mixed_in(captions, len(photos), number)
            batches = epoch(mixed, arguments.batch_size, seed=number)
            loss = fit.run_epoch(batches, variants, number, bar)
        with fit.mean.applied():
            scores = dev_cider(model, vocabularies, dev)
            best = max((np.mean(list(row["cider"].values())) for row in history), default=0)
            if np.mean(list(scores.values())) > best:
                save(model, basis, run)
        history.append({"epoch": number, "loss": round(loss, 4), "cider": scores})
        print(json.dumps(history[-1]))
        manager.save(checkpoint_number=number)
        plot_history(history, run / "curves.png")
        checkpoint.write_notes(run, notes | {"history": history})


if __name__ == "__main__":
    main()
