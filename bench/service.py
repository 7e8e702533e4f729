"""The whole service over HTTP: uncached, features cached, caption cached; memory; cold start."""

import itertools
import json
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from bench import photos
from bench.comparison import CROWD
from bench.figures import Figures
from bench.load import Request, closed_loop
from bench.times import Times
from tests.processes import Service, Stack, running_stack, started

CONCURRENCY = (1, 4, 16, 64)
SECONDS = 6.0
CACHED_SECONDS = 3.0
CALM_S = 6.0
"""After an overload, until the gateway's throttle has forgotten it."""
PAUSE_S = 0.1
PAUSES = 30
PATH = "/v1/captions"
ENCODER_PATH = "/v1/features"
KNOWN = 60
SIZES = range(14, 41)
"""Values of `max_words` that ask for another caption of features that are known."""


def measure() -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        figures = cold_start(Path(folder))
        with running_stack(Path(folder), log_level="warning") as stack, memory(stack, figures):
            figures |= loads(stack, CONCURRENCY)
            figures["uncached_after_a_pause_p50_ms"] = after_pauses(stack)
            figures |= large_photo(stack)
    return figures


def measure_float32() -> Figures:
    """The same service with the encoder that machines without 8-bit arithmetic take."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(Path(folder), log_level="warning", encoder_precision="fp32") as stack,
    ):
        figures = loads(stack, (1, CROWD))
    return {f"float32_{name}": value for name, value in figures.items()}


def loads(stack: Stack, concurrencies: Sequence[int]) -> Figures:
    """Latency and throughput at every level of caching."""
    figures: Figures = {}
    warm_up(stack)
    for name, requests, seconds in levels(stack):
        for concurrency in concurrencies:
            load = closed_loop(stack.url, requests, concurrency, seconds)
            if load.refused:
                time.sleep(CALM_S)
            prefix = f"{name}_{concurrency}"
            figures |= {
                f"{prefix}_p50_ms": load.times.p50,
                f"{prefix}_p95_ms": load.times.quantile(0.95),
                f"{prefix}_p99_ms": load.times.quantile(0.99),
                f"{prefix}_per_s": load.per_second,
                f"{prefix}_refused": load.refused,
            }
    return figures


def warm_up(stack: Stack) -> None:
    closed_loop(stack.url, uncached(photos.ordinary()), 4, 2.0)


def levels(stack: Stack) -> Iterator[tuple[str, Iterator[Request], float]]:
    photo = photos.ordinary()
    yield "uncached", uncached(photo), SECONDS
    yield "features_cached", features_cached(stack, photo), CACHED_SECONDS
    yield "caption_cached", itertools.repeat((PATH, photo)), CACHED_SECONDS


def uncached(photo: bytes) -> Iterator[Request]:
    return ((PATH, body) for body in photos.unseen(photo))


def features_cached(stack: Stack, photo: bytes) -> Iterator[Request]:
    """Photos that the encoder knows, each asked for in ways that no caption is known for."""
    known = list(itertools.islice(photos.unseen(photo), KNOWN))
    encode = ((ENCODER_PATH, body) for body in known)
    closed_loop(stack.encoder.url, encode, 1, 0.0, least=KNOWN)
    return (
        (f"{PATH}?max_words={words}&n_best={n_best}", body)
        for n_best in (3, 2, 1)
        for words in SIZES
        for body in known
    )


def after_pauses(stack: Stack) -> float:
    """Median milliseconds of an uncached caption when nothing was asked for a while."""
    requests = uncached(photos.ordinary())
    taken: list[float] = []
    for _ in range(PAUSES):
        time.sleep(PAUSE_S)
        taken += closed_loop(stack.url, requests, 1, 0.0, least=1).times.seconds
    return Times(taken).p50


def large_photo(stack: Stack) -> Figures:
    """What a photo of 12 megapixels adds to an uncached caption."""
    took = {
        name: closed_loop(stack.url, uncached(photo), 1, 4.0, least=20)
        for name, photo in (
            ("small", photos.ordinary()),
            ("large", photos.twelve_megapixels()),
        )
    }
    return {
        "uncached_12_megapixels_p50_ms": took["large"].times.p50,
        "uncached_12_megapixels_adds_ms": took["large"].times.p50 - took["small"].times.p50,
        "encoder_share_ms": json.loads(took["small"].last)["timings_ms"]["encoder"],
        "decoder_share_ms": json.loads(took["small"].last)["timings_ms"]["decoder"],
    }


def cold_start(folder: Path) -> Figures:
    """From the start of the process to readiness, each service alone, its upstreams being there."""
    with ExitStack() as stack:
        figures: Figures = {}
        urls: dict[str, str] = {}
        for name in ("encoder", "decoder", "gateway"):
            settings = urls if name == "gateway" else {}
            begun = time.perf_counter()
            service = started(stack, Service.of(name, folder, **settings)).wait()
            figures[f"{name}_cold_start_s"] = time.perf_counter() - begun
            urls[f"{name}_url"] = service.url
    return figures


@contextmanager
def memory(stack: Stack, figures: Figures) -> Iterator[None]:
    """Largest resident memory of each service in the block."""
    done = threading.Event()
    peaks = dict.fromkeys(("encoder", "decoder", "gateway"), 0)

    def watch() -> None:
        processes = {service.name: psutil.Process(service.pid) for service in stack.services()}
        while not done.wait(0.25):
            for name, process in processes.items():
                peaks[name] = max(peaks[name], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    figures |= {f"{name}_resident_mb": peak / 1e6 for name, peak in peaks.items()}
