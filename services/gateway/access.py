"""Who may send images, and how many: asked before an upload is read."""

from dataclasses import dataclass

from fastapi import Request

from services.common.context import context_of
from services.gateway.keys import ApiKeys
from services.gateway.rate_limit import RateLimiter, network_of


@dataclass(frozen=True, slots=True)
class Access:
    """Callers are known by the name of their key, or by their address when no keys are set."""

    keys: ApiKeys
    limiter: RateLimiter | None

    async def enter(self, request: Request) -> str:
        """Lets a request with its first image in; the caller, for `more`.

        Raises:
            Unauthorized, Forbidden, RateLimited: As named.
        """
        if self.keys:
            name = self.keys.caller(request.headers)
            context_of(request).facts["caller"] = name
            caller = f"key:{name}"
        else:
            caller = f"address:{network_of(request.client.host if request.client else None)}"
        if self.limiter is not None:
            await self.limiter.take(caller)
        return caller

    async def more(self, caller: str, images: int) -> None:
        """Counts the further images of a request. Raises `RateLimited`."""
        if self.limiter is not None and images > 0:
            await self.limiter.take(caller, images)
