"""The 8-bit step in place of the float32 one: the same captions, or nearly."""

import json
import shutil
from pathlib import Path

import pytest

from services.common.accepted_images import ImageLimits
from services.common.deadline import Deadline
from services.common.errors import ModelsUnavailable
from services.common.images import decode_square
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
    """The committed models; of their 8-bit steps only the English one, measured to be as good."""
    folder = tmp_path_factory.mktemp("int8") / "models"
    shutil.copytree(REPOSITORY / "models", folder)
    document = json.loads((folder / "manifest.json").read_text())
    scores = {"en": {"fp32": 60.0, "int8": 59.9}}
    document["decoders"]["en"]["int8"]["dev_cider"] = scores
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
    pairs = list(zip(found["fp32"], found["auto"], strict=True))
    same = [(one, other) for (text, one), (small, other) in pairs if text == small]
    assert len(same) > len(pairs) / 2
    for original, small in same:
        assert small == pytest.approx(original, rel=0.1)


def test_asked_for_where_there_is_none(models: Path) -> None:
    with pytest.raises(ModelsUnavailable, match="not offered"):
        languages(read_manifest(models), "int8")
