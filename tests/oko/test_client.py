"""The Python client: against the real services, and against servers that refuse."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from oko.client import (
    AccessDenied,
    AsyncClient,
    Caption,
    Client,
    ImageFound,
    RateLimited,
    Refused,
    StreamedWord,
    TooLate,
    Unavailable,
    Unreachable,
)
from tests import photos
from tests.processes import Stack, free_port

Answer = tuple[int, dict[str, str], bytes]
LANGUAGES: Answer = (200, {}, b'{"languages": [{"code": "en", "name": "English"}]}')


def problem(status: int, code: str, **headers: str) -> Answer:
    document = {"status": status, "code": code, "title": "t", "detail": "d", "request_id": "r"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, named, json.dumps(document).encode()


@contextmanager
def answering(*answers: Answer) -> Iterator[tuple[str, list[str]]]:
    """A real server that gives these answers in turn, the last one for ever; what was asked."""
    turns = [*answers]
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(str(self.headers.get("X-Deadline-Ms")))
            status, headers, body = turns.pop(0) if len(turns) > 1 else turns[0]
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def client(url: str, pauses: list[float], deadline_s: float = 60.0) -> Client:
    return Client(url, deadline_s=deadline_s, sleep=pauses.append)


def test_captions(stack: Stack) -> None:
    with Client(stack.url) as oko:
        english = oko.caption(photos.CAT, heatmap="grid", n_best=2)
        assert english.language == "en"
        assert english.caption == " ".join(word.text for word in english.words)
        assert len(english.alternatives) == 1
        assert english.words[0].attention is not None
        assert sum(map(sum, english.words[0].attention)) == pytest.approx(1, abs=0.01)
        with photos.CAT.open("rb") as file:
            ukrainian = oko.caption(file, language="uk")
        assert (ukrainian.language, ukrainian.words[0].attention) == ("uk", None)
        assert [each.code for each in oko.languages()] == ["en", "uk"]
        assert oko.health().status == "ok"


def test_streams(stack: Stack) -> None:
    with Client(stack.url) as oko:
        image, *words, caption = oko.stream(photos.CAT.read_bytes(), heatmap="grid")
    assert isinstance(image, ImageFound)
    assert isinstance(caption, Caption)
    found = [word.text for word in words if isinstance(word, StreamedWord)]
    assert " ".join(found) == caption.caption


async def test_the_asynchronous_client_does_the_same(stack: Stack) -> None:
    async with AsyncClient(stack.url) as oko:
        whole = await oko.caption(photos.CAT, language="uk")
        *_, streamed = [event async for event in oko.stream(photos.CAT, language="uk")]
        assert isinstance(streamed, Caption)
        assert streamed.caption == whole.caption
        assert (await oko.health()).status == "ok"
        assert len(await oko.languages()) == 2
        with pytest.raises(Refused):
            await oko.caption(b"no image")
        with pytest.raises(Refused):
            await anext(oko.stream(b"no image"))


def test_refusals_are_typed_and_not_tried_again(stack: Stack) -> None:
    pauses: list[float] = []
    with client(stack.url, pauses) as oko:
        with pytest.raises(Refused) as refused:
            oko.caption(b"no image")
        assert (refused.value.status, refused.value.code) == (415, "not-an-image")
        assert refused.value.request_id
        with pytest.raises(Refused) as unknown:
            next(oko.stream(photos.CAT, language="xx"))
        assert unknown.value.code == "unknown-language"
        assert unknown.value.document["allowed"] == ["en", "uk"]
    assert pauses == []


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_respected(status: int) -> None:
    pauses: list[float] = []
    busy = problem(status, "overloaded", Retry_After="7")
    with answering(busy, busy, LANGUAGES) as (url, asked), client(url, pauses) as oko:
        assert oko.languages()[0].code == "en"
    assert len(asked) == 3
    assert len(pauses) == 2
    assert all(pause >= 7 for pause in pauses)


def test_a_date_may_say_when() -> None:
    pauses: list[float] = []
    busy = problem(503, "overloaded", Retry_After="Fri, 31 Dec 2100 23:59:59 GMT")
    with (
        answering(busy, LANGUAGES) as (url, asked),
        client(url, pauses) as oko,
        pytest.raises(Unavailable),
    ):
        oko.languages()
    assert (len(asked), pauses) == (1, [])


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (problem(401, "unauthorized"), AccessDenied),
        (problem(403, "forbidden"), AccessDenied),
        (problem(429, "rate-limited", Retry_After="120"), RateLimited),
        (problem(503, "overloaded", Retry_After="120"), Unavailable),
        (problem(504, "deadline-passed", Retry_After="120"), TooLate),
        ((502, {"Retry-After": "120"}, b"<html>proxy</html>"), Unavailable),
        ((404, {}, b"<html>nothing</html>"), Refused),
        ((200, {}, b"<html>hello</html>"), Unreachable),
    ],
)
def test_an_error_type_for_each_thing_to_do(answer: Answer, kind: type[Exception]) -> None:
    def out_of_time(seconds: float) -> None:
        raise AssertionError("a pause longer than the call has time is not begun")

    sleep: Callable[[float], None] = [].append if kind is Unreachable else out_of_time
    with (
        answering(answer) as (url, asked),
        Client(url, deadline_s=0.2, sleep=sleep) as oko,
        pytest.raises(kind),
    ):
        oko.languages()
    assert asked


def test_the_time_left_travels() -> None:
    with answering(LANGUAGES) as (url, asked), Client(url) as oko:
        oko.languages(deadline_s=5)
    assert 4000 < int(asked[0]) <= 5000


def test_nobody_there() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with Client(url, deadline_s=0.5) as oko, pytest.raises(Unreachable, match="cannot be reached"):
        oko.caption(photos.CAT)
