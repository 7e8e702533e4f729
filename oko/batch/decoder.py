"""Features of a part → its captions."""

from collections.abc import Mapping
from dataclasses import replace
from queue import SimpleQueue

from oko.batch.job import Job
from oko.batch.rows import Encoded
from oko.decoding import TOGETHER, BulkDecoder
from services.common.errors import OkoError
from services.decoder.captions import Caption
from services.decoder.languages import Languages
from services.decoder.metrics import DecoderMetrics
from services.decoder.search import SearchOptions
from services.decoder.settings import DecoderSettings

Captions = Mapping[str, Caption]
"""By language."""


class Decoder:
    """Holds the languages' models and their threads; one per process."""

    def __init__(self, job: Job) -> None:
        """Loads the models and starts the threads. Raises `ModelsUnavailable`."""
        request = job.request
        self._codes = request.languages
        self._options = SearchOptions(request.beam_size, request.max_words, 1, job.length_penalty)
        manifest = job.manifest()
        asked = {code: manifest.decoders[code] for code in self._codes}
        settings = DecoderSettings().model_copy(
            update={"decoder_batch_size": TOGETHER, "decoder_queue_size": request.records}
        )
        self._languages = Languages.load(
            replace(manifest, decoders=asked), settings, DecoderMetrics()
        )
        self._languages.start()

    def close(self) -> None:
        """Ends the threads."""
        self._languages.stop()

    def __call__(self, encoded: Encoded) -> list[Captions | OkoError]:
        """For each photo of the part the best caption of each language, or why there is none."""
        answers: SimpleQueue[tuple[int, Captions | OkoError]] = SimpleQueue()

        def captioned(index: int, found: Mapping[str, list[Caption]]) -> None:
            answers.put((index, {code: captions[0] for code, captions in found.items()}))

        def failed(index: int, error: OkoError) -> None:
            answers.put((index, error))

        decoder = BulkDecoder(self._languages, self._codes, self._options, captioned, failed)
        for index, features in enumerate(encoded.features):
            decoder.submit(index, features)
        decoder.flush()
        results = dict(answers.get() for _ in encoded.features)
        return [results[index] for index in range(len(encoded.features))]
