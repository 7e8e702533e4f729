"""Takes exported models back into a training run, so that training can go on from them.

    python -m export.reopen --photos runs/data/flickr8k/images

Writes ``<work-dir>/fit/<name>/`` (what `train.checkpoint` describes) and the encoder's
``<work-dir>/fit/<name>/encoder/<name>.weights.h5``, for ``--weights``, ``--run`` and
``--start-from`` of `train.distill`, `train.finetune` and `train.fit`. Weights are those of the
graphs, float16 precise. Export folded every batch norm into its convolution; so that it can be
trained again, its mean is measured anew on the photos (see `unfold_batch_norm`).
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import keras
import numpy as np
import onnx
from onnx import numpy_helper

from export.parity import session
from train import checkpoint
from train.data import load_pixels
from train.decoder import AttentionDecoder, DecoderSize, projection_of
from train.inception import in_creation_order
from train.text import Vocabulary

BATCH = 16
TOLERANCE = 1e-3  # of the largest feature: the arithmetic differs, the weights do not
# "scope/conv2d_7_1/convolution/ReadVariableOp:0": Keras's name of the layer, with the number of the
# call behind it; the first layer's name has no number.
_CONVOLUTION = re.compile(r"conv2d(?:_(\d+))?_\d+/")


def named_weights(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """float32 arrays by name, those stored as float16 included."""
    return {
        tensor.name.removesuffix("/float16"): numpy_helper.to_array(tensor).astype(np.float32)
        for tensor in model.graph.initializer
        if tensor.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    }


def reopen_encoder(model: onnx.ModelProto) -> tuple[keras.Model, keras.layers.Dense]:
    """InceptionV3 and the projection with the graph's weights; batch norms only add.

    Raises:
        ValueError: the graph is not an encoder that `export` wrote.
    """
    keras.utils.clear_session()
    inception = keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(299, 299, 3)
    )
    convolutions = in_creation_order(inception, keras.layers.Conv2D)
    norms = in_creation_order(inception, keras.layers.BatchNormalization)
    weights = named_weights(model)
    nodes = {}
    for node in model.graph.node:
        if node.op_type == "Conv" and (found := _CONVOLUTION.search(node.input[1])):
            nodes[int(found[1] or 0)] = node
    if len(nodes) != len(convolutions):
        raise ValueError(f"{len(nodes)} convolutions, {len(convolutions)} expected")
    for number, convolution, norm in zip(sorted(nodes), convolutions, norms, strict=True):
        kernel, bias = (weights[name] for name in nodes[number].input[1:])
        convolution.set_weights([kernel.transpose(2, 3, 1, 0)])
        norm.set_weights([bias, np.zeros_like(bias), np.full_like(bias, 1 - norm.epsilon)])
    return inception, projection_of(*_dense(weights, "projection"))


def unfold_batch_norm(inception: keras.Model, pixels: np.ndarray) -> None:
    """Gives every batch norm the mean of its input back, and adds it to what it adds.

    What the network computes stays the same, and training can go on: with the mean of a batch in
    the place of the kept one a norm gives about what it gave before. The variance is one, since
    export divided the kernels by the deviation.

    Args:
        inception: as `reopen_encoder` gives it.
        pixels: uint8 [n, 299, 299, 3] to measure on.
    """
    norms = in_creation_order(inception, keras.layers.BatchNormalization)
    inputs = keras.Model(inception.input, [norm.input for norm in norms])
    batches = [pixels[i : i + BATCH] for i in range(0, len(pixels), BATCH)]
    sums = [np.zeros(norm.beta.shape[0], np.float64) for norm in norms]
    for batch in batches:
        for total, values in zip(sums, inputs(batch.astype(np.float32) / 255), strict=True):
            total += np.asarray(values).mean(axis=(1, 2)).sum(axis=0)
    for norm, total in zip(norms, sums, strict=True):
        beta, _, variance = norm.get_weights()
        mean = (total / len(pixels)).astype(np.float32)
        norm.set_weights([beta + mean, mean, variance])


def _dense(weights: dict[str, np.ndarray], layer: str, use_bias: bool = True) -> list[np.ndarray]:
    """Kernel and bias of a dense layer; a bias that is zero was left out of the graph."""
    kernel = weights[f"{layer}_1/Cast/ReadVariableOp:0"]
    zero = np.zeros(kernel.shape[-1], np.float32)
    bias = weights.get(f"{layer}_1/BiasAdd/ReadVariableOp:0", zero)
    return [kernel, bias] if use_bias else [kernel]


def reopen_decoder(init: onnx.ModelProto, step: onnx.ModelProto) -> AttentionDecoder:
    """The decoder that the two graphs were exported from."""
    weights = named_weights(init) | named_weights(step)
    embedding = weights["embedding_1/GatherV2/ReadVariableOp:0"]
    features, attention = _dense(weights, "keys")[0].shape
    hidden = _dense(weights, "query")[0].shape[0]
    size = DecoderSize(len(embedding), features, hidden, attention, embedding.shape[1])
    decoder = AttentionDecoder(size)
    decoder.build()
    decoder.embedding.set_weights([embedding])
    for layer in decoder.layers:
        if isinstance(layer, keras.layers.Dense):
            layer.set_weights(_dense(weights, layer.name, layer.use_bias))
    return decoder


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m export.reopen",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--photos", type=Path, required=True, help="folder of training photos")
    parser.add_argument("--photo-count", type=int, default=256)
    parser.add_argument("--name", default="shipped")
    parser.add_argument("--work-dir", type=Path, default=Path("runs"))
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    models, run = arguments.models, arguments.work_dir / "fit" / arguments.name
    weights = run / "encoder" / f"{run.name}.weights.h5"
    weights.parent.mkdir(parents=True, exist_ok=True)
    paths = sorted(p for p in arguments.photos.iterdir() if p.suffix.lower() in (".jpg", ".jpeg"))
    chosen = np.random.default_rng(0).permutation(len(paths))[: arguments.photo_count]
    pixels = np.stack([load_pixels(paths[i]) for i in sorted(chosen)])

    graph = onnx.load(models / "encoder.onnx")
    inception, projection = reopen_encoder(graph)
    unfold_batch_norm(inception, pixels)
    some = pixels[:BATCH]
    (expected,) = session(graph).run(None, {"image": some})
    grid = inception(some.astype(np.float32) / 255, training=False)
    given = projection(keras.ops.reshape(grid, (len(some), -1, grid.shape[-1]))).numpy()
    delta = float(np.abs(given - expected).max())
    if delta > TOLERANCE * float(expected.max()):
        raise SystemExit(f"{models / 'encoder.onnx'}: taken back it differs by {delta:.1e}")
    print(f"encoder: max |Δ| {delta:.1e} of features up to {expected.max():.1f}")
    inception.save_weights(weights)
    checkpoint.save_projection(projection, run)
    for folder in sorted((models / "decoder").iterdir()):
        decoder = reopen_decoder(*(onnx.load(folder / f"{name}.onnx") for name in ("init", "step")))
        checkpoint.save_decoder(decoder, run, folder.name)
        words = json.loads((folder / "vocabulary.json").read_text())["words"]
        Vocabulary(tuple(words)).save(run / f"{folder.name}.vocabulary.json")
        print(f"decoder {folder.name}: {len(words)} words")
    encoder = {"weights": str(weights), "features": run.name}
    checkpoint.write_notes(run, {"encoder": encoder})


if __name__ == "__main__":
    main()
