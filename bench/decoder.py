"""Continuous batching: captions one at a time against sixteen at once, through the engine."""

import threading
import time

import numpy as np

from bench.figures import Figures
from bench.stages import LIMITS
from services.common.deadline import Deadline
from services.common.features import Features
from services.common.images import decode_square
from services.common.manifest import read_manifest
from services.common.settings import REPOSITORY
from services.decoder.engine import Engine, Job
from services.decoder.search import Hypothesis, SearchOptions
from services.decoder.session import DecoderSession
from services.decoder.settings import DecoderSettings
from services.decoder.vocabulary import Vocabulary
from services.encoder.session import EncoderSession
from tests.photos import ALL

SECONDS = 4.0


def measure() -> Figures:
    manifest = read_manifest(REPOSITORY / "models")
    encoder = EncoderSession(manifest.encoder, 0)
    features = encoder.run([decode_square(path.read_bytes(), 299, LIMITS) for path in ALL])
    settings, model = DecoderSettings(), manifest.decoders["en"]
    engine = Engine(
        DecoderSession(
            model, *features[0].shape, settings.decoder_threads, settings.decoder_precision
        ),
        Vocabulary.read(model.vocabulary.path),
        batch_size=settings.decoder_batch_size,
        queue_size=settings.decoder_queue_size,
    )
    engine.start()
    figures: Figures = {}
    for count in (1, 4, 16):
        captions, words, seconds = decoded(engine, features, count)
        figures[f"decoder_{count}_words_per_s"] = words / seconds
        if count == 1:
            figures["decoder_words_per_caption"] = words / captions
            figures["decoder_caption_ms"] = 1000 * seconds / captions
            figures["decoder_11_words_ms"] = 1000 * seconds / words * 11
    engine.stop()
    return figures


def decoded(engine: Engine, features: list[Features], count: int) -> tuple[int, int, float]:
    """Keeps `count` captions running; captions, words and seconds."""
    captions: list[int] = []
    finished = threading.Event()
    started = time.perf_counter()
    end = started + SECONDS
    running = count

    def submit(number: int) -> None:
        def done(found: list[Hypothesis]) -> None:
            nonlocal running
            captions.append(len(found[0].words))
            if time.perf_counter() < end:
                submit(number + count)
                return
            running -= 1
            if not running:
                finished.set()

        chosen = features[number % len(features)]
        engine.submit(Job(chosen, SearchOptions(), Deadline.after(60), done, fail))

    def fail(error: Exception) -> None:
        raise error

    for number in range(count):
        submit(number)
    finished.wait()
    return len(captions), int(np.sum(captions)), time.perf_counter() - started
