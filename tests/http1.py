"""A client that costs next to nothing: what it takes is missing to the services that it measures.

Real clients have a machine of their own. On the two cores that the tests share with the services,
httpx takes 3 ms a request, more than the gateway needs to refuse one.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Reply:
    """`headers` by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """HTTP/1.1 over as many kept connections as there are requests at the same time."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._idle: list[Connection] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        for _, writer in self._idle:
            writer.close()
        for _, writer in self._idle:
            with suppress(OSError):
                await writer.wait_closed()

    async def post(self, path: str, content: bytes) -> Reply:
        """Sends all of `content`, and takes the answer even if it comes before the last byte.

        Raises:
            OSError, EOFError: The connection broke.
            ValueError: The answer has no `Content-Length`.
        """
        reader, writer = await self._connection()
        try:
            writer.write(self._head(path, len(content)) + content)
            reply = await _reply(reader)
        except BaseException:
            writer.transport.abort()
            raise
        unsent = writer.transport.get_write_buffer_size()
        if unsent or reply.headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        return reply

    async def _connection(self) -> Connection:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self._host, self._port)

    def _head(self, path: str, length: int) -> bytes:
        host = f"{self._host}:{self._port}"
        return f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n".encode()


async def _reply(reader: asyncio.StreamReader) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    fields = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in fields}
    if "content-length" not in headers:
        raise ValueError(f"an answer without its length: {status}")
    body = await reader.readexactly(int(headers["content-length"]))
    return Reply(int(status.split()[1]), headers, body)
