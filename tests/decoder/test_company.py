"""8-bit steps, the default: a photo's caption is the same alone and among others."""

import asyncio

import onnx
import pytest

from services.common.accepted_images import ImageLimits
from services.common.deadline import Deadline
from services.common.features import Features
from services.common.images import decode_square
from services.common.manifest import Manifest
from services.common.precision import as_good
from services.decoder.languages import Language
from services.decoder.metrics import DecoderMetrics
from services.decoder.search import SearchOptions
from services.decoder.session import DecoderSession
from services.decoder.settings import DecoderSettings
from services.encoder.session import EncoderSession
from tests import photos

LIMITS = ImageLimits(40_000_000, 2**28)


@pytest.fixture(scope="module")
def features(manifest: Manifest) -> list[Features]:
    """Of each of scikit-image's photos, and of its mirror image."""
    encoder = EncoderSession(manifest.encoder, 1)
    squares = [decode_square(path.read_bytes(), encoder.side, LIMITS) for path in photos.ALL]
    return encoder.run([*squares, *(square[:, ::-1].copy() for square in squares)])


@pytest.mark.parametrize("code", ["en", "uk"])
async def test_photos_are_captioned_the_same_alone_and_in_company(
    manifest: Manifest, features: list[Features], code: str
) -> None:
    settings = DecoderSettings(decoder_precision="auto")
    language = Language(manifest.decoders[code], manifest.encoder, settings, DecoderMetrics())
    language.engine.start()

    async def found(one: Features) -> list[tuple[str, float]]:
        captions = await language.decode(one, SearchOptions(), Deadline.after(120))
        return [(caption.text, caption.score) for caption in captions]

    try:
        alone = [await found(one) for one in features]
        together = await asyncio.gather(*map(found, features))
    finally:
        language.engine.stop()
    for one, other in zip(alone, together, strict=True):
        assert [text for text, _ in one] == [text for text, _ in other]
        assert [score for _, score in one] == pytest.approx([score for _, score in other], rel=1e-3)


@pytest.mark.parametrize("code", ["en", "uk"])
def test_no_range_is_measured_while_a_step_runs(manifest: Manifest, code: str) -> None:
    """It would be that of all captions that share the step."""
    variant = manifest.decoders[code].int8
    assert variant is not None
    operators = {node.op_type for node in onnx.load(variant.file.path).graph.node}
    assert "QuantizeLinear" in operators
    assert "DynamicQuantizeLinear" not in operators


@pytest.mark.parametrize("code", ["en", "uk"])
def test_the_8_bit_step_runs_by_default_where_it_is_offered(
    manifest: Manifest, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OKO_DECODER_PRECISION", raising=False)
    model, precision = manifest.decoders[code], DecoderSettings().decoder_precision
    assert precision == "auto"
    assert model.int8 is not None
    session = DecoderSession(
        model, manifest.encoder.cells, manifest.encoder.dimensions, 1, precision
    )
    assert session.step_file == (model.int8.file if as_good(model.int8) else model.step)
