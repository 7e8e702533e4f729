"""`models/manifest.json`: which models there are and which belong together."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.common.errors import ModelsUnavailable

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ModelFile:
    path: Path
    digest: str

    def verify(self) -> None:
        """Raises `ModelsUnavailable` unless the file is there and has the promised digest."""
        try:
            with self.path.open("rb") as file:
                found = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelsUnavailable(f"{self.path} cannot be read: {error.strerror}.") from error
        if found != self.digest:
            raise ModelsUnavailable(
                f"{self.path} is not the file that manifest.json names "
                f"(expected {self.digest}, found {found}). Restore the models folder."
            )


@dataclass(frozen=True, slots=True)
class Quantized:
    """An 8-bit variant of a model, which stands for the same digest."""

    file: ModelFile
    dev_cider: Mapping[str, tuple[float, float]]
    """By language: CIDEr of the original and of this on the dev photos."""


@dataclass(frozen=True, slots=True)
class EncoderModel:
    file: ModelFile
    digest: str
    grid: tuple[int, int]
    dimensions: int
    int8: Quantized | None
    pruned: Quantized | None
    """A network of fewer channels, in 8 bits, that learned to give the same features."""

    @property
    def cells(self) -> int:
        return self.grid[0] * self.grid[1]


@dataclass(frozen=True, slots=True)
class DecoderModel:
    language: str
    name: str
    digest: str
    encoder: str
    init: ModelFile
    step: ModelFile
    vocabulary: ModelFile
    hidden: int
    int8: Quantized | None
    """Of `step`."""


@dataclass(frozen=True, slots=True)
class Manifest:
    encoder: EncoderModel
    decoders: Mapping[str, DecoderModel]
    document: Mapping[str, Any]
    """The whole file, for `/v1/models`."""


def read_manifest(folder: Path) -> Manifest:
    """Reads `manifest.json` of a models folder.

    Raises:
        ModelsUnavailable: The file is missing, not valid, or of another format.
    """
    path = folder / "manifest.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise ModelsUnavailable(f"{path} has format {document['format']}, expected {FORMAT}.")
        return Manifest(
            encoder=_encoder(folder, document["encoder"]),
            decoders={
                language: _decoder(folder, language, entry)
                for language, entry in document["decoders"].items()
            },
            document=document,
        )
    except OSError as error:
        raise ModelsUnavailable(
            f"{path} cannot be read ({error.strerror}). Set OKO_MODELS_DIR to a folder that "
            "`python -m export` wrote."
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise ModelsUnavailable(f"{path} is not a valid manifest: {error!r}.") from error


def _encoder(folder: Path, entry: Mapping[str, Any]) -> EncoderModel:
    rows, columns = entry["grid"]
    return EncoderModel(
        file=ModelFile(folder / entry["file"], entry["digest"]),
        digest=entry["digest"],
        grid=(int(rows), int(columns)),
        dimensions=int(entry["feature_dim"]),
        int8=_quantized(folder, entry.get("int8")),
        pruned=_quantized(folder, entry.get("pruned"), "pruned"),
    )


def _decoder(folder: Path, language: str, entry: Mapping[str, Any]) -> DecoderModel:
    files = {
        role: ModelFile(folder / file["file"], file["digest"])
        for role, file in entry["files"].items()
    }
    return DecoderModel(
        language=language,
        name=entry["name"],
        digest=entry["digest"],
        encoder=entry["encoder"],
        init=files["init"],
        step=files["step"],
        vocabulary=files["vocabulary"],
        hidden=int(entry["hidden"]),
        int8=_quantized(folder, entry.get("int8")),
    )


def _quantized(
    folder: Path, entry: Mapping[str, Any] | None, name: str = "int8"
) -> Quantized | None:
    if entry is None:
        return None
    return Quantized(
        ModelFile(folder / entry["file"], entry["digest"]),
        {
            language: (float(score["fp32"]), float(score[name]))
            for language, score in entry["dev_cider"].items()
        },
    )
