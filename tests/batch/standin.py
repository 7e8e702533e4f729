"""A models folder with a stand-in for the encoder: the same shapes, next to no arithmetic.

For tests of what surrounds the models, with more records than real ones could do in the time.
"""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from services.common.manifest import Manifest


def models(folder: Path, manifest: Manifest) -> Path:
    """Copies the models of `manifest` and puts the stand-in in the encoder's place."""
    real = manifest.encoder.file.path.parent
    shutil.copytree(real, folder, ignore=shutil.ignore_patterns("*.md", "*.svg", "*.png"))
    document = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    path = folder / document["encoder"]["file"]
    onnx.save(_graph(manifest.encoder.cells, manifest.encoder.dimensions), path)
    digest = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    document["encoder"]["digest"] = digest
    document["encoder"].pop("int8", None)  # the real one, which would be taken where it is faster
    for decoder in document["decoders"].values():
        decoder["encoder"] = digest
    (folder / "manifest.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


def _graph(cells: int, dimensions: int) -> onnx.ModelProto:
    """uint8 [batch, 299, 299, 3] → float32 [batch, cells, dimensions], all the mean value."""
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "axes"], ["mean"], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "last"], ["column"]),
        helper.make_node("Mul", ["column", "spread"], ["features"]),
    ]
    spread = np.full((1, cells, dimensions), 0.001, np.float32)
    constants = [
        numpy_helper.from_array(np.array([1, 2, 3]), "axes"),
        numpy_helper.from_array(np.array([1, 2]), "last"),
        numpy_helper.from_array(spread, "spread"),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", 299, 299, 3])
    features = helper.make_tensor_value_info(
        "features", TensorProto.FLOAT, ["batch", cells, dimensions]
    )
    graph = helper.make_graph(nodes, "standin", [image], [features], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
