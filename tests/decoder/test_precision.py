"""The 8-bit step in place of the float32 one: the same captions, or nearly."""

import hashlib
import json
import shutil
from pathlib import Path

import onnxruntime as ort
import pytest
from onnxruntime.quantization import QuantType, quantize_dynamic

from services.common.deadline import Deadline
from services.common.errors import ModelsUnavailable
from services.common.images import ImageLimits, decode_square
from services.common.manifest import Manifest, read_manifest
from services.common.settings import REPOSITORY
from services.decoder.languages import Languages
from services.decoder.metrics import DecoderMetrics
from services.decoder.search import SearchOptions
from services.decoder.settings import DecoderSettings
from services.encoder.session import EncoderSession
from tests import photos


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed models with an 8-bit English step, as `python -m export.int8` adds one."""
    folder = tmp_path_factory.mktemp("int8") / "models"
    shutil.copytree(REPOSITORY / "models", folder)
    step = folder / "decoder" / "en" / "step-int8.onnx"
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(step)  # float32 weights: casts hide them
    ort.InferenceSession(step.with_name("step.onnx"), options)
    quantize_dynamic(
        step,
        step,
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
    )
    document = json.loads((folder / "manifest.json").read_text())
    document["decoders"]["en"]["int8"] = {
        "file": "decoder/en/step-int8.onnx",
        "digest": "sha256:" + hashlib.sha256(step.read_bytes()).hexdigest(),
        "dev_cider": {"en": {"fp32": 60.0, "int8": 59.9}},
    }
    document["decoders"]["uk"].pop("int8", None)
    (folder / "manifest.json").write_text(json.dumps(document))
    return folder


def languages(manifest: Manifest, precision: str) -> Languages:
    settings = DecoderSettings(decoder_precision=precision)
    return Languages.load(manifest, settings, DecoderMetrics())


async def test_captions_are_nearly_the_same(models: Path) -> None:
    manifest = read_manifest(models)
    encoder = EncoderSession(manifest.encoder, 1)
    limits = ImageLimits(40_000_000, 2**28)
    found: dict[str, list[tuple[str, float]]] = {}
    for precision in ("fp32", "auto"):
        english = languages(manifest, precision)["en"]
        english.engine.start()
        for photo in photos.ALL:
            (features,) = encoder.run([decode_square(photo.read_bytes(), encoder.side, limits)])
            best, *_ = await english.decode(features, SearchOptions(), Deadline.after(60))
            found.setdefault(precision, []).append((best.text, best.score))
        english.engine.stop()

    assert found["auto"] != found["fp32"], "it was not the 8-bit step that ran"
    for (_, original), (_, small) in zip(found["fp32"], found["auto"], strict=True):
        assert small == pytest.approx(original, rel=0.1)


def test_asked_for_where_there_is_none(models: Path) -> None:
    with pytest.raises(ModelsUnavailable, match="not offered"):
        languages(read_manifest(models), "int8")
