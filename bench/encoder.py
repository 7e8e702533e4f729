"""The bare encoder: one ONNX session, nothing around it, in every layout of threads and batches."""

import math
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

from bench.figures import Figures
from bench.times import Times, repeated
from services.common.manifest import EncoderModel, read_manifest
from services.common.precision import EncoderPrecision
from services.common.settings import REPOSITORY
from services.encoder.session import EncoderSession
from services.encoder.settings import EncoderSettings

SECONDS = 3.0


def measure() -> Figures:
    model = read_manifest(REPOSITORY / "models").encoder
    served = layouts(model, EncoderSettings().encoder_precision)
    float32 = layouts(model, "fp32")
    pruned = layouts(model, "pruned")
    return {
        "encoder_gflop": gflop(model),
        **{f"encoder_{name}_per_s": rate for name, rate in float32.items()},
        "encoder_best_ms": 1000 / max(float32.values()),
        "encoder_alone_ms": alone(float32),
        "encoder_served_ms": 1000 / max(served.values()),
        "encoder_served_alone_ms": alone(served),
        "encoder_pruned_ms": 1000 / max(pruned.values()),
        "encoder_pruned_alone_ms": alone(pruned),
    }


def layouts(model: EncoderModel, precision: EncoderPrecision) -> dict[str, float]:
    """Photos a second, by how the cores share the work."""
    cores = os.cpu_count() or 1
    shared, narrow = EncoderSession(model, 0, precision), EncoderSession(model, 1, precision)
    noise = np.random.default_rng(0).integers(0, 256, (shared.side, shared.side, 3), np.uint8)
    with ThreadPoolExecutor(cores) as pool:
        taken = {
            "all_threads": (1, repeated(lambda: shared.run([noise]), SECONDS)),
            "all_threads_4_at_once": (4, repeated(lambda: shared.run([noise] * 4), SECONDS)),
            "a_core_per_photo": (
                cores,
                repeated(lambda: list(pool.map(narrow.run, [[noise]] * cores)), SECONDS),
            ),
            "stock": (1, stock(shared.file.path)),
        }
    return {name: 1000 * photos / times.p50 for name, (photos, times) in taken.items()}


def alone(rates: dict[str, float]) -> float:
    """Milliseconds of a photo with nothing beside it, with threads that spin or without."""
    return 1000 / max(rates["all_threads"], rates["stock"])


def stock(file: Path) -> Times:
    """One run as ONNX Runtime is configured by default: the pool spins, the arena keeps memory."""
    session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
    side = session.get_inputs()[0].shape[1]
    photo = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), np.uint8)
    return repeated(lambda: session.run(["features"], {"image": photo}), SECONDS)


def gflop(model: EncoderModel) -> float:
    """Arithmetic of the convolutions and the matrix product, multiply and add counted as two."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(model.file.path)).graph
    weights = {each.name: list(each.dims) for each in graph.initializer}
    shapes = {
        value.name: [dimension.dim_value or 1 for dimension in value.type.tensor_type.shape.dim]
        for value in (*graph.value_info, *graph.output)
    }
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in weights:
            weights[node.output[0]] = weights[node.input[0]]  # stored as float16
    operations = 0
    for node in graph.node:
        if node.op_type == "Conv":
            kernel = weights[node.input[1]]  # [out, in, height, width]
            _, _, height, width = shapes[node.output[0]]
            operations += 2 * math.prod(kernel) * height * width
        elif node.op_type == "MatMul":
            operations += 2 * math.prod(weights[node.input[1]]) * 64
    return operations / 1e9
