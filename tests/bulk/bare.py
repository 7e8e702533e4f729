"""The encoder model alone, on pixels that are there already: the limit for everything around it."""

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from time import perf_counter, process_time

from services.common.images import Pixels
from services.common.manifest import read_manifest
from services.common.settings import MODELS
from services.encoder.session import EncoderSession
from services.encoder.settings import EncoderSettings


@dataclass(frozen=True, slots=True)
class Speed:
    photos_per_second: float
    core_ms: float
    """Milliseconds of a core per photo: what neighbours on the machine change least."""


def bare_speed(pixels: Sequence[Pixels], number: int) -> Speed:
    """At the better of two layouts: one run on all cores, or a run on each core.

    Args:
        pixels: Photos, used in turn; each uint8 [side, side, 3].
        number: How many to encode per layout.
    """
    model = read_manifest(MODELS).encoder
    precision = EncoderSettings().encoder_precision
    cores = len(os.sched_getaffinity(0))
    together = _speed(EncoderSession(model, cores, precision), pixels, number, 1)
    apart = _speed(EncoderSession(model, 1, precision), pixels, number, cores)
    return max(together, apart, key=lambda speed: speed.photos_per_second)


def _speed(session: EncoderSession, pixels: Sequence[Pixels], number: int, at_once: int) -> Speed:
    session.run([pixels[0]])
    turns = iter(list(islice(cycle(pixels), number)))
    turn = threading.Lock()

    def work() -> None:
        while True:
            with turn:
                photo = next(turns, None)
            if photo is None:
                return
            session.run([photo])

    threads = [threading.Thread(target=work) for _ in range(at_once)]
    started, used = perf_counter(), process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Speed(number / (perf_counter() - started), 1000 * (process_time() - used) / number)
