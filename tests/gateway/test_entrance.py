"""What is refused before it is read."""

import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.pictures import fresh_photo
from tests.processes import running_stack


def test_a_full_gateway_refuses_before_the_upload(tmp_path: Path) -> None:
    settings = {"max_in_flight": 1, "cors_origins": "https://example.org"}
    with running_stack(tmp_path, **settings) as stack, ThreadPoolExecutor(1) as other:
        stack.encoder.signal(signal.SIGSTOP)
        first = other.submit(httpx.post, f"{stack.url}/v1/captions", content=fresh_photo())
        end = time.monotonic() + 30
        while "oko_gateway_images_in_flight 1.0" not in httpx.get(f"{stack.url}/metrics").text:
            assert time.monotonic() < end
            time.sleep(0.02)
        with socket.create_connection(("127.0.0.1", stack.gateway.port), timeout=30) as connection:
            connection.sendall(
                b"POST /v1/captions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                b"X-Request-ID: mine\r\nOrigin: https://example.org\r\n\r\n"
            )
            answer = connection.recv(65536)  # before a byte of the body
            connection.sendall(b"photoGET /v1/languages HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200"), "the connection goes on"
        stack.encoder.signal(signal.SIGCONT)
        assert first.result().status_code == 200
        metrics = httpx.get(f"{stack.url}/metrics").text
        log = stack.gateway.log.read_text()
    head, _, body = answer.decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 503")
    for header in (
        "retry-after: 1",
        "x-request-id: mine",
        "content-type: application/problem\\+json",
        "x-content-type-options: nosniff",
        "cache-control: no-store",
        "access-control-allow-origin: https://example.org",
    ):
        assert re.search(rf"^{header}\r?$", head, re.MULTILINE), (header, head)
    assert '"code":"overloaded"' in body
    assert '"request_id":"mine"' in body
    refused = 'method="POST",route="/v1/captions",service="gateway",status="503"'
    assert f"oko_requests_total{{{refused}}} 1.0" in metrics
    assert '"refused": 1' in log
