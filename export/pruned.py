"""The narrow encoder of `train.prune` as an ONNX model, and what it costs in quality.

    python -m export.pruned --models models --work-dir runs

Writes ``encoder-pruned.onnx``, compared with Keras as every export is, and prints its time on one
photo and its dev CIDEr (beam 3) beside those of the whole encoder, from the shipped decoders.
``--int8`` does the same for its 8-bit form (`export.int8`), ``encoder-pruned-int8.onnx``, and
enters it into the manifest with its scores: the services offer it where they are good enough.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime as ort

from export import graphs, parity
from export.float16 import fold_batch_norm, round_weights
from export.int8 import ENCODER_PHOTOS, METHODS, dev_cider, quantize_encoder, spread, swapped
from export.manifest import variant_entry, write_json
from train.data import Photo, load_photos, load_pixels
from train.evaluate import encoder_session
from train.prune import load_pruned, whole_encoder

TURNS, RUNS = 6, 10  # of each encoder
REST = 0.3  # seconds
PARITY = 16  # photos


def export_pruned(pruned: keras.Model, pixels: np.ndarray, target: Path) -> None:
    """Writes the graph of uint8 photos → features.

    Raises:
        parity.ParityError: it does not compute what Keras does.
    """
    fold_batch_norm(pruned)
    round_weights(pruned)
    *_, last, projection = pruned.layers
    encode = graphs.encoder_function(
        keras.Model(pruned.input, last.output), projection, low=0.0, high=1.0
    )
    encoder = graphs.export_encoder(encode)
    delta, _ = parity.check_encoder(encoder, encode, pixels)
    onnx.save(encoder, target)
    print(f"{target.name}: {target.stat().st_size / 1e6:.1f} MB, max |Δ| {delta:.1e}")


def time_ratio(original: Path, other: Path, image: np.ndarray, threads: int) -> float:
    """Median time of `other` on one photo [1, 299, 299, 3], that of `original` being 1."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    sessions = [ort.InferenceSession(path, options) for path in (original, other)]
    times: list[list[float]] = [[], []]
    for turn in range(2 * TURNS):
        session = sessions[turn % 2]
        # The threads of the other session spin on for a while, on the same cores.
        time.sleep(REST)
        session.run(None, {"image": image})
        for _ in range(RUNS):
            before = time.perf_counter()
            session.run(None, {"image": image})
            times[turn % 2].append(time.perf_counter() - before)
    whole, narrow = (float(np.median(taken)) for taken in times)
    return narrow / whole


def relative_error(original: Path, other: Path, photos: list[Photo]) -> float:
    """Squared error of the features, their variance being 1."""
    pixels = np.stack([load_pixels(photo.path) for photo in photos])
    wanted, given = (
        encoder_session(path).run(None, {"image": pixels})[0] for path in (original, other)
    )
    spread = wanted - wanted.mean(axis=(0, 1))
    return float(((given - wanted) ** 2).mean() / (spread**2).mean())


def report(
    models: Path, other: Path, dev: list[Photo], before: dict[str, float], work_dir: Path
) -> dict[str, float]:
    """Prints what `other` costs and saves beside ``encoder.onnx``; its dev CIDEr.

    Args:
        before: dev CIDEr of every language with ``encoder.onnx``.
    """
    original = models / "encoder.onnx"
    image = load_pixels(dev[0].path)[None]
    for threads in (1, 2):
        print(f"{other.name}: {time_ratio(original, other, image, threads):.3f} x the time", end="")
        print(f" with {threads} thread(s)", flush=True)
    print(f"{other.name}: relative error {relative_error(original, other, dev[::16]):.4f}")
    document = json.loads((models / "manifest.json").read_text())
    with tempfile.TemporaryDirectory() as scratch:
        exchanged = swapped(models, Path(scratch) / "models", document, encoder=other)
        after = dev_cider(exchanged, dev, list(before), work_dir)
    for language, score in before.items():
        print(f"{other.name}: dev CIDEr {language} {after[language]} (whole {score})", flush=True)
    return after


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m export.pruned",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--output", type=Path, help="folder to write to (default: the models)")
    parser.add_argument("--name", default="pruned", help="folder that train.prune wrote")
    parser.add_argument("--run", type=Path, help="default: what export.reopen wrote")
    parser.add_argument("--int8", action="store_true", help="an 8-bit form as well")
    parser.add_argument("--collection", default="flickr8k", help="to judge and calibrate on")
    parser.add_argument("--work-dir", type=Path, default=Path("runs"))
    arguments = parser.parse_args()
    work_dir, models = arguments.work_dir, arguments.models
    output = arguments.output or models
    output.mkdir(parents=True, exist_ok=True)
    photos = load_photos(work_dir, [arguments.collection])
    train = [photo for photo in photos if photo.split == "train"]
    dev = [photo for photo in photos if photo.split == "dev"]

    whole = whole_encoder(arguments.run or work_dir / "fit" / "shipped", work_dir)
    pruned = load_pruned(whole, work_dir / "prune" / arguments.name)
    target = output / "encoder-pruned.onnx"
    some = np.stack([load_pixels(photo.path) for photo in train[:PARITY]])
    export_pruned(pruned, some, target)
    document = json.loads((models / "manifest.json").read_text())
    before = dev_cider(models, dev, list(document["decoders"]), work_dir)
    report(models, target, dev, before, work_dir)
    if arguments.int8:
        small = output / "encoder-pruned-int8.onnx"
        quantize_encoder(target, small, spread(train, ENCODER_PHOTOS), METHODS["minmax"])
        after = report(models, small, dev, before, work_dir)
        if output == models:
            entry = variant_entry(models, small, "pruned", before, after)
            document["encoder"]["pruned"] = entry
            write_json(models / "manifest.json", document)


if __name__ == "__main__":
    main()
