"""8-bit variants are run only where they are as good, and by themselves only where faster."""

from pathlib import Path

import pytest

from services.common.errors import ModelsUnavailable
from services.common.manifest import EncoderModel, ModelFile, Quantized
from services.common.precision import Precision, chosen, chosen_encoder

ORIGINAL = ModelFile(Path("encoder.onnx"), "sha256:a")
SMALL = ModelFile(Path("encoder-int8.onnx"), "sha256:b")
GOOD = Quantized(SMALL, {"en": (60.0, 59.5), "uk": (40.0, 40.2)})
WORSE = Quantized(SMALL, {"en": (60.0, 59.5), "uk": (40.0, 39.5)})
UNMEASURED = Quantized(SMALL, {})


@pytest.mark.parametrize(
    ("precision", "faster", "file"),
    [
        ("auto", True, SMALL),
        ("auto", False, ORIGINAL),
        ("int8", False, SMALL),
        ("fp32", True, ORIGINAL),
    ],
)
def test_a_variant_that_is_as_good(precision: Precision, faster: bool, file: ModelFile) -> None:
    assert chosen(precision, ORIGINAL, GOOD, faster=faster) == file


@pytest.mark.parametrize("variant", [WORSE, UNMEASURED, None])
def test_one_that_is_worse_or_unknown_is_never_run(variant: Quantized | None) -> None:
    assert chosen("auto", ORIGINAL, variant, faster=True) == ORIGINAL
    with pytest.raises(ModelsUnavailable, match="not offered"):
        chosen("int8", ORIGINAL, variant, faster=True)


def encoder(pruned: Quantized | None) -> EncoderModel:
    return EncoderModel(ORIGINAL, ORIGINAL.digest, (8, 8), 512, GOOD, pruned)


def test_the_pruned_encoder_is_run_when_it_is_asked_for_and_within_two_percent() -> None:
    narrow = ModelFile(Path("encoder-pruned-int8.onnx"), "sha256:c")
    offered = encoder(Quantized(narrow, {"en": (60.0, 58.9), "uk": (40.0, 41.0)}))
    assert chosen_encoder("pruned", offered) == narrow
    assert chosen_encoder("int8", offered) == SMALL
    assert chosen_encoder("auto", offered) in (SMALL, ORIGINAL)
    for pruned in (None, Quantized(narrow, {"en": (60.0, 58.7), "uk": (40.0, 41.0)})):
        with pytest.raises(ModelsUnavailable, match="not offered"):
            chosen_encoder("pruned", encoder(pruned))
