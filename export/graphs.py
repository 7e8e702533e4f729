"""Keras → ONNX: the encoder's graph and the two graphs of a decoder."""

from __future__ import annotations

import keras
import onnx
import tensorflow as tf
import tf2onnx

from export.float16 import store_as_float16
from train.data import IMAGE_SIZE
from train.decoder import GRID, AttentionDecoder
from train.search import TOP_K

OPSET = 17


def _convert(
    function: tf.types.experimental.GenericFunction, outputs: list[str]
) -> onnx.ModelProto:
    """Converts a traced function; outputs get the given names, weights are stored as float16."""
    signature = function.input_signature
    model, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=OPSET)
    renamed = dict(zip((output.name for output in model.graph.output), outputs, strict=True))
    for node in model.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    for output in model.graph.output:
        output.name = renamed[output.name]
    store_as_float16(model)
    onnx.checker.check_model(model)
    return model


def _spec(name: str, *shape: int | None, dtype: tf.DType = tf.float32) -> tf.TensorSpec:
    return tf.TensorSpec(shape, dtype, name=name)


def encoder_function(
    inception: keras.Model, projection: keras.layers.Dense, low: float, high: float
) -> tf.types.experimental.GenericFunction:
    """uint8 [batch, 299, 299, 3] → float32 features [batch, 64, D]; pixels become [low, high]."""
    image = _spec("image", None, IMAGE_SIZE, IMAGE_SIZE, 3, dtype=tf.uint8)

    @tf.function(input_signature=[image])
    def encode(image: tf.Tensor) -> tf.Tensor:
        scaled = tf.cast(image, tf.float32) * ((high - low) / 255.0)
        grid = inception(scaled + low if low else scaled, training=False)
        return projection(tf.reshape(grid, (-1, GRID, grid.shape[-1])))

    return encode


def export_encoder(function: tf.types.experimental.GenericFunction) -> onnx.ModelProto:
    """The encoder's graph: ``image`` → ``features``."""
    return _convert(function, ["features"])


def export_init(decoder: AttentionDecoder) -> onnx.ModelProto:
    """``features`` → ``keys``, ``h``, ``c``."""
    features = _spec("features", None, GRID, decoder.size.features)
    return _convert(tf.function(decoder.init, input_signature=[features]), ["keys", "h", "c"])


def export_step(decoder: AttentionDecoder) -> onnx.ModelProto:
    """One word for every beam: see `AttentionDecoder.step`; the best `TOP_K` words come back."""
    size = decoder.size

    def step(
        token: tf.Tensor,
        parent: tf.Tensor,
        h: tf.Tensor,
        c: tf.Tensor,
        features: tf.Tensor,
        keys: tf.Tensor,
    ) -> tuple[tf.Tensor, ...]:
        log_prob, next_h, next_c, attention = decoder.step(token, parent, h, c, features, keys)
        best, ids = tf.math.top_k(log_prob, TOP_K)
        return best, tf.cast(ids, tf.int64), next_h, next_c, attention

    signature = [
        _spec("token", None, None, dtype=tf.int64),
        _spec("parent", None, None, dtype=tf.int64),
        _spec("h", None, size.hidden),
        _spec("c", None, size.hidden),
        _spec("features", None, GRID, size.features),
        _spec("keys", None, GRID, size.attention),
    ]
    outputs = ["log_prob", "id", "next_h", "next_c", "attention"]
    return _convert(tf.function(step, input_signature=signature), outputs)
