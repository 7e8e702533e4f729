"""Exported graphs compute what Keras does, and a graph that does not is refused."""

import keras
import numpy as np
import onnx
import pytest
from onnx import TensorProto

from export import graphs, parity
from export.float16 import fold_batch_norm, round_weights, store_as_float16
from train.decoder import GRID, AttentionDecoder, DecoderSize

SIZE = DecoderSize(vocabulary=50, features=32, hidden=24, attention=16, embedding=20)


@pytest.fixture
def decoder() -> AttentionDecoder:
    decoder = AttentionDecoder(SIZE)
    decoder.build()
    round_weights(decoder)
    return decoder


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(0).random((4, GRID, SIZE.features), np.float32)


def test_decoder_graphs_equal_keras(decoder: AttentionDecoder, features: np.ndarray) -> None:
    init, step = graphs.export_init(decoder), graphs.export_step(decoder)
    assert parity.check_decoder(init, step, decoder, features) <= parity.DECODER_TOLERANCE


def test_a_graph_with_other_weights_is_refused(
    decoder: AttentionDecoder, features: np.ndarray
) -> None:
    init, step = graphs.export_init(decoder), graphs.export_step(decoder)
    decoder.logits.bias.assign_add(np.linspace(0, 0.01, SIZE.vocabulary, dtype=np.float32))
    with pytest.raises(parity.ParityError, match="differs from Keras"):
        parity.check_decoder(init, step, decoder, features)


def test_weights_are_stored_as_float16(decoder: AttentionDecoder) -> None:
    stored = {tensor.data_type for tensor in graphs.export_step(decoder).graph.initializer}
    assert TensorProto.FLOAT16 in stored


def test_weights_that_would_lose_digits_are_refused() -> None:
    values = np.full((32, 32), 1 / 3, np.float32)
    tensor = onnx.numpy_helper.from_array(values, "third")
    graph = onnx.helper.make_graph([], "g", [], [], [tensor])
    with pytest.raises(ValueError, match="not float16"):
        store_as_float16(onnx.helper.make_model(graph))


def test_folding_batch_norm_changes_nothing() -> None:
    model = keras.Sequential(
        [
            keras.Input((9, 9, 3)),
            keras.layers.Conv2D(8, 3, use_bias=False),
            keras.layers.BatchNormalization(scale=False),
            keras.layers.ReLU(),
        ]
    )
    generator = np.random.default_rng(0)
    beta, mean = generator.normal(size=(2, 8))
    model.layers[1].set_weights([beta, mean, generator.random(8) + 0.1])
    photo = generator.random((2, 9, 9, 3), np.float32)
    before = model(photo, training=False).numpy()
    fold_batch_norm(model)
    np.testing.assert_allclose(model(photo, training=False).numpy(), before, atol=1e-5)
