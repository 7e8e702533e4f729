"""Turns a training run into the models that the services load.

    python -m export --run runs/fit/base --photos runs/data/flickr8k/images

Writes ``encoder.onnx``, ``decoder/<language>/{init.onnx,step.onnx,vocabulary.json}`` and
``manifest.json`` into ``models/``. Every graph is compared with Keras on real photos first;
nothing is written when one of them differs.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from tqdm import tqdm

from export import graphs, parity
from export.float16 import fold_batch_norm, round_weights
from export.int8 import add_int8
from export.manifest import build_manifest, vocabulary_document, write_json
from train import checkpoint
from train.data import load_pixels
from train.inception import build_inception, input_range

LARGEST_MB = 120


def export_run(run: Path, weights: str, photos: list[Path], target: Path, cache: Path) -> None:
    """Writes all models of a run into the empty folder `target`.

    Raises:
        parity.ParityError: a graph does not compute what Keras does.
    """
    pixels = np.stack([load_pixels(path) for path in photos])  # [n, 299, 299, 3]
    inception = build_inception(weights, cache)
    projection = checkpoint.load_projection(run)
    encode = graphs.encoder_function(inception, projection, *input_range(weights))
    as_trained = encode(pixels).numpy()
    fold_batch_norm(inception)
    round_weights(inception)
    round_weights(projection)
    encode = graphs.encoder_function(inception, projection, *input_range(weights))

    encoder = graphs.export_encoder(encode)
    delta, features = parity.check_encoder(encoder, encode, pixels)
    rounding = float(np.abs(features - as_trained).max())
    print(f"encoder: max |Δ| {delta:.1e}; by storing float16 weights {rounding:.1e}")
    onnx.save(encoder, target / "encoder.onnx")
    deltas: dict[str, Any] = {"encoder": delta, "encoder_float16_weights": rounding}

    stored = features.astype(np.float16).astype(np.float32)  # what travels between the services
    for language in tqdm(checkpoint.languages(run), desc="decoders"):
        decoder, vocabulary = checkpoint.load_decoder(run, language)
        round_weights(decoder)
        init, step = graphs.export_init(decoder), graphs.export_step(decoder)
        deltas[language] = parity.check_decoder(init, step, decoder, stored)
        print(f"decoder {language}: max |Δ| {deltas[language]:.1e}")
        folder = target / "decoder" / language
        folder.mkdir(parents=True)
        onnx.save(init, folder / "init.onnx")
        onnx.save(step, folder / "step.onnx")
        notes = checkpoint.read_notes(run)
        document = vocabulary_document(language, vocabulary, notes)
        write_json(folder / "vocabulary.json", document)
    write_json(target / "manifest.json", build_manifest(target, checkpoint.read_notes(run), deltas))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--run", type=Path, required=True, help="folder that train.fit wrote")
    parser.add_argument("--weights", help="encoder weights (default: what the run was trained on)")
    parser.add_argument("--photos", type=Path, required=True, help="folder of photos for parity")
    parser.add_argument("--photo-count", type=int, default=16)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument(
        "--int8",
        type=Path,
        metavar="WORK_DIR",
        help="adds 8-bit models, calibrated and judged on the photos of this folder",
    )
    parser.add_argument("--cache", type=Path, default=Path("runs/weights"), help="for downloads")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    weights = arguments.weights or checkpoint.read_notes(arguments.run)["encoder"]["weights"]
    kinds = ("*.jpg", "*.jpeg", "*.png")
    photos = sorted(p for kind in kinds for p in arguments.photos.glob(kind))
    photos = photos[:: max(1, len(photos) // arguments.photo_count)][: arguments.photo_count]
    if not photos:
        raise SystemExit(f"no photos in {arguments.photos}")
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "models"
        target.mkdir()
        try:
            export_run(arguments.run, weights, photos, target, arguments.cache)
        except parity.ParityError as error:
            raise SystemExit(f"nothing written: {error}") from error
        size = parity.file_size_mb(target)
        if size > LARGEST_MB:
            raise SystemExit(f"nothing written: {size:.0f} MB, allowed {LARGEST_MB}")
        shutil.rmtree(arguments.models / "decoder", ignore_errors=True)
        shutil.copytree(target, arguments.models, dirs_exist_ok=True)
    if arguments.int8:
        add_int8(arguments.models, arguments.int8)
    print(f"{arguments.models}: {parity.file_size_mb(arguments.models):.1f} MB")


if __name__ == "__main__":
    main()
