"""Who may send images, and how many: asked before an upload is read."""

from dataclasses import dataclass

from fastapi import Request

from services.common.context import context_of
from services.gateway.keys import ApiKeys
from services.gateway.rate_limit import RateLimiter, network_of

_CALLER = "oko.caller"


@dataclass(frozen=True, slots=True)
class Access:
    """Callers are known by the name of their key, or by their address when no keys are set."""

    keys: ApiKeys
    limiter: RateLimiter | None

    async def enter(self, request: Request) -> None:
        """Lets a request with its first image in.

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
        request.scope[_CALLER] = caller

    async def more(self, request: Request, images: int) -> None:
        """Counts the further images of a request. Raises `RateLimited`.

        A request that never came through `enter` is a mistake of ours, and gets no answer from it.
        """
        caller = request.scope[_CALLER]
        if self.limiter is not None and images > 0:
            await self.limiter.take(caller, images)
