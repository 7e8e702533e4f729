"""One address of an upstream service: its connections, its health, its breaker."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx

from services.common.breaker import Breaker
from services.common.health import State
from services.gateway.transport import InnerTransport

_CONNECT_S = 1.0
"""Longest wait for a connection: addresses are near."""


@dataclass(eq=False, slots=True)
class Replica:
    """`address` is `host:port`. Not thread-safe: for one event loop."""

    address: str
    host_header: str
    transport: InnerTransport
    breaker: Breaker
    ready: bool = True
    """What the last probe said; taken for true until the first one."""
    reported: State = "ok"
    failed_probes: int = 0
    in_flight: int = 0
    probing: "asyncio.Task[None] | None" = field(default=None)

    @classmethod
    def at(cls, address: str, host_header: str, breaker: Breaker) -> "Replica":
        return cls(address, host_header, InnerTransport(), breaker)

    def request(
        self,
        path: str,
        content: bytes,
        *,
        params: Mapping[str, str | int],
        headers: Mapping[str, str],
        timeout_s: float,
        method: str = "POST",
    ) -> httpx.Request:
        """A request to this address, for `transport`."""
        query = f"?{urlencode(params)}" if params else ""
        timeout = httpx.Timeout(timeout_s, connect=_CONNECT_S)
        return httpx.Request(
            method,
            f"http://{self.address}{path}{query}",
            content=content,
            headers={"Host": self.host_header, **headers},
            extensions={"timeout": timeout.as_dict()},
        )

    def usable(self) -> bool:
        return self.ready and self.breaker.state != "open"

    async def probe(self, timeout_s: float) -> None:
        """Asks `/health`: sets `ready` and `reported`, closes or opens the breaker.

        One failed probe says nothing when the machine is busy; two in a row take it out.
        """
        request = self.request(
            "/health/ready", b"", params={}, headers={}, timeout_s=timeout_s, method="GET"
        )
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self.transport.handle_async_request(request)
                try:
                    await answer.aread()
                finally:
                    await answer.aclose()
            health = answer.json()
            self.reported = health["status"]
            self.ready = answer.status_code == 200
        except (httpx.HTTPError, TimeoutError, ValueError, KeyError, TypeError):
            self.failed_probes += 1
            if self.failed_probes >= 2:
                self.ready = False
            return
        self.failed_probes = 0
        if self.ready:
            self.breaker.succeeded()

    async def close(self) -> None:
        if self.probing is not None:
            self.probing.cancel()
            await asyncio.gather(self.probing, return_exceptions=True)
        await self.transport.aclose()
