"""The peers, each behind HTTP, under the same load as Oko."""

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import httpx
import psutil

from bench import photos
from bench.figures import Figures
from bench.load import closed_loop
from services.common.settings import REPOSITORY
from tests.processes import free_port

ENVIRONMENT = REPOSITORY / ".venv-bench"
PEERS = {
    "eager": "TensorFlow eager, as in the replaced app",
    "function": "the same under tf.function",
    "plain": "FastAPI and ONNX Runtime, no batching, no cache",
    "blip": "BLIP-base, 10 tokens",
}
CROWD = 16
SECONDS = 5.0
PATIENCE_S = 180.0


def measure() -> Figures:
    figures: Figures = {}
    for name in PEERS:
        with served(name) as (url, pid):
            figures |= compared(name, url)
            figures[f"{name}_resident_mb"] = psutil.Process(pid).memory_info().rss / 1e6
    return figures


def compared(name: str, url: str) -> Figures:
    requests = (("/caption", body) for body in photos.unseen(photos.ordinary()))
    shares: list[tuple[float, float]] = []

    def look(body: bytes) -> None:
        answer = json.loads(body)
        shares.append((answer["encoder_ms"], answer["decoder_ms"]))

    closed_loop(url, requests, 1, 0.0, least=3)  # traces, allocates, warms up
    alone = closed_loop(url, requests, 1, SECONDS, least=5, look=look)
    crowd = closed_loop(url, requests, CROWD, SECONDS, least=CROWD)
    encoder, decoder = zip(*shares, strict=True)
    return {
        f"{name}_1_p50_ms": alone.times.p50,
        f"{name}_encoder_ms": median(encoder),
        f"{name}_decoder_ms": median(decoder),
        f"{name}_{CROWD}_per_s": crowd.per_second,
        f"{name}_{CROWD}_p50_ms": crowd.times.p50,
    }


@contextmanager
def served(name: str) -> Iterator[tuple[str, int]]:
    """Address and process id of a peer that answers."""
    port = free_port()
    python = str(ENVIRONMENT / "bin" / "python")
    command = [python, "-m", "bench.peers", name, str(port), str(REPOSITORY / "models")]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=log, stderr=log)
        try:
            wait(process, f"http://127.0.0.1:{port}/docs")
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.wait()


def wait(process: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode}")
        try:
            httpx.get(url, timeout=2)
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"{process.args} does not answer")
