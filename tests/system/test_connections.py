"""Below HTTP's surface: broken requests, clients that go away, clients that dawdle."""

import socket
import time
from pathlib import Path

import httpx
import pytest

from tests import photos
from tests.pictures import fresh_photo
from tests.processes import Service, Stack, running_stack


def connected(service: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.port), timeout=30)


def received(connection: socket.socket) -> bytes:
    data = b""
    while piece := connection.recv(4096):
        data += piece
    return data


def drip(connection: socket.socket) -> None:
    """Twenty bytes a second, half a minute long."""
    for _ in range(600):
        connection.sendall(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize(
    "request_bytes", [b"hello\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00"]
)
def test_what_is_not_http_gets_a_problem(stack: Stack, request_bytes: bytes) -> None:
    with connected(stack.gateway) as connection:
        connection.sendall(request_bytes)
        answer = received(connection)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"application/problem+json" in answer
    assert b'"code": "bad-request"' in answer


def test_client_that_goes_away_is_noticed(stack: Stack) -> None:
    """Its work is cancelled: the request ends as 499, long before any deadline."""
    photo = fresh_photo()
    head = (
        f"POST /v1/captions?beam_size=10&max_words=40 HTTP/1.1\r\nHost: x\r\n"
        f"Content-Type: image/jpeg\r\nContent-Length: {len(photo)}\r\n\r\n"
    )
    with connected(stack.gateway) as connection:
        connection.sendall(head.encode() + photo)
    wanted = 'route="/v1/captions",service="gateway",status="499"'
    end = time.monotonic() + 20
    while wanted not in httpx.get(f"{stack.url}/metrics").text:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_dawdling_uploads_and_headers_are_ended(tmp_path: Path) -> None:
    with running_stack(tmp_path, header_timeout_s=0.5, upload_idle_s=0.5) as stack:
        with connected(stack.gateway) as connection:
            connection.sendall(b"POST /v1/capt")
            assert received(connection) == b""
        with connected(stack.gateway) as connection:
            connection.sendall(
                b"POST /v1/captions HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
                b"Content-Length: 100000\r\n\r\nabc"
            )
            answer = received(connection)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b'"code":"upload-too-slow"' in answer
        with connected(stack.gateway) as connection:  # refused at once, and goes on sending
            connection.sendall(
                b"POST /v1/captions HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
                b"Content-Length: 100000\r\n\r\nabc"
            )
            assert connection.recv(4096).startswith(b"HTTP/1.1 415")
            with pytest.raises(ConnectionError):
                drip(connection)
        files = {"image": photos.CAT.read_bytes()}
        assert httpx.post(f"{stack.url}/v1/captions", files=files, timeout=60).status_code == 200
