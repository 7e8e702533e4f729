"""Which variant of a model is run: float32, 8 bits where that is faster and as good, or pruned."""

from pathlib import Path
from typing import Literal

from services.common.errors import ModelsUnavailable
from services.common.manifest import EncoderModel, ModelFile, Quantized

Precision = Literal["auto", "fp32", "int8"]
EncoderPrecision = Literal["auto", "fp32", "int8", "pruned"]

SMALLEST_SHARE = 0.99
"""Of the float32 model's CIDEr on dev photos, in every language; below it int8 is not offered."""
SMALLEST_PRUNED_SHARE = 0.98
"""The same for the pruned encoder, which is taken only by those who ask for it."""

_VNNI = {"avx512_vnni", "avx_vnni"}


def has_vnni() -> bool:
    """Whether the processor multiplies 8-bit numbers faster than float32 ones."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith("flags")), "")
    return bool(_VNNI & set(flags.split()))


def as_good(variant: Quantized, share: float = SMALLEST_SHARE) -> bool:
    """Whether the variant's captions were measured to be as good as the original's."""
    scores = variant.dev_cider.values()
    return bool(scores) and all(other >= share * fp32 for fp32, other in scores)


def chosen(
    precision: Precision, original: ModelFile, variant: Quantized | None, *, faster: bool
) -> ModelFile:
    """The file to run.

    Args:
        precision: What was asked for.
        original: The float32 model.
        variant: Its 8-bit variant, if there is one.
        faster: Whether the variant is the faster one here, for `auto`.

    Raises:
        ModelsUnavailable: `int8` was asked for and is not offered.
    """
    if precision == "int8":
        return _offered("int8", original, variant, SMALLEST_SHARE)
    if precision == "auto" and faster and variant is not None and as_good(variant):
        return variant.file
    return original


def chosen_encoder(precision: EncoderPrecision, model: EncoderModel) -> ModelFile:
    """The encoder's file to run.

    Raises:
        ModelsUnavailable: `int8` or `pruned` was asked for and is not offered.
    """
    if precision == "pruned":
        return _offered("pruned", model.file, model.pruned, SMALLEST_PRUNED_SHARE)
    return chosen(precision, model.file, model.int8, faster=has_vnni())


def _offered(name: str, original: ModelFile, variant: Quantized | None, share: float) -> ModelFile:
    """The variant's file, unless its captions keep less than `share` of the original's CIDEr."""
    if variant is not None and as_good(variant, share):
        return variant.file
    reason = "there is none" if variant is None else "its captions were measured to be worse"
    raise ModelsUnavailable(
        f"{name} is not offered for {original.path}: {reason}. Set the precision to auto or fp32."
    )
