"""Channels that neighbours explain go first, and what is left is made to give what there was."""

from pathlib import Path

import keras
import numpy as np
import pytest

from train.channels import (
    BLOCK,
    Kept,
    Moments,
    Work,
    choose_channels,
    full_widths,
    order_channels,
    prune,
)
from train.prune import load_pruned

WIDTH = 64


def convolution(
    inputs: keras.KerasTensor, width: int, size: int | tuple[int, int]
) -> keras.KerasTensor:
    outputs = keras.layers.Conv2D(width, size, padding="same", use_bias=False)(inputs)
    outputs = keras.layers.BatchNormalization(scale=False)(outputs)
    return keras.layers.Activation("relu")(outputs)


@pytest.fixture
def network() -> keras.Model:
    """A block of two branches like InceptionV3's; half of `first`'s channels repeat the others."""
    keras.utils.set_random_seed(0)
    image = keras.Input((12, 12, 3))
    first = convolution(image, WIDTH, 3)
    wide = convolution(first, WIDTH, (1, 3))
    pooled = convolution(keras.layers.AveragePooling2D(3, 1, padding="same")(first), WIDTH, 1)
    both = keras.layers.Concatenate()([wide, pooled])
    model = keras.Model(image, keras.layers.Dense(8, activation="relu")(both))
    kernel = model.layers[1].get_weights()[0]
    kernel[..., WIDTH // 2 :] = 2 * kernel[..., : WIDTH // 2]
    model.layers[1].set_weights([kernel])
    norms = [one for one in model.layers if isinstance(one, keras.layers.BatchNormalization)]
    for norm in norms[1:]:
        beta, mean, variance = norm.get_weights()
        norm.set_weights([beta, mean + 0.1, variance])
    return model


@pytest.fixture
def photos() -> np.ndarray:
    return np.random.default_rng(0).random((32, 12, 12, 3), np.float32)


def everything(model: keras.Model) -> Kept:
    return {name: np.arange(width) for name, width in full_widths(model).items()}


def error(model: keras.Model, other: keras.Model, photos: np.ndarray) -> float:
    wanted = model(photos, training=False).numpy()
    return float(((other(photos, training=False).numpy() - wanted) ** 2).mean() / wanted.var())


@pytest.mark.parametrize("refit", [False, True])
def test_pruning_nothing_changes_nothing(
    network: keras.Model, photos: np.ndarray, refit: bool
) -> None:
    same = prune(network, everything(network), photos, refit=refit)
    assert error(network, same, photos) < 1e-6


def test_a_repeated_channel_comes_last() -> None:
    values = np.random.default_rng(0).normal(size=(500, 3))
    covariance = np.cov(np.column_stack([values, values[:, 0] * 3]).T)
    order, errors = order_channels(covariance, np.eye(4))
    assert order[-1] in (0, 3)
    assert errors[3] == pytest.approx(0, abs=1e-8)
    assert all(np.diff(errors) < 1e-9)


def test_repeated_channels_go_without_loss(network: keras.Model, photos: np.ndarray) -> None:
    name = next(iter(full_widths(network)))
    moments = Moments(network, photos)
    order, errors = order_channels(moments.covariance[name], moments.importance[name])
    kept = everything(network) | {name: np.sort(order[: WIDTH // 2])}
    assert errors[WIDTH // 2] < 1e-4 * errors[0]
    assert error(network, prune(network, kept, photos), photos) < 1e-3


def test_least_squares_do_better_than_dropping(network: keras.Model, photos: np.ndarray) -> None:
    kept = choose_channels(network, Moments(network, photos), 0.5)
    unseen = np.random.default_rng(1).random(photos.shape, np.float32)
    refitted = error(network, prune(network, kept, photos), unseen)
    assert refitted < 0.5 * error(network, prune(network, kept, photos, refit=False), unseen)


def test_widths_are_blocks_within_the_share(network: keras.Model, photos: np.ndarray) -> None:
    kept = choose_channels(network, Moments(network, photos), 0.5)
    pruned = prune(network, kept, photos, refit=False)
    widths = full_widths(pruned)
    assert widths == {name: len(channels) for name, channels in kept.items()}
    assert all(width % BLOCK == 0 for width in widths.values())
    assert Work(pruned)(widths) == Work(network)(widths)
    assert Work(pruned)(widths) <= 0.5 * Work(network)(full_widths(network))


def test_what_was_written_is_read_back(
    network: keras.Model, photos: np.ndarray, tmp_path: Path
) -> None:
    kept = choose_channels(network, Moments(network, photos), 0.5)
    pruned = prune(network, kept, photos)
    np.savez(tmp_path / "kept.npz", **kept)
    pruned.save_weights(tmp_path / "pruned.weights.h5")
    assert error(pruned, load_pruned(network, tmp_path), photos) == 0
