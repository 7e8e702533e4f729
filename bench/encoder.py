"""The bare encoder: one ONNX session, nothing around it, in every layout of threads and batches."""

import math
import os

import numpy as np
import onnx
import onnxruntime as ort

from bench.figures import Figures
from bench.times import repeated
from services.common.manifest import EncoderModel, read_manifest
from services.common.settings import REPOSITORY
from services.encoder.session import EncoderSession

LAYOUTS = {
    "all_threads": (0, 1),
    "all_threads_batch_4": (0, 4),
    "one_thread": (1, 1),
}
"""Threads (0: one per core) and photos in a run."""


def measure() -> Figures:
    model = read_manifest(REPOSITORY / "models").encoder
    figures: Figures = {"encoder_gflop": gflop(model)}
    for name, (threads, batch) in LAYOUTS.items():
        session = EncoderSession(model, threads)
        noise = np.random.default_rng(0).integers(0, 256, (session.side, session.side, 3), np.uint8)
        took = repeated(lambda run=session.run, photos=[noise] * batch: run(photos), 3.0)
        parallel = (os.cpu_count() or 1) if threads == 1 else 1
        figures[f"encoder_{name}_ms"] = took.p50
        # With one thread a run, as many runs as cores go on at the same time.
        figures[f"encoder_{name}_per_s"] = 1000 * batch * parallel / took.p50
    figures["encoder_stock_ms"] = stock(model)
    figures["encoder_best_ms"] = min(
        1000 / value for name, value in figures.items() if name.endswith("_per_s")
    )
    return figures


def stock(model: EncoderModel) -> float:
    """One run as ONNX Runtime is configured by default: the pool spins, the arena keeps memory."""
    session = ort.InferenceSession(model.file.path, providers=["CPUExecutionProvider"])
    side = session.get_inputs()[0].shape[1]
    photo = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), np.uint8)
    return repeated(lambda: session.run(["features"], {"image": photo}), 3.0).p50


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
