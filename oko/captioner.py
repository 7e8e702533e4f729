"""Captions in this process, from the services' own engines."""

import asyncio
from pathlib import Path

from services.common.deadline import Deadline
from services.common.images import ImageLimits, decode_square
from services.common.manifest import read_manifest
from services.decoder.captions import Caption
from services.decoder.languages import Languages
from services.decoder.metrics import DecoderMetrics
from services.decoder.search import SearchOptions
from services.decoder.settings import DecoderSettings
from services.encoder.session import EncoderSession
from services.encoder.settings import EncoderSettings

PATIENCE_S = 600.0
"""Nobody sheds load here: one photo at a time."""


class Captioner:
    """Loads the models once; a context manager, since the decoder has threads."""

    def __init__(self, models_dir: Path | None = None) -> None:
        """Loads every model.

        Args:
            models_dir: Folder with `manifest.json`; None for the one configured.

        Raises:
            ModelsUnavailable: The folder is missing or damaged.
        """
        encoder, decoder = EncoderSettings(), DecoderSettings()
        manifest = read_manifest(models_dir or encoder.models_dir)
        self._limits = ImageLimits(encoder.max_pixels, encoder.max_decode_bytes)
        self._session = EncoderSession(manifest.encoder, encoder.encoder_threads)
        self._languages = Languages.load(manifest, decoder, DecoderMetrics())
        self._length_penalty = decoder.length_penalty

    def __enter__(self) -> "Captioner":
        self._languages.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._languages.stop()

    def caption(
        self, image: bytes, language: str = "en", beam_size: int = 3, max_words: int = 20
    ) -> list[Caption]:
        """The captions of one image file, best first.

        Args:
            image: The bytes of the file.
            language: A language of the models folder.
            beam_size: Captions kept under consideration, and answered.
            max_words: Longest caption.

        Raises:
            OkoError: The image or the language is not valid.
        """
        chosen = self._languages[language]
        pixels = decode_square(image, self._session.side, self._limits)
        (features,) = self._session.run([pixels])
        options = SearchOptions(beam_size, max_words, beam_size, self._length_penalty)
        return asyncio.run(chosen.decode(features, options, Deadline.after(PATIENCE_S)))
