"""Reading request bodies with a byte limit and a time limit."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from services.common.errors import BodyTooLarge, UploadTooSlow


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """`idle_s` between two pieces, `total_s` for the whole body."""

    max_bytes: int
    idle_s: float
    total_s: float

    def too_large(self) -> BodyTooLarge:
        return BodyTooLarge(
            f"At most {self.max_bytes:,} bytes are taken; send a smaller file.",
            max_bytes=self.max_bytes,
        )


async def stream_body(request: Request, limits: BodyLimits) -> AsyncIterator[bytes]:
    """Yields the body piece by piece.

    `Content-Length` is checked first, so an honest client learns at once; the bytes are counted
    as well, since the header can be absent or a lie.

    Raises:
        BodyTooLarge: More than `max_bytes`.
        UploadTooSlow: A pause of `idle_s`, or not complete after `total_s`.
        ClientDisconnect: The client went away.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limits.max_bytes:
        raise limits.too_large()
    loop = asyncio.get_running_loop()
    end = loop.time() + limits.total_s
    received = 0
    more = True
    while more:
        try:
            async with asyncio.timeout_at(min(end, loop.time() + limits.idle_s)):
                message = await request.receive()
        except TimeoutError:
            raise UploadTooSlow(
                f"The upload paused for {limits.idle_s:g} s or took longer than "
                f"{limits.total_s:g} s."
            ) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        received += len(piece)
        if received > limits.max_bytes:
            raise limits.too_large()
        yield piece


async def read_body(request: Request, limits: BodyLimits) -> bytes:
    """The whole body; see `stream_body` for what is raised."""
    return b"".join([piece async for piece in stream_body(request, limits)])
