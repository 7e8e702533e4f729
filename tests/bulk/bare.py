"""The encoder model alone, on pixels that are there already: the limit for everything around it."""

import os
import threading
from collections.abc import Sequence
from itertools import cycle, islice
from time import perf_counter

from services.common.images import Pixels
from services.common.manifest import read_manifest
from services.common.settings import MODELS
from services.encoder.session import EncoderSession


def photos_per_second(pixels: Sequence[Pixels], number: int) -> float:
    """At the best of two layouts: one run on all cores, or a run on each core.

    Args:
        pixels: Photos, used in turn; each uint8 [side, side, 3].
        number: How many to encode per layout.
    """
    model = read_manifest(MODELS).encoder
    cores = len(os.sched_getaffinity(0))
    together = _rate(EncoderSession(model, cores), pixels, number, 1)
    apart = _rate(EncoderSession(model, 1), pixels, number, cores)
    return max(together, apart)


def _rate(session: EncoderSession, pixels: Sequence[Pixels], number: int, at_once: int) -> float:
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
    started = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return number / (perf_counter() - started)
