"""``manifest.json`` (what belongs together) and ``vocabulary.json`` (words of a decoder)."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import onnx

from export.graphs import OPSET
from train.search import TOP_K
from train.text import END, START, Vocabulary, load_language

FORMAT = 1
_TOOLS = ("tensorflow-cpu", "keras", "tf2onnx", "onnx", "onnxruntime", "numpy")


def digest(*paths: Path) -> str:
    """``sha256:<hex>`` of a file, or of several files' digests in order."""
    parts = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    whole = parts[0] if len(parts) == 1 else hashlib.sha256("".join(parts).encode()).hexdigest()
    return f"sha256:{whole}"


def write_json(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def variant_entry(
    models: Path, file: Path, name: str, before: dict[str, float], after: dict[str, float]
) -> dict[str, Any]:
    """A variant of a model, with dev CIDEr by language: the float32 model's and its own."""
    scores = {language: {"fp32": before[language], name: own} for language, own in after.items()}
    return {"file": str(file.relative_to(models)), "digest": digest(file), "dev_cider": scores}


def vocabulary_document(
    language: str, vocabulary: Vocabulary, notes: dict[str, Any]
) -> dict[str, Any]:
    """The words, which of them open, close and must not close a caption, and the score's rule."""
    known = load_language(language)
    document: dict[str, Any] = {
        "language": language,
        "name": known.name,
        "words": vocabulary.words,
        "start": START,
        "end": END,
        "no_end": vocabulary.ids(known.no_end),
    }
    calibration = notes.get("calibration", {}).get(language)
    return document | ({"calibration": calibration} if calibration else {})


def _tensors(values: Any) -> dict[str, dict[str, Any]]:
    """``{name: {dtype, shape}}`` of a graph's inputs or outputs; an open dimension is its name."""
    return {
        value.name: {
            "dtype": onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type).name,
            "shape": [
                dimension.dim_value or dimension.dim_param or "any"
                for dimension in value.type.tensor_type.shape.dim
            ],
        }
        for value in values
    }


def build_manifest(models: Path, notes: dict[str, Any], deltas: dict[str, float]) -> dict[str, Any]:
    """Describes the folder `models`: digests, shapes, pairing, training data, scores, versions."""
    encoder = onnx.load(models / "encoder.onnx")
    encoder_digest = digest(models / "encoder.onnx")
    (output,) = encoder.graph.output
    feature_dim = output.type.tensor_type.shape.dim[2].dim_value
    decoders = {}
    for folder in sorted((models / "decoder").iterdir()):
        names = {"init": "init.onnx", "step": "step.onnx", "vocabulary": "vocabulary.json"}
        files = {key: folder / name for key, name in names.items()}
        vocabulary = json.loads(files["vocabulary"].read_text())
        step = onnx.load(files["step"])
        inputs = _tensors(step.graph.input)
        decoders[folder.name] = {
            "name": vocabulary["name"],
            "digest": digest(*files.values()),
            "encoder": encoder_digest,
            "files": {
                key: {"file": str(path.relative_to(models)), "digest": digest(path)}
                for key, path in files.items()
            },
            "top_k": TOP_K,
            "hidden": inputs["h"]["shape"][1],
            "words": len(vocabulary["words"]),
            "inputs": inputs,
            "outputs": _tensors(step.graph.output),
            "parity": deltas[folder.name],
            "scores": notes.get("scores", {}).get(folder.name, {}),
        }
    training = {key: notes[key] for key in ("encoder", "data") if key in notes}
    if "encoder" in training:  # of a path, only the file's name: the rest is nobody's business
        weights = Path(training["encoder"]["weights"]).name
        training["encoder"] = training["encoder"] | {"weights": weights}
    return {
        "format": FORMAT,
        "encoder": {
            "file": "encoder.onnx",
            "digest": encoder_digest,
            "input": _tensors(encoder.graph.input),
            "output": _tensors(encoder.graph.output),
            "grid": [8, 8],
            "feature_dim": feature_dim,
            "parity": deltas["encoder"],
            "float16_weights": deltas["encoder_float16_weights"],
        },
        "decoders": decoders,
        "training": training,
        "versions": {"opset": OPSET} | {tool: version(tool) for tool in _TOOLS},
    }
