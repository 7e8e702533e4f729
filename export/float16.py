"""Weights stored as float16, computed as float32: half the size on disk and in an image.

The Keras weights are rounded to float16 before export, so that storing them loses nothing and the
parity check compares arithmetic alone. ONNX Runtime folds the casts when a session is made.
"""

from __future__ import annotations

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALLEST = 256  # elements; smaller tensors and vectors stay float32


def fold_batch_norm(model: keras.Model) -> None:
    """Moves every batch norm's scale into the convolution before it, leaving it an addition.

    With mean 0 and variance 1 - ε the layer is ``x + beta`` exactly, also in float32.
    """
    for layer in model.layers:
        if not isinstance(layer, keras.layers.BatchNormalization):
            continue
        convolution = layer.input._keras_history.operation  # noqa: SLF001 (Keras has no other way)
        beta, mean, variance = (np.asarray(weight) for weight in layer.get_weights())
        scale = 1.0 / np.sqrt(variance + layer.epsilon)
        (kernel,) = convolution.get_weights()
        convolution.set_weights([kernel * scale])
        unit = np.full_like(variance, 1.0 - layer.epsilon)
        layer.set_weights([beta - mean * scale, np.zeros_like(mean), unit])


def round_weights(model: keras.Model | keras.layers.Layer) -> None:
    """Rounds every large matrix or kernel to the nearest float16.

    Raises:
        ValueError: a weight does not fit into float16.
    """
    for weight in model.weights:
        values = np.asarray(weight)
        if values.dtype != np.float32 or values.ndim < 2 or values.size < SMALLEST:
            continue
        rounded = values.astype(np.float16).astype(np.float32)
        if not np.isfinite(rounded).all():
            raise ValueError(f"{weight.path} does not fit into float16")
        weight.assign(rounded)


def store_as_float16(model: onnx.ModelProto) -> None:
    """Replaces large float32 initializers by float16 ones with a Cast behind them, in place.

    Raises:
        ValueError: an initializer is not a float16 number (see `round_weights`).
    """
    casts = []
    for tensor in list(model.graph.initializer):
        large = len(tensor.dims) > 1 and np.prod(tensor.dims) >= SMALLEST
        if tensor.data_type != TensorProto.FLOAT or not large:
            continue
        values = numpy_helper.to_array(tensor)
        half = values.astype(np.float16)
        # The graph optimiser multiplies by a batch norm's 1.0, which it computes to a few ulp.
        if not np.allclose(half.astype(np.float32), values, rtol=1e-5, atol=1e-7):
            worst = np.abs(half.astype(np.float32) - values).max()
            raise ValueError(f"{tensor.name} {values.shape} is not float16 (off by {worst:.2e})")
        name = f"{tensor.name}/float16"
        casts.append(helper.make_node("Cast", [name], [tensor.name], to=TensorProto.FLOAT))
        model.graph.initializer.remove(tensor)
        model.graph.initializer.append(numpy_helper.from_array(half, name))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
