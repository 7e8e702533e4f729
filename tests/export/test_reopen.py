"""What was exported can be trained again: weights come back, and batch norms find their means."""

import keras
import numpy as np
import onnx
import pytest

from export import graphs
from export.float16 import fold_batch_norm, round_weights
from export.parity import check_decoder
from export.reopen import reopen_decoder, reopen_encoder, unfold_batch_norm
from train.decoder import GRID, AttentionDecoder, DecoderSize, build_projection
from train.inception import in_creation_order

SIZE = DecoderSize(vocabulary=50, features=32, hidden=24, attention=16, embedding=20)


def test_a_decoder_comes_back() -> None:
    decoder = AttentionDecoder(SIZE)
    decoder.build()
    round_weights(decoder)
    init, step = graphs.export_init(decoder), graphs.export_step(decoder)
    reopened = reopen_decoder(init, step)
    assert reopened.size == SIZE
    features = np.random.default_rng(0).random((4, GRID, SIZE.features), np.float32)
    assert check_decoder(init, step, reopened, features) < 1e-4


@pytest.fixture(scope="module")
def exported() -> onnx.ModelProto:
    inception = keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(299, 299, 3)
    )
    generator = np.random.default_rng(0)
    for norm in in_creation_order(inception, keras.layers.BatchNormalization):
        width = norm.beta.shape[0]
        norm.set_weights(
            [
                generator.normal(0.2, 0.1, width),
                generator.normal(0, 0.1, width),
                np.full(width, 0.5),
            ]
        )
    projection = build_projection()
    fold_batch_norm(inception)
    round_weights(inception)
    round_weights(projection)
    return graphs.export_encoder(graphs.encoder_function(inception, projection, 0.0, 1.0))


def test_an_encoder_comes_back_and_its_batch_norms_can_be_trained(
    exported: onnx.ModelProto,
) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (8, 299, 299, 3), np.uint8)
    inception, projection = reopen_encoder(exported)
    encode = graphs.encoder_function(inception, projection, 0.0, 1.0)
    before = encode(pixels).numpy()
    unfold_batch_norm(inception, pixels)
    after = graphs.encoder_function(inception, projection, 0.0, 1.0)(pixels).numpy()
    np.testing.assert_allclose(after, before, atol=1e-4 * before.max())

    first = in_creation_order(inception, keras.layers.BatchNormalization)[0]
    given = keras.Model(inception.input, first.input)(pixels.astype(np.float32) / 255)
    np.testing.assert_allclose(
        np.asarray(given).mean(axis=(0, 1, 2)), first.get_weights()[1], atol=1e-4
    )


def test_another_graph_is_refused() -> None:
    decoder = AttentionDecoder(SIZE)
    decoder.build()
    round_weights(decoder)
    with pytest.raises(ValueError, match="0 convolutions, 94 expected"):
        reopen_encoder(graphs.export_init(decoder))
