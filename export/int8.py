"""8-bit variants of exported models, and what they cost in quality.

    python -m export.int8 --models models --work-dir runs

Writes ``encoder-int8.onnx`` (QDQ, per channel, calibrated on train photos) and, for every language,
``decoder/<language>/step-int8.onnx`` (the same, calibrated on the steps that caption them), then
captions the dev photos with each and records both scores in ``manifest.json``. The services offer a
variant only when its dev CIDEr is within 1 % of the original's, in every language.

Activations have fixed ranges: ranges measured as they come would be those of all that is computed
together, and a caption would depend on the captions beside it. Processors without VNNI add two
products in 16 bits: so that this does not saturate, a step's weights use 7 of the 8 bits. The
encoder's use all 8, for half of the error, and are run in a slower, exact way there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from export.float16 import store_as_float16
from export.manifest import digest, variant_entry, write_json
from export.pools import pools_after_convolutions, pools_as_convolutions
from train.data import Photo, load_photos
from train.evaluate import encoded, served
from train.features import pixel_batches
from train.metrics import cider
from train.search import STEP_INPUTS, describe, onnx_engine

ENCODER = "encoder-int8.onnx"
STEP = "step-int8.onnx"
BEAM_SIZE = 3  # what the services answer by default
ENCODER_PHOTOS, STEP_PHOTOS = 96, 128  # to calibrate on
PERCENTILE = 99.99
"""Of the numbers that a step multiplies; those beyond are clipped. The context has a few that are
far from all others, and a range with room for them rounds every step more coarsely."""
METHODS = {method.name.lower(): method for method in CalibrationMethod}


class TrainPhotos(CalibrationDataReader):
    """Feeds photos to the calibration, one at a time."""

    def __init__(self, photos: list[Photo]) -> None:
        self._batches: Iterator[np.ndarray] = pixel_batches(photos, 1)

    def get_next(self) -> dict[str, np.ndarray] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"image": batch}


def unfolded(source: Path, target: Path) -> Path:
    """Writes a graph with float32 weights; the quantizers do not see through casts."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    return target


def quantize_encoder(
    source: Path, target: Path, photos: list[Photo], method: CalibrationMethod
) -> None:
    """Everything in 8 bits but the features themselves.

    With `Relu` among the kinds, a convolution's result is rounded once, behind it. Without, it is
    rounded before as well, to a range with room for what the ReLU then drops.
    """
    with tempfile.TemporaryDirectory() as scratch:
        encoder = unfolded(source, Path(scratch) / "encoder.onnx")
        model = onnx.load(encoder)
        scaled = [node.name for node in model.graph.node if node.op_type == "Mul"]  # the photo
        pools_after_convolutions(model)
        pools_as_convolutions(model)
        onnx.save(model, encoder)
        quantize_static(
            encoder,
            target,
            TrainPhotos(photos),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Relu", "MaxPool", "Mul", "Concat", "MatMul"],
            nodes_to_exclude=scaled,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=method,
            extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul"]},
        )


