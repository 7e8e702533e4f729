"""Average pools are rewritten, and the result stays."""

import keras
import numpy as np
import onnx
import onnxruntime as ort
import pytest
import tensorflow as tf
import tf2onnx

from export.pools import pools_after_convolutions, pools_as_convolutions

SIDE, CHANNELS = 9, 12


def exported(*layers: keras.layers.Layer) -> onnx.ModelProto:
    """A graph of these layers, with biases that are not zero."""
    model = keras.Sequential([keras.Input((SIDE, SIDE, CHANNELS)), *layers])
    generator = np.random.default_rng(0)
    model.set_weights([generator.normal(size=weight.shape) for weight in model.get_weights()])
    specification = tf.TensorSpec((None, SIDE, SIDE, CHANNELS), tf.float32)
    function = tf.function(model, input_signature=[specification])
    return tf2onnx.convert.from_function(function, input_signature=[specification], opset=17)[0]


def computed(model: onnx.ModelProto) -> np.ndarray:
    onnx.checker.check_model(model)
    session = ort.InferenceSession(model.SerializeToString())
    photos = np.random.default_rng(1).normal(size=(2, SIDE, SIDE, CHANNELS)).astype(np.float32)
    return session.run(None, {session.get_inputs()[0].name: photos})[0]


def kinds(model: onnx.ModelProto) -> list[str]:
    return [each.op_type for each in model.graph.node if each.op_type in ("AveragePool", "Conv")]


def pool(padding: str = "same", size: int = 3, strides: int = 1) -> keras.layers.Layer:
    return keras.layers.AveragePooling2D(size, strides=strides, padding=padding)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_the_convolution_comes_first_and_the_result_is_the_same(padding: str) -> None:
    model = exported(pool(padding), keras.layers.Conv2D(4, 1, activation="relu"))
    before = computed(model)
    assert kinds(model) == ["AveragePool", "Conv"]
    assert pools_after_convolutions(model) == 1
    assert kinds(model) == ["Conv", "AveragePool"]
    np.testing.assert_allclose(computed(model), before, atol=1e-5)


@pytest.mark.parametrize(
    "layers",
    [
        (keras.layers.Conv2D(4, 3, padding="same"),),  # its padding would be pooled
        (keras.layers.Conv2D(4, 1, strides=2),),
        (keras.layers.ReLU(), keras.layers.Conv2D(4, 1)),  # not linear
    ],
)
def test_others_stay_where_they_are(layers: tuple[keras.layers.Layer, ...]) -> None:
    model = exported(pool(), *layers)
    before = model.SerializeToString()
    assert pools_after_convolutions(model) == 0
    assert model.SerializeToString() == before


def test_a_pool_that_counts_its_padding_stays() -> None:
    model = exported(pool(), keras.layers.Conv2D(4, 1))
    (node,) = (node for node in model.graph.node if node.op_type == "AveragePool")
    for attribute in node.attribute:
        if attribute.name == "count_include_pad":
            node.attribute.remove(attribute)
    node.attribute.append(onnx.helper.make_attribute("count_include_pad", 1))
    assert pools_after_convolutions(model) == 0


def test_a_pool_that_others_read_too_stays() -> None:
    inputs = keras.Input((SIDE, SIDE, CHANNELS))
    pooled = pool()(inputs)
    branches = [keras.layers.Conv2D(4, 1)(pooled), keras.layers.Conv2D(4, 1)(pooled)]
    model = exported(keras.Model(inputs, keras.layers.Concatenate()(branches)))
    assert pools_after_convolutions(model) == 0


@pytest.mark.parametrize("size", [3, 5])
def test_a_pool_becomes_a_convolution_with_the_same_result(size: int) -> None:
    model = exported(pool(size=size), keras.layers.ReLU())
    before = computed(model)
    assert pools_as_convolutions(model) == 1
    assert kinds(model) == ["Conv"]
    np.testing.assert_allclose(computed(model), before, atol=1e-5)


@pytest.mark.parametrize("layer", [pool("valid"), pool(strides=2)])
def test_a_pool_that_changes_the_size_stays(layer: keras.layers.Layer) -> None:
    model = exported(layer, keras.layers.ReLU())
    assert pools_as_convolutions(model) == 0
    assert kinds(model) == ["AveragePool"]
