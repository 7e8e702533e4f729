"""What is refused before it is read."""

import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import httpx

from tests.pictures import fresh_photo
from tests.processes import running_stack


def test_a_full_gateway_refuses_before_the_upload(tmp_path: Path) -> None:
    settings = {"max_in_flight": 1, "cors_origins": "https://example.org"}
    with running_stack(tmp_path, **settings) as stack, ThreadPoolExecutor(1) as other:
        stack.encoder.signal(signal.SIGSTOP)
        first = other.submit(
            httpx.post, f"{stack.url}/v1/captions", content=fresh_photo(), timeout=60
        )
        end = time.monotonic() + 30
        while "oko_gateway_images_in_flight 1.0" not in httpx.get(f"{stack.url}/metrics").text:
            assert time.monotonic() < end
            time.sleep(0.02)
        with closing(HTTPConnection("127.0.0.1", stack.gateway.port, timeout=30)) as connection:
            connection.putrequest("POST", "/v1/captions")
            connection.putheader("Content-Length", "5")
            connection.putheader("X-Request-ID", "mine")
            connection.putheader("Origin", "https://example.org")
            connection.endheaders()
            answer = connection.getresponse()  # before a byte of the body
            document = json.load(answer)
            connection.send(b"photo")
            connection.request("GET", "/v1/languages")
            assert connection.getresponse().status == 200, "the connection goes on"
        stack.encoder.signal(signal.SIGCONT)
        assert first.result().status_code in (200, 503), "503: frozen long enough to be missed"
        metrics = httpx.get(f"{stack.url}/metrics").text
        log = stack.gateway.log.read_text()
    assert answer.status == 503
    assert (document["code"], document["request_id"]) == ("overloaded", "mine")
    for name, value in (
        ("Retry-After", "1"),
        ("X-Request-ID", "mine"),
        ("Content-Type", "application/problem+json"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
        ("Access-Control-Allow-Origin", "https://example.org"),
    ):
        assert answer.headers[name] == value
    refused = 'method="POST",route="/v1/captions",service="gateway",status="503"'
    assert f"oko_requests_total{{{refused}}}" in metrics
    assert '"refused": 1' in log
