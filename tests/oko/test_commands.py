"""`make run` and `make caption`, without make."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests import photos
from tests.oko.command import oko
from tests.processes import REPOSITORY, free_port


@pytest.mark.parametrize("language", ["en", "uk"])
def test_caption_is_what_the_servers_say(client: httpx.Client, language: str) -> None:
    done = oko("caption", str(photos.CAT), "--language", language)
    assert done.returncode == 0, done.stderr
    files = {"image": photos.CAT.read_bytes()}
    answer = client.post("/v1/captions", files=files, params={"language": language})
    assert done.stdout.strip() == answer.json()["caption"]


def test_several_files_and_a_broken_one(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"not an image")
    done = oko("caption", str(photos.CAT), str(broken), str(tmp_path / "missing.jpg"))
    assert done.returncode == 1
    assert done.stdout.count("\n") == 1
    assert "broken.jpg" in done.stderr
    assert "missing.jpg" in done.stderr
    assert "Traceback" not in done.stderr


def test_unknown_language() -> None:
    done = oko("caption", str(photos.CAT), "--language", "xx")
    assert done.returncode == 2
    assert "en, uk" in done.stderr


def serve(ports: dict[str, int], log: Path) -> subprocess.Popen[bytes]:
    environment = {f"OKO_{name.upper()}_PORT": str(port) for name, port in ports.items()}
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "oko.serve"],
            cwd=REPOSITORY,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def test_run_serves_and_stops_all(tmp_path: Path) -> None:
    ports = {name: free_port() for name in ("gateway", "encoder", "decoder")}
    log = tmp_path / "run.log"
    running = serve(ports, log)
    try:
        end = time.monotonic() + 120
        while "Oko is ready" not in log.read_text():
            assert time.monotonic() < end, log.read_text()
            assert running.poll() is None, log.read_text()
            time.sleep(0.1)
        assert f"http://127.0.0.1:{ports['gateway']}" in log.read_text()
        photo = {"image": photos.ROCKET.read_bytes()}
        url = f"http://127.0.0.1:{ports['gateway']}/v1/captions"
        assert httpx.post(url, files=photo, timeout=60).status_code == 200
    finally:
        os.killpg(running.pid, signal.SIGINT)  # as Ctrl-C does
        running.wait(60)
    for port in ports.values():
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))


def test_taken_port_is_a_clear_error(tmp_path: Path) -> None:
    ports = {name: free_port() for name in ("gateway", "encoder", "decoder")}
    with socket.socket() as other:
        other.bind(("127.0.0.1", ports["decoder"]))
        other.listen()
        log = tmp_path / "run.log"
        assert serve(ports, log).wait(60) == 1
    message = log.read_text()
    assert f"port {ports['decoder']} is taken" in message
    assert "OKO_DECODER_PORT" in message
    assert "Traceback" not in message