def spread(photos: list[Photo], count: int) -> list[Photo]:
    """So many of the photos, at equal distances."""
    return photos[:: max(1, len(photos) // count)][:count]


class TrainSteps(CalibrationDataReader):
    """Feeds the steps that caption photos, as the float32 decoder takes them."""

    def __init__(self, folder: Path, features: np.ndarray) -> None:
        """Captions the photos of `features` [n, 64, D] with the decoder in `folder`."""
        document = json.loads((folder / "vocabulary.json").read_text())
        engine = onnx_engine(folder, document["no_end"])
        self._steps: list[tuple[np.ndarray, ...]] = []

        def step(*inputs: np.ndarray) -> tuple[np.ndarray, ...]:
            self._steps.append(inputs)
            return engine.step(*inputs)

        describe(replace(engine, step=step), features, BEAM_SIZE, batch_size=32)
        self._next = iter(self._steps)

    def get_next(self) -> dict[str, np.ndarray] | None:
        inputs = next(self._next, None)
        return None if inputs is None else dict(zip(STEP_INPUTS, inputs, strict=True))


def quantize_step(source: Path, target: Path, steps: TrainSteps) -> None:
    """Products with weights in 8 bits; attention over features stays float32."""
    with tempfile.TemporaryDirectory() as scratch:
        step = unfolded(source, Path(scratch) / "step.onnx")
        graph = onnx.load(step).graph
        weights = {tensor.name for tensor in graph.initializer}
        # The energy has one column: turning its long input into 8 bits takes longer than the
        # product.
        products = [
            node.name
            for node in graph.node
            if node.op_type == "MatMul" and node.input[1] in weights and "energy" not in node.name
        ]
        quantize_static(
            step,
            target,
            steps,
            quant_format=QuantFormat.QDQ,
            nodes_to_quantize=products,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={
                "CalibPercentile": PERCENTILE,
                "OpTypesToExcludeOutputQuantization": ["MatMul"],
            },
        )
    model = onnx.load(target)
    store_as_float16(model)  # the word embeddings, which are looked up and not multiplied
    onnx.save(model, target)


def dev_cider(
    models: Path, photos: list[Photo], languages: list[str], work_dir: Path
) -> dict[str, float]:
    """CIDEr × 100 of every language."""
    found = {}
    for language in languages:
        engine, vocabulary, features = served(models, language, photos, work_dir / "served")
        known = [row for row, photo in enumerate(photos) if photo.captions.get(language)]
        beams = describe(engine, features[known], BEAM_SIZE)
        captions = [vocabulary.decode(beam.ids) for beam in beams]
        references = [photos[row].captions[language] for row in known]
        found[language] = round(float(cider(captions, references)), 2)
    return found


def swapped(models: Path, target: Path, document: dict[str, Any], **files: Path) -> Path:
    """A copy of the models folder with other files: `encoder`, or a language's step."""
    shutil.copytree(models, target)
    encoder = files.pop("encoder", None)
    if encoder is not None:
        shutil.copy(encoder, target / "encoder.onnx")
        changed = {**document["encoder"], "digest": digest(encoder)}
        write_json(target / "manifest.json", {**document, "encoder": changed})
    for language, step in files.items():
        shutil.copy(step, target / "decoder" / language / "step.onnx")
    return target


def add_int8(
    models: Path,
    work_dir: Path,
    collection: str = "flickr8k",
    encoder_photos: int = ENCODER_PHOTOS,
    step_photos: int = STEP_PHOTOS,
    method: str = "minmax",
    decoders_only: bool = False,
) -> dict[str, Any]:
    """Adds the variants to a models folder; the manifest as it was written."""
    document: dict[str, Any] = json.loads((models / "manifest.json").read_text())
    languages = list(document["decoders"])
    photos = load_photos(work_dir, [collection])
    train = [photo for photo in photos if photo.split == "train"]
    dev = [photo for photo in photos if photo.split == "dev"]
    steps = {language: models / "decoder" / language / STEP for language in languages}

    if not decoders_only:
        few = spread(train, encoder_photos)
        quantize_encoder(models / "encoder.onnx", models / ENCODER, few, METHODS[method])
    features = encoded(models, spread(train, step_photos))
    for path in steps.values():
        quantize_step(path.with_name("step.onnx"), path, TrainSteps(path.parent, features))

    with tempfile.TemporaryDirectory() as scratch:
        room = Path(scratch)
        original = dev_cider(models, dev, languages, work_dir)
        decoders = swapped(models, room / "decoders", document, **steps)
        with_steps = dev_cider(decoders, dev, languages, work_dir)
        if not decoders_only:
            encoder = swapped(models, room / "encoder", document, encoder=models / ENCODER)
            with_encoder = dev_cider(encoder, dev, languages, work_dir)

    if not decoders_only:
        file = models / ENCODER
        document["encoder"]["int8"] = variant_entry(models, file, "int8", original, with_encoder)
    for language, path in steps.items():
        score = {language: with_steps[language]}
        entry = variant_entry(models, path, "int8", original, score)
        document["decoders"][language]["int8"] = entry
    write_json(models / "manifest.json", document)
    return document


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m export.int8",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--work-dir", type=Path, default=Path("runs"))
    parser.add_argument("--collection", default="flickr8k")
    parser.add_argument("--encoder-photos", type=int, default=ENCODER_PHOTOS)
    parser.add_argument("--step-photos", type=int, default=STEP_PHOTOS)
    parser.add_argument("--method", choices=sorted(METHODS), default="minmax")
    parser.add_argument("--decoders-only", action="store_true")
    arguments = parser.parse_args()
    document = add_int8(**vars(arguments))
    for name, entry in (("encoder", document["encoder"]), *document["decoders"].items()):
        if "int8" in entry:
            print(name, entry["int8"]["dev_cider"])


if __name__ == "__main__":
    main()
