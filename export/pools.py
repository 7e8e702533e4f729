"""Average pools behind their 1×1 convolutions: the same function, with fewer numbers to pool.

InceptionV3 pools up to 2,048 channels and then mixes them into 32 to 192. Both are linear, and a
pool that leaves padding out of its mean keeps a constant as it is, so bias included
``conv(pool(x)) = pool(conv(x))``. In 8 bits, where ONNX Runtime pools as slowly as it multiplies
quickly, pooling first takes a quarter of the encoder's time.
"""

from __future__ import annotations

import onnx


def pools_after_convolutions(model: onnx.ModelProto) -> int:
    """Swaps every average pool with the 1×1 convolution that alone reads it, in place.

    Returns:
        How many were swapped.
    """
    graph = model.graph
    readers: dict[str, list[onnx.NodeProto]] = {output.name: [] for output in graph.output}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    behind: dict[str, onnx.NodeProto] = {}
    for pool in graph.node:
        follower = readers.get(pool.output[0], [])
        if not _keeps_constants(pool) or len(follower) != 1 or not _mixes_channels(follower[0]):
            continue
        (convolution,) = follower
        source, between, result = pool.input[0], pool.output[0], convolution.output[0]
        convolution.input[0], convolution.output[0] = source, between
        pool.input[0], pool.output[0] = between, result
        behind[between] = pool
    nodes = []
    for node in graph.node:
        if node.input and node.input[0] in behind and node.op_type == "AveragePool":
            continue  # comes behind its convolution
        nodes.append(node)
        nodes += [behind[name] for name in node.output if name in behind]
    ordered = onnx.GraphProto()
    ordered.node.extend(nodes)
    del graph.node[:]
    graph.node.extend(ordered.node)
    return len(behind)


def _keeps_constants(node: onnx.NodeProto) -> bool:
    """Whether it is an average pool whose mean is of real values alone."""
    padded = any(each.name == "count_include_pad" and each.i for each in node.attribute)
    return node.op_type == "AveragePool" and not padded


def _mixes_channels(node: onnx.NodeProto) -> bool:
    """Whether it is a 1×1 convolution with stride 1, without padding or groups."""
    settings = {each.name: list(each.ints) or each.i for each in node.attribute}
    return (
        node.op_type == "Conv"
        and settings.get("kernel_shape") == [1, 1]
        and settings.get("strides", [1, 1]) == [1, 1]
        and not any(settings.get("pads", [0]))  # type: ignore[arg-type]
        and settings.get("group", 1) == 1
    )
