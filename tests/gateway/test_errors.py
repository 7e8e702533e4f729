"""Every row of the error table, over real HTTP: RFC 9457 bodies with stable codes."""

import socket
import time
from struct import pack
from typing import Any
from zlib import crc32

import httpx
import pytest
from PIL import Image

from tests import photos
from tests.pictures import encoded
from tests.processes import Stack

CAT = photos.CAT.read_bytes()


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    assert document["code"] == code
    assert document["type"] == f"urn:oko:problem:{code}"
    assert document["request_id"] == answer.headers["X-Request-ID"]
    assert len(document["title"]) > 5
    assert document["detail"].endswith((".", "!", "again."))
    return document


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is huge."""
    small = encoded(Image.new("L", (1, 1)), "PNG")
    header = b"IHDR" + pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return small[:8] + pack(">I", 13) + header + pack(">I", crc32(header)) + small[33:]


def test_no_image(client: httpx.Client) -> None:
    answer = client.post("/v1/captions", data={"language": "en"}, files={"x": (None, "1")})
    assert problem(answer, 422, "invalid-parameter")["allowed"]
    empty = client.post("/v1/captions", content=b"")
    assert problem(empty, 422, "invalid-parameter")["field"] == "image"


def test_wrong_field(client: httpx.Client) -> None:
    answer = client.post("/v1/captions", files={"photo": CAT})
    assert problem(answer, 422, "invalid-parameter")["field"] == "photo"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("beam_size", "0"),
        ("beam_size", "11"),
        ("beam_size", "many"),
        ("max_words", "41"),
        ("n_best", "-1"),
        ("heatmap", "rainbow"),
    ],
)
@pytest.mark.parametrize("place", ["query", "form"])
def test_bad_parameter(client: httpx.Client, name: str, value: str, place: str) -> None:
    where = {"params": {name: value}} if place == "query" else {"data": {name: value}}
    answer = client.post("/v1/captions", files={"image": CAT}, **where)
    document = problem(answer, 422, "invalid-parameter")
    assert document["field"] == name
    assert document["errors"][0]["allowed"]


def test_unknown_language_lists_the_languages(client: httpx.Client) -> None:
    answer = client.post("/v1/captions", files={"image": CAT}, params={"language": "xx"})
    assert problem(answer, 422, "unknown-language")["allowed"] == ["en", "uk"]


@pytest.mark.parametrize("path", ["/v1/captions", "/v1/captions/stream", "/predict"])
def test_not_an_image(client: httpx.Client, path: str) -> None:
    problem(client.post(path, files={"image": b"hello, I am text"}), 415, "not-an-image")


def test_unsupported_media_type(client: httpx.Client) -> None:
    answer = client.post("/v1/captions", json={"image": "https://example.org/x.jpg"})
    problem(answer, 415, "unsupported-media-type")


def test_truncated(client: httpx.Client) -> None:
    answer = client.post("/v1/captions", files={"image": CAT[: len(CAT) // 2]})
    problem(answer, 422, "corrupt-image")


def test_empty_file(client: httpx.Client) -> None:
    problem(client.post("/v1/captions", files={"image": b""}), 422, "empty-image")


def test_too_many_pixels(client: httpx.Client) -> None:
    started = time.monotonic()
    answer = client.post("/v1/captions", files={"image": bomb(50_000, 50_000)})
    assert problem(answer, 413, "too-many-pixels")["max_pixels"] == 40_000_000
    assert time.monotonic() - started < 5


def test_too_large(client: httpx.Client) -> None:
    large = CAT + bytes(21 * 2**20)
    raw = client.post("/v1/captions", content=large, headers={"Content-Type": "image/png"})
    assert problem(raw, 413, "body-too-large")["max_bytes"] == 20 * 2**20
    problem(client.post("/v1/captions", files={"image": large}), 413, "body-too-large")


def test_too_large_without_content_length(client: httpx.Client) -> None:
    def pieces() -> Any:
        for _ in range(25):
            yield bytes(2**20)

    answer = client.post("/v1/captions", content=pieces(), headers={"Content-Type": "image/png"})
    problem(answer, 413, "body-too-large")


def test_announced_length_is_refused_before_the_body(stack: Stack) -> None:
    with socket.create_connection(("127.0.0.1", stack.gateway.port), timeout=20) as connection:
        connection.sendall(
            b"POST /v1/captions HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
            b"Content-Length: 99999999999\r\n\r\n"
        )
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


def test_too_many_images_and_fields(client: httpx.Client) -> None:
    images = [("image", CAT)] * 17
    problem(client.post("/v1/captions", files=images), 422, "invalid-parameter")
    fields = [("image", CAT), *((f"f{i}", (None, "x")) for i in range(20))]
    problem(client.post("/v1/captions", files=fields), 422, "invalid-parameter")
    long_field = [("image", CAT), ("language", (None, "x" * 5000))]
    problem(client.post("/v1/captions", files=long_field), 422, "invalid-parameter")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b\r\n",
        b"no boundary at all",
        b"--b\r\nContent-Disposition: form-data; name=image\r\n\r\nabc",
        b"--b\r\n" + b"X: y\r\n" * 5000 + b"\r\nabc\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data; name*=utf-8''%FF\r\n\r\nabc\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: \xff\xfe\r\n\r\nabc\r\n--b--\r\n",
    ],
)
def test_broken_forms(client: httpx.Client, body: bytes) -> None:
    answer = client.post(
        "/v1/captions", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    problem(answer, 422, "invalid-parameter")


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; x"]
)
def test_form_without_boundary(client: httpx.Client, kind: str) -> None:
    answer = client.post("/v1/captions", content=b"x", headers={"Content-Type": kind})
    problem(answer, 422, "invalid-parameter")


def test_file_name_means_nothing(client: httpx.Client) -> None:
    name = "../../etc/passwd\x00.php" + "a" * 500
    answer = client.post("/v1/captions", files={"image": (name, CAT, "text/html")})
    assert answer.status_code == 200


def test_hopeless_deadline(client: httpx.Client) -> None:
    answer = client.post(
        "/v1/captions", files={"image": CAT + b"\0"}, headers={"X-Deadline-Ms": "1"}
    )
    assert answer.status_code in (503, 504)
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("value", ["0", "-5", "soon", "1e3", "٣", "9" * 30])
def test_bad_deadline(client: httpx.Client, value: str) -> None:
    answer = client.post(
        "/v1/captions", files={"image": CAT}, headers={"X-Deadline-Ms": value.encode()}
    )
    problem(answer, 422, "invalid-parameter")


def test_not_found_and_wrong_method(client: httpx.Client) -> None:
    problem(client.get("/v1/nothing"), 404, "not-found")
    answer = client.get("/v1/captions")
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["Allow"] == "POST"


def test_stream_takes_one_image(client: httpx.Client) -> None:
    answer = client.post("/v1/captions/stream", files=[("image", CAT), ("image", CAT)])
    problem(answer, 422, "invalid-parameter")


def test_hostile_request_id_is_replaced(client: httpx.Client) -> None:
    answer = client.get("/v1/languages", headers={"X-Request-ID": 'x"}\\u0000{"level":"fatal'})
    assert '"' not in answer.headers["X-Request-ID"]


def test_security_headers(client: httpx.Client) -> None:
    for path in ("/v1/languages", "/docs", "/v1/nothing"):
        answer = client.get(path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_docs_need_no_internet(client: httpx.Client) -> None:
    page = client.get("/docs").text
    assert "https://" not in page
    assert client.get("/docs-files/swagger-ui-bundle.js").status_code == 200
