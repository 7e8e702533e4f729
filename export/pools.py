"""Average pools that 8-bit arithmetic is quick at: the same function, other operators.

ONNX Runtime pools 8-bit numbers one by one, as slowly as it multiplies them quickly: as they come,
InceptionV3's nine average pools take a quarter of the encoder's time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import onnx
from onnx import helper, numpy_helper

Node = onnx.NodeProto


def pools_after_convolutions(model: onnx.ModelProto) -> int:
    """Swaps every average pool with the 1×1 convolution that alone reads it, in place.

    InceptionV3 pools up to 2,048 channels and then mixes them into 32 to 192. Both are linear, and
    a pool that leaves padding out of its mean keeps a constant as it is, so bias included
    ``conv(pool(x)) = pool(conv(x))``.

    Returns:
        How many were swapped.
    """
    outputs = {output.name for output in model.graph.output}
    readers: dict[str, list[Node]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    behind: dict[str, Node] = {}
    for pool in model.graph.node:
        if not _leaves_padding_out(pool) or pool.output[0] in outputs:
            continue
        convolution, *others = readers[pool.output[0]]
        if others or not _mixes_channels(convolution):
            continue
        source, between, result = pool.input[0], pool.output[0], convolution.output[0]
        convolution.input[0], convolution.output[0] = source, between
        pool.input[0], pool.output[0] = between, result
        behind[between] = pool

    def placed(node: Node) -> Iterable[Node]:
        if node.op_type == "AveragePool" and node.input[0] in behind:
            return []  # comes behind its convolution
        return [node, *(behind[name] for name in node.output if name in behind)]

    _rewrite(model, placed)
    return len(behind)


def pools_as_convolutions(model: onnx.ModelProto) -> int:
    """Makes every average pool that keeps the size a depthwise convolution, in place.

    With zeros around, the convolution gives the sum over the window's size. At the edges the window
    holds fewer values; a product with a constant map corrects that.

    Returns:
        How many were replaced.
    """
    shapes = {
        value.name: [each.dim_value for each in value.type.tensor_type.shape.dim]
        for value in onnx.shape_inference.infer_shapes(model).graph.value_info
    }

    def replaced(node: Node) -> Iterable[Node]:
        return _convolution(model, node, shapes[node.output[0]]) if _keeps_size(node) else [node]

    count = sum(map(_keeps_size, model.graph.node))
    _rewrite(model, replaced)
    return count


def _convolution(model: onnx.ModelProto, pool: Node, shape: list[int]) -> list[Node]:
    """Nodes that give what `pool` gives, [n, c, h, w]; their constants are added to the model."""
    _, channels, *grid = shape
    settings, name = _settings(pool), pool.output[0]
    window = settings["kernel_shape"]
    kernel = np.full((channels, 1, *window), 1 / np.prod(window), np.float32)
    inside = (_inside(length, side) for length, side in zip(grid, window, strict=True))
    correction = (np.prod(window) / np.outer(*inside))[None, None].astype(np.float32)
    for suffix, values in (("kernel", kernel), ("correction", correction)):
        model.graph.initializer.append(numpy_helper.from_array(values, f"{name}/{suffix}"))
    return [
        helper.make_node(
            "Conv",
            [pool.input[0], f"{name}/kernel"],
            [f"{name}/sum"],
            f"{pool.name}/sum",
            group=channels,
            kernel_shape=window,
            pads=settings["pads"],
        ),
        helper.make_node(
            "Mul", [f"{name}/sum", f"{name}/correction"], [name], f"{pool.name}/correct"
        ),
    ]


def _inside(length: int, window: int) -> np.ndarray:
    """How many places of a window, centred on each of `length` places, are among them: [length]."""
    return np.convolve(np.ones(length), np.ones(window), "same")


def _rewrite(model: onnx.ModelProto, change: Callable[[Node], Iterable[Node]]) -> None:
    changed = onnx.GraphProto()
    for node in model.graph.node:
        changed.node.extend(change(node))
    del model.graph.node[:]
    model.graph.node.extend(changed.node)


def _settings(node: Node) -> dict[str, list[int]]:
    return {each.name: list(each.ints) or [each.i] for each in node.attribute}


def _leaves_padding_out(node: Node) -> bool:
    """Whether it is an average pool with stride 1 whose mean is of real values alone."""
    settings = _settings(node)
    return (
        node.op_type == "AveragePool"
        and settings.get("strides", [1, 1]) == [1, 1]
        and settings.get("count_include_pad", [0]) == [0]
    )


def _keeps_size(node: Node) -> bool:
    """Whether it is such a pool, padded by half of its window."""
    settings = _settings(node)
    half = [side // 2 for side in settings.get("kernel_shape", [])]
    return _leaves_padding_out(node) and settings.get("pads") == half * 2


def _mixes_channels(node: Node) -> bool:
    """Whether it is a 1×1 convolution with stride 1, without padding or groups."""
    settings = _settings(node)
    return (
        node.op_type == "Conv"
        and settings.get("kernel_shape") == [1, 1]
        and settings.get("strides", [1, 1]) == [1, 1]
        and not any(settings.get("pads", []))
        and settings.get("group", [1]) == [1]
    )
