"""Captions in this process, from the services' own engines."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Self

from oko.bulk import BulkRun
from oko.captioned import Captioned, Image
from oko.decoding import TOGETHER
from oko.encoding import AHEAD
from services.common.accepted_images import ImageLimits
from services.common.errors import UnknownLanguage
from services.common.manifest import Manifest, read_manifest
from services.decoder.captions import Caption
from services.decoder.languages import Languages
from services.decoder.metrics import DecoderMetrics
from services.decoder.search import SearchOptions
from services.decoder.settings import DecoderSettings
from services.encoder.session import EncoderSession
from services.encoder.settings import EncoderSettings


class Captioner:
    """Loads the models once; a context manager, since the decoders have threads.

    One call at a time: the threads are inside. One process feeds about sixteen cores, since each
    language has one decoder thread; give more cores to several processes.
    """

    def __init__(
        self,
        models_dir: Path | None = None,
        *,
        workers: int | None = None,
        languages: Sequence[str] | None = None,
    ) -> None:
        """Loads the models.

        Args:
            models_dir: Folder with `manifest.json`; None for the one configured.
            workers: Cores to use; None for all that this process may use.
            languages: Those to load; None for all.

        Raises:
            ModelsUnavailable: The folder is missing or damaged.
            UnknownLanguage: There is no model for one of `languages`.
        """
        settings, decoder = EncoderSettings(), DecoderSettings()
        self.manifest = read_manifest(models_dir or settings.models_dir)
        self._limits = ImageLimits(settings.max_pixels, settings.max_decode_bytes)
        self._workers = workers or available_cores()
        self._most_under_way = 2 * TOGETHER + AHEAD * self._workers
        self._length_penalty = decoder.length_penalty
        self._encoder_precision = settings.encoder_precision
        roomy = decoder.model_copy(
            update={
                "decoder_batch_size": TOGETHER,
                "decoder_queue_size": self._most_under_way,
            }
        )
        self._languages = Languages.load(_only(self.manifest, languages), roomy, DecoderMetrics())

    def __enter__(self) -> Self:
        self._languages.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._languages.stop()

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that are loaded."""
        return tuple(sorted(self._languages.by_code))

    @cached_property
    def session(self) -> EncoderSession:
        """The encoder, one thread per run; loaded when first used."""
        return EncoderSession(self.manifest.encoder, 1, self._encoder_precision)

    def caption(
        self, image: Image, language: str = "en", beam_size: int = 3, max_words: int = 20
    ) -> list[Caption]:
        """The captions of one image file, best first.

        Args:
            image: The bytes of the file, or its path.
            language: A language that is loaded.
            beam_size: Captions kept under consideration, and answered.
            max_words: Longest caption.

        Raises:
            OkoError: The image or the language is not valid.
        """
        (one,) = self.caption_many([image], [language], beam_size=beam_size, max_words=max_words)
        if one.error is not None:
            raise one.error
        return one.captions[language]

    def caption_many(
        self,
        images: Iterable[Image],
        languages: Sequence[str] = ("en",),
        *,
        beam_size: int = 3,
        max_words: int = 20,
        n_best: int | None = None,
    ) -> Iterator[Captioned]:
        """Captions any number of images, nearly as fast as the encoder alone would go.

        `images` is taken from as there is room, in the thread that iterates over the answer, so it
        may be endless: about 70 photos are under way, of which four per core hold bytes or pixels
        and the others 64 KiB of features. Every image is answered exactly once, when it is done,
        so the order is not that of the input: see `Captioned.index`. An image that cannot be
        captioned is answered with its `error` and stops nothing. Leaving the iteration early
        (`close()`, or an exception) ends the work.

        Args:
            images: Bytes of image files, or paths, which are read when their turn comes.
            languages: Loaded ones. A photo is encoded once for all of them.
            beam_size: Captions kept under consideration.
            max_words: Longest caption.
            n_best: Captions answered per language, best first; None for `beam_size`.

        Raises:
            UnknownLanguage: At once, for a language that is not loaded.
        """
        codes = tuple(dict.fromkeys(languages))
        for code in codes:
            self._languages[code]  # raises
        options = SearchOptions(beam_size, max_words, n_best or beam_size, self._length_penalty)
        run = BulkRun(
            self.session,
            self._languages,
            self._limits,
            workers=self._workers,
            most_under_way=self._most_under_way,
            codes=codes,
            options=options,
        )
        return run.answers(images)


def available_cores() -> int:
    """Cores that this process may run on, which in a container may be fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _only(manifest: Manifest, languages: Sequence[str] | None) -> Manifest:
    """The manifest with the decoders of these languages; None for all of them."""
    if languages is None:
        return manifest
    known = sorted(manifest.decoders)
    for code in languages:
        if code not in manifest.decoders:
            raise UnknownLanguage(
                f"There is no language `{code}`; there are: {', '.join(known)}.", allowed=known
            )
    return replace(manifest, decoders={code: manifest.decoders[code] for code in languages})
