"""Uvicorn's HTTP protocol with the limits that it lacks."""

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_BAD_REQUEST_BODY = json.dumps(
    {
        "type": "urn:oko:problem:bad-request",
        "title": "This is not HTTP",
        "status": 400,
        "detail": "The request cannot be parsed as HTTP/1.1; check the client.",
        "code": "bad-request",
    }
).encode()
_BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s"
) % (len(_BAD_REQUEST_BODY), _BAD_REQUEST_BODY)


class GuardedProtocol(HttpToolsProtocol):
    """Ends connections that do not get on with their headers, and those that are too many.

    Uvicorn times out only idle keep-alive connections: one that never completes its first headers
    ("slow loris") would stay open for ever. So would one that was answered before its body was
    there, as refused uploads are: the rest of a body is taken and dropped, since closing at once
    would reset the connection and could take the answer with it, but not for longer than headers.
    """

    header_timeout_s: float
    max_connections: int
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            transport.abort()
            return
        self._start_timer()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._start_timer()

    def on_headers_complete(self) -> None:
        self._stop_timer()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete and self.cycle.more_body:
            self._start_timer()

    def on_message_complete(self) -> None:
        self._stop_timer()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """A problem document, as every other error. Uvicorn's own answer is plain text."""
        self.transport.write(_BAD_REQUEST)
        self.transport.close()

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.header_timeout_s, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def guarded_protocol(header_timeout_s: float, max_connections: int) -> type[GuardedProtocol]:
    """The protocol with its limits; uvicorn makes the instances and passes none."""
    limits = {"header_timeout_s": header_timeout_s, "max_connections": max_connections}
    return type("LimitedProtocol", (GuardedProtocol,), limits)
