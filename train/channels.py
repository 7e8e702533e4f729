"""Which channels a convolutional network can do without, and how the others make up for them.

A channel that a linear map of its neighbours nearly gives is not needed: the next layer can read it
from them (He et al. 2017, arXiv 1707.06168). How much the rest would be missed, the gradients of
the network's output say (Molchanov et al. 2019, arXiv 1906.10771). Widths are multiples of 16, the
block that CPU kernels compute in (NCHWc in ONNX Runtime with AVX-512); others are rounded up.
"""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf
from keras.layers import BatchNormalization, Conv2D, Dense, InputLayer
from tqdm import tqdm

BLOCK = 16
LEAST = 0.25  # of its channels that every convolution keeps: gradients do not see further
BATCH = 16
POSITIONS = 128  # of a photo that least squares look at
RIDGE = 1e-3  # of the inputs' mean variance: pulls towards the weights as they were

Kept = dict[str, np.ndarray]  # convolution → its channels that stay, ascending


def before(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The layers that it reads."""
    if isinstance(layer, InputLayer):
        return []
    tensors = keras.tree.flatten(layer.input)
    return [tensor._keras_history.operation for tensor in tensors]  # noqa: SLF001


def convolutions(model: keras.Model) -> list[Conv2D]:
    return [layer for layer in model.layers if isinstance(layer, Conv2D)]


def sources(model: keras.Model) -> dict[str, list[str]]:
    """For every layer the convolutions whose channels it reads, in the order of its channels."""
    given: dict[str, list[str]] = {}
    read: dict[str, list[str]] = {}
    for layer in model.layers:  # a layer comes after those that it reads
        read[layer.name] = [name for one in before(layer) for name in given[one.name]]
        given[layer.name] = [layer.name] if isinstance(layer, Conv2D) else read[layer.name]
    return read


class Work:
    """Multiplications of one photo in a network's convolutions, for any widths."""

    def __init__(self, model: keras.Model) -> None:
        read = sources(model)
        self._rows = [
            (
                layer.name,
                read[layer.name],
                layer.input.shape[-1],
                int(np.prod([*layer.kernel_size, *layer.output.shape[1:3]])),
            )
            for layer in convolutions(model)
        ]

    def __call__(self, widths: dict[str, int]) -> int:
        return sum(
            (sum(widths[one] for one in read) or channels) * widths[name] * times
            for name, read, channels, times in self._rows
        )


def full_widths(model: keras.Model) -> dict[str, int]:
    return {layer.name: layer.filters for layer in convolutions(model)}


class Moments:
    """Covariance of every convolution's channels, and how the output depends on them."""

    def __init__(self, model: keras.Model, pixels: np.ndarray) -> None:
        """Measures on photos, float32 [n, 299, 299, 3]."""
        read = {}  # convolution → what comes out of its ReLU
        for layer in model.layers:
            if isinstance(layer, keras.layers.Activation):
                (convolution,) = before(before(layer)[0])
                read[convolution.name] = layer.output
        tapped = keras.Model(model.input, [*read.values(), model.output])
        widths = [tensor.shape[-1] for tensor in read.values()]
        sums = [np.zeros(width) for width in widths]
        squares = [np.zeros((width, width)) for width in widths]
        slopes = [np.zeros((width, width)) for width in widths]
        counts = np.zeros(len(widths))

        @tf.function(reduce_retracing=True)
        def measure(batch: tf.Tensor) -> list[tuple[tf.Tensor, ...]]:
            with tf.GradientTape() as tape:
                *channels, output = tapped(batch, training=False)
                # One random direction a photo: the mean square of its slope is that of all.
                signs = tf.sign(tf.random.normal(tf.shape(output)))
                along = tf.reduce_sum(output * signs)
            found = []
            for values, slope in zip(channels, tape.gradient(along, channels), strict=True):
                rows = tf.reshape(values, (-1, values.shape[-1]))
                slope = tf.reshape(slope, (-1, values.shape[-1]))
                squared = tf.matmul(rows, rows, transpose_a=True)
                sloped = tf.matmul(slope, slope, transpose_a=True)
                found.append((tf.reduce_sum(rows, axis=0), squared, sloped, tf.shape(rows)[0]))
            return found

        for start in tqdm(range(0, len(pixels), BATCH), desc="channels", unit="batch"):
            for i, found in enumerate(measure(pixels[start : start + BATCH])):
                one, square, slope, count = (part.numpy() for part in found)
                sums[i] += one
                squares[i] += square
                slopes[i] += slope
                counts[i] += count
        self.covariance: dict[str, np.ndarray] = {}
        self.importance: dict[str, np.ndarray] = {}
        for i, name in enumerate(read):
            mean = sums[i] / counts[i]
            self.covariance[name] = squares[i] / counts[i] - np.outer(mean, mean)
            self.importance[name] = slopes[i] / len(pixels)  # summed over a photo's positions


def order_channels(covariance: np.ndarray, importance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Channels by how much they explain, greedily: a pivoted Cholesky decomposition.

    Args:
        covariance: float64 [c, c] of the channels.
        importance: float64 [c, c], of an error in them for the output.

    Returns:
        The order [c], and the error of the output with the first n of them [c + 1].
    """
    rest = covariance.copy()  # of the channels given those chosen
    weighed = importance @ rest
    left = np.ones(len(rest), bool)
    order, errors = [], [np.trace(weighed)]
    floor = 1e-9 * max(np.trace(covariance), 1e-30)
    for _ in range(len(rest)):
        variance = np.maximum(np.diag(rest), floor)
        gain = np.where(left, (rest * weighed).sum(axis=0) / variance, -np.inf)
        best = int(gain.argmax())
        column = rest[:, best].copy() / variance[best]
        weighed -= np.outer(weighed[:, best].copy(), column)
        rest -= np.outer(column, column) * variance[best]
        left[best] = False
        order.append(best)
        errors.append(np.trace(weighed))
    return np.array(order), np.maximum(errors, 0)


def choose_channels(model: keras.Model, moments: Moments, share: float) -> Kept:
    """Narrows, 16 channels at a time, where the output loses least for the work saved.

    Args:
        model: the whole network.
        moments: measured on it.
        share: of its multiplications that are to stay.
    """
    orders, errors = {}, {}
    for name in tqdm(moments.covariance, desc="order", unit="convolution"):
        orders[name], errors[name] = order_channels(
            moments.covariance[name], moments.importance[name]
        )
    whole = full_widths(model)
    widths = dict(whole)
    count = Work(model)
    work = total = count(widths)
    while work > share * total:
        best, best_price, best_work = "", np.inf, work
        for name, width in widths.items():
            if width - BLOCK < max(BLOCK, LEAST * whole[name]):
                continue
            then = count(widths | {name: width - BLOCK})
            price = (errors[name][width - BLOCK] - errors[name][width]) / (work - then)
            if price < best_price:
                best, best_price, best_work = name, price, then
        if not best:
            raise ValueError(f"{share:.2f} of the work cannot be reached")
        widths[best] -= BLOCK
        work = best_work
    return {name: np.sort(orders[name][:width]) for name, width in widths.items()}


def narrowed(model: keras.Model, widths: dict[str, int], *, bfloat16: bool = False) -> keras.Model:
    """The same network with convolutions of these widths, untrained; layers keep their names."""

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config() | {"dtype": "mixed_bfloat16" if bfloat16 else "float32"}
        if layer.name in widths:
            config["filters"] = widths[layer.name]
        return type(layer).from_config(config)

    return keras.models.clone_model(model, clone_function=clone)


def kept_inputs(layer: keras.layers.Layer, read: list[str], whole: Kept, kept: Kept) -> np.ndarray:
    """Which of the input channels of a layer there still are; all of an image's."""
    parts, offset = [], 0
    for name in read:
        parts.append(kept[name] + offset)
        offset += len(whole[name])
    return np.concatenate(parts) if parts else np.arange(layer.input.shape[-1])


def prune(model: keras.Model, kept: Kept, pixels: np.ndarray, *, refit: bool = True) -> keras.Model:
    """The network with the kept channels only.

    Args:
        model: the whole network.
        kept: of every convolution.
        pixels: photos, float32 [n, 299, 299, 3]. Layer after layer, weights are fitted on them by
            least squares: from what the layers before give now, to what the layer gave.
        refit: else the weights are those that there were.
    """
    small = narrowed(model, {name: len(channels) for name, channels in kept.items()})
    read = sources(model)
    whole = {name: np.arange(width) for name, width in full_widths(model).items()}
    shifts: dict[str, np.ndarray] = {}
    pairs = lockstep(model, small, pixels) if refit else ((one, None, None) for one in model.layers)
    for layer, inputs, outputs in tqdm(pairs, desc="refit", total=len(model.layers)):
        if not layer.weights:
            continue
        thin = small.get_layer(layer.name)
        if isinstance(layer, BatchNormalization):
            name = before(layer)[0].name
            beta, mean, variance = (weight[kept[name]] for weight in layer.get_weights())
            beta = beta + shifts.get(name, 0) / np.sqrt(variance + layer.epsilon)
            thin.set_weights([beta, mean, variance])
        if not isinstance(layer, Conv2D | Dense):
            continue
        columns = kept.get(layer.name, slice(None))
        kernel, *bias = layer.get_weights()
        rows = kept_inputs(layer, read[layer.name], whole, kept)
        kernel = kernel[..., rows, :][..., columns]
        if refit:
            kernel, shift = fit_kernel(layer, kernel, inputs, outputs[..., columns])
            shifts[layer.name] = shift
            bias = [shift] if bias else []
        thin.set_weights([kernel, *bias])
    return small


def lockstep(
    model: keras.Model, small: keras.Model, pixels: np.ndarray
) -> Iterator[tuple[keras.layers.Layer, np.ndarray, np.ndarray]]:
    """Layer by layer of `model`: what `small` gives it to read, and what it gives itself.

    A layer of `small` is run when its turn is over, so its weights may be set before. A layer with
    a kernel is told without its activation and with its bias.
    """
    last = {one.name: layer.name for layer in model.layers for one in before(layer)}
    theirs: dict[str, np.ndarray] = {}  # what `model` computes
    ours: dict[str, np.ndarray] = {}  # what `small` computes
    for layer in model.layers:
        if isinstance(layer, InputLayer):
            theirs[layer.name] = ours[layer.name] = pixels
            continue
        names = [one.name for one in before(layer)]
        linear = layer
        if isinstance(layer, Dense):
            linear = Dense.from_config(layer.get_config() | {"activation": None})
            linear.build(layer.input.shape)
            linear.set_weights(layer.get_weights())
        theirs[layer.name] = run(linear, [theirs[name] for name in names])
        yield layer, ours[names[0]], theirs[layer.name]
        ours[layer.name] = run(small.get_layer(layer.name), [ours[name] for name in names])
        for name in {name for name in names if last[name] == layer.name}:
            del theirs[name], ours[name]


def run(layer: keras.layers.Layer, inputs: list[np.ndarray]) -> np.ndarray:
    """A layer in inference, a few photos at a time."""
    parts = []
    for start in range(0, len(inputs[0]), BATCH):
        batch = [tf.constant(array[start : start + BATCH]) for array in inputs]
        parts.append(np.asarray(layer(batch if len(batch) > 1 else batch[0])))
    return np.concatenate(parts)


def fit_kernel(
    layer: keras.layers.Layer, kernel: np.ndarray, inputs: np.ndarray, outputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and shift of a convolution (or dense layer) that give `outputs` from `inputs`.

    Args:
        layer: for its size, stride and padding.
        kernel: as it was, [height, width, in, out] or [in, out].
        inputs: float32 [n, h, w, in].
        outputs: float32 [n, h', w', out].

    Returns:
        The kernel in the same shape, and what is to be added to its output, [out].
    """
    flat = kernel.reshape(-1, kernel.shape[-1]).astype(np.float64)  # [k, out]
    generator = np.random.default_rng(0)
    count, across = 0, outputs.shape[1] * outputs.shape[2]
    chosen = generator.permutation(across)[:POSITIONS]
    width = len(flat)
    gram, cross = np.zeros((width, width)), np.zeros(flat.shape)
    mean, target = np.zeros(width), np.zeros(flat.shape[1])
    for start in range(0, len(inputs), BATCH):
        x = patches(layer, inputs[start : start + BATCH])[:, chosen].reshape(-1, width)
        y = outputs[start : start + BATCH].reshape(-1, across, flat.shape[1])[:, chosen]
        y = y.reshape(len(x), -1)
        gram += x.T @ x
        cross += x.T @ y
        mean += x.sum(axis=0, dtype=np.float64)
        target += y.sum(axis=0, dtype=np.float64)
        count += len(x)
    mean, target = mean / count, target / count
    gram = gram / count - np.outer(mean, mean)
    cross = cross / count - np.outer(mean, target) - gram @ flat  # what the old weights leave
    gram[np.diag_indices(width)] += RIDGE * np.trace(gram) / width + 1e-12
    flat += np.linalg.solve(gram, cross)
    return flat.reshape(kernel.shape).astype(np.float32), (target - mean @ flat).astype(np.float32)


def patches(layer: keras.layers.Layer, inputs: np.ndarray) -> np.ndarray:
    """What every position of a layer's output reads, float32 [n, positions, k]."""
    if isinstance(layer, Conv2D) and layer.kernel_size != (1, 1):
        inputs = tf.image.extract_patches(
            inputs,
            [1, *layer.kernel_size, 1],
            [1, *layer.strides, 1],
            [1, 1, 1, 1],
            layer.padding.upper(),
        ).numpy()
    return inputs.reshape(len(inputs), -1, inputs.shape[-1])
