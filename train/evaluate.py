"""Scores of the exported models, or of a checkpoint, on any split.

    python -m train.evaluate --models models --collection flickr8k --split dev --beam-size 1 3 5
    python -m train.evaluate --models models --language uk --split test --json scores.json

With ``--models`` photos go through the exported ONNX encoder and decoders, so the numbers are of
what is served; features of a split are computed once per encoder and kept. With ``--run`` the Keras
checkpoint of `train.fit` captions the features it was trained on.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
from tqdm import tqdm

from train import checkpoint
from train.data import SPLITS, Photo, load_photos
from train.decoder import keras_engine
from train.features import load_features, pixel_batches, project
from train.metrics import habits, scores
from train.model_card import table
from train.search import LENGTH_PENALTY, Engine, describe, onnx_engine
from train.text import Vocabulary


def cached_features(models: Path, photos: list[Photo], cache: Path) -> np.ndarray:
    """What `encoded` gives for the photos of a split, kept under `cache`."""
    digest = json.loads((models / "manifest.json").read_text())["encoder"]["digest"]
    key = f"{digest.removeprefix('sha256:')[:16]}-{photos[0].collection}-{photos[0].split}"
    path = cache / f"{key}.npy"
    if path.exists():
        return np.load(path)
    features = encoded(models, photos)
    cache.mkdir(parents=True, exist_ok=True)
    np.save(path, features)
    return features


def encoder_session(path: Path) -> ort.InferenceSession:
    """An encoder as it is served: an 8-bit one is exact also on processors without VNNI."""
    options = ort.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", "1")
    return ort.InferenceSession(path, options)


def encoded(models: Path, photos: list[Photo]) -> np.ndarray:
    """Features of the photos from ``encoder.onnx``, float16 [photos, 64, D]."""
    session = encoder_session(models / "encoder.onnx")
    parts = []
    with tqdm(total=len(photos), desc="encode", unit="photo") as bar:
        for pixels in pixel_batches(photos, 8):
            (features,) = session.run(None, {"image": pixels})
            parts.append(features.astype(np.float16))
            bar.update(len(pixels))
    return np.concatenate(parts)


def served(
    models: Path, language: str, photos: list[Photo], cache: Path
) -> tuple[Engine, Vocabulary, np.ndarray]:
    """Decoder, words and features as they are served."""
    folder = models / "decoder" / language
    document = json.loads((folder / "vocabulary.json").read_text())
    engine = onnx_engine(folder, document["no_end"])
    return engine, Vocabulary(tuple(document["words"])), cached_features(models, photos, cache)


def trained(
    run: Path, language: str, photos: list[Photo], work_dir: Path
) -> tuple[Engine, Vocabulary, np.ndarray]:
    """Decoder, words and features of a Keras checkpoint."""
    decoder, vocabulary = checkpoint.load_decoder(run, language)
    projection = checkpoint.load_projection(run)
    name = checkpoint.read_notes(run)["encoder"]["features"]
    collection = photos[0].collection
    members = load_photos(work_dir, [collection])
    wanted = {photo.path for photo in photos}
    rows = [row for row, photo in enumerate(members) if photo.path in wanted]
    grids = load_features(work_dir, name, "mixed10", collection)
    engine = keras_engine(decoder, vocabulary, language)
    return engine, vocabulary, project(projection, grids, rows)


def captioner(
    models: Path | None, run: Path | None, language: str, split: list[Photo], work_dir: Path
) -> tuple[Engine, Vocabulary, np.ndarray]:
    """As exported, if `models` is given, or else as trained; features of all photos of a split."""
    if models:
        return served(models, language, split, work_dir / "served")
    assert run, "one of the two is needed"
    return trained(run, language, split, work_dir)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m train.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--models", type=Path, default=Path("models"))
    source.add_argument("--run", type=Path, help="a folder that train.fit wrote")
    parser.add_argument("--collection", default="flickr8k")
    parser.add_argument("--split", default="dev", choices=SPLITS)
    parser.add_argument("--language", action="append", help="default: en")
    parser.add_argument("--beam-size", type=int, nargs="+", default=[5], help="1 is greedy")
    parser.add_argument("--length-penalty", type=float, default=LENGTH_PENALTY)
    parser.add_argument("--json", type=Path, help="scores of this call are added to this file")
    parser.add_argument(
        "--captions", type=Path, help="adds photo, language, beam and caption to this .tsv"
    )
    parser.add_argument("--work-dir", type=Path, default=Path("runs"))
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    rows = []
    for language in arguments.language or ["en"]:
        everything = load_photos(arguments.work_dir, [arguments.collection])
        # Features are kept per split, so all of its photos are encoded, captioned or not.
        split = [photo for photo in everything if photo.split == arguments.split]
        models = None if arguments.run else arguments.models
        engine, vocabulary, features = captioner(
            models, arguments.run, language, split, arguments.work_dir
        )
        known = [i for i, photo in enumerate(split) if photo.captions.get(language)]
        references = [split[i].captions[language] for i in known]
        for beam_size in arguments.beam_size:
            beams = describe(
                engine, features[known], beam_size, length_penalty=arguments.length_penalty
            )
            captions = [vocabulary.decode(beam.ids) for beam in beams]
            row = {
                "collection": arguments.collection,
                "split": arguments.split,
                "language": language,
                "beam": beam_size,
                "photos": len(known),
                **scores(captions, references, language),
                **{k: round(v, 3) for k, v in habits(captions, references, language).items()},
            }
            rows.append(row)
            if arguments.captions:
                names = [split[i].path.name for i in known]
                with arguments.captions.open("a") as file:
                    for name, caption in zip(names, captions, strict=True):
                        file.write(f"{name}\t{language}\t{beam_size}\t{caption}\n")
    print(table(rows))
    if arguments.json:
        old = json.loads(arguments.json.read_text()) if arguments.json.exists() else []
        keys = ("collection", "split", "language", "beam")
        new = {tuple(row[key] for key in keys) for row in rows}
        kept = [row for row in old if tuple(row[key] for key in keys) not in new]
        arguments.json.write_text(json.dumps([*kept, *rows], indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
