"""Load from threads with plain sockets: the client must not be what is measured."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.times import Times

LONGEST_PAUSE_S = 2.0
"""Before a client that was refused comes back; it waits as long as it was told, up to this."""

Request = tuple[str, bytes]
"""Path with query, and body."""


@dataclass(frozen=True)
class Load:
    """What came of it. `times` are of good answers only."""

    times: Times
    refused: int
    seconds: float
    last: bytes
    """Body of the last good answer."""

    @property
    def per_second(self) -> float:
        return len(self.times.seconds) / self.seconds


def closed_loop(
    url: str,
    requests: Iterator[Request],
    concurrency: int = 1,
    seconds: float = 5.0,
    least: int = 5,
    look: Callable[[bytes], None] = lambda body: None,
) -> Load:
    """So many at once, each followed by the next, for so long and at least so often."""
    host, port = urlsplit(url).hostname or "", urlsplit(url).port
    lock = threading.Lock()
    taken: list[float] = []
    refused = 0
    last = b""
    started = time.perf_counter()
    end = started + seconds

    def work() -> None:
        nonlocal refused, last
        connection = http.client.HTTPConnection(host, port, timeout=120)
        while time.perf_counter() < end or len(taken) < least:
            with lock:
                path, body = next(requests)
            began = time.perf_counter()
            connection.request("POST", path, body, {"Content-Type": "image/jpeg"})
            answer = connection.getresponse()
            content = answer.read()
            took = time.perf_counter() - began
            if answer.status != 200:
                with lock:
                    refused += 1
                time.sleep(min(LONGEST_PAUSE_S, float(answer.headers.get("Retry-After", 1))))
                continue
            look(content)
            with lock:
                taken.append(took)
                last = content
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(concurrency)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load(Times(taken), refused, time.perf_counter() - started, last)
