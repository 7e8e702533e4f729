"""The way to one address of an inner service: httpx, with aiohttp's connections beneath it.

httpx's own transport parses HTTP in Python, in four layers, which took more than half of the
gateway's time; aiohttp parses in C.
"""

import ssl

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

_KEEP_ALIVE_S = 30.0
"""Shorter than the services' own idle timeout, so that a connection is not closed as it is used."""


class InnerTransport(AiohttpTransport):
    """Used without `httpx.AsyncClient`: no inner service has cookies, redirects or authentication.

    Nothing is taken from the environment: a proxy for the outside world is not for inner services.
    """

    def __init__(self) -> None:
        # Inner services speak plain HTTP: the world's certificates need not be loaded for them.
        super().__init__(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), client=_session)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises `httpx.TransportError`, for an answer that is not HTTP as well."""
        try:
            return await super().handle_async_request(request)
        except aiohttp.ClientError as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from error


def _session() -> aiohttp.ClientSession:
    # No limit: admission bounds what is in flight.
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
