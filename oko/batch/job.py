"""What every worker is told."""

from dataclasses import dataclass
from pathlib import Path

from oko.batch.plan import Request
from services.common.accepted_images import ImageLimits
from services.common.errors import ModelsUnavailable
from services.common.manifest import Manifest, read_manifest
from services.common.precision import EncoderPrecision


@dataclass(frozen=True, slots=True)
class Job:
    request: Request
    output: str
    models_dir: Path
    """On each machine."""
    limits: ImageLimits
    max_bytes: int
    length_penalty: float
    encoder_precision: EncoderPrecision
    """Which variant runs is up to each machine, where it is `auto`."""
    cores: int
    """Photos that one encoder encodes at the same time, on a core each."""

    def manifest(self) -> Manifest:
        """Of the models on this machine.

        Raises:
            ModelsUnavailable: There are none, or not those that the job was planned with.
        """
        manifest = read_manifest(self.models_dir)
        if model_digests(manifest, self.request.languages) != self.request.models:
            raise ModelsUnavailable(
                f"{self.models_dir} on this machine holds other models than where the job was "
                "started. Use the same image everywhere."
            )
        return manifest


def model_digests(manifest: Manifest, languages: tuple[str, ...]) -> dict[str, str]:
    """Digests by part: `encoder` and the languages' codes."""
    decoders = {code: manifest.decoders[code].digest for code in languages}
    return {"encoder": manifest.encoder.digest, **decoders}
