"""How many images a caller may send: counted in Redis when there is one, so all gateways agree."""

import asyncio
import ipaddress
import time
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from services.common.breaker import Breaker
from services.common.logs import logger
from services.gateway.errors import RateLimited


@dataclass(frozen=True, slots=True)
class RateLimitPolicy:
    """`rate` as `limits` writes it, such as `60/minute`."""

    rate: str
    redis_url: str | None
    timeout_s: float

    def parsed(self) -> RateLimitItem:
        return parse(self.rate)


class RateLimiter:
    """A moving window per caller. Redis lost: this gateway counts for itself until it is back."""

    def __init__(self, policy: RateLimitPolicy) -> None:
        self._limit = policy.parsed()
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._timeout_s = policy.timeout_s
        self._breaker = Breaker(threshold=1, cool_down_s=1.0)
        self._log = logger("rate-limit")
        self._shared: MovingWindowRateLimiter | None = None
        if policy.redis_url is not None:
            storage = RedisStorage(
                f"async+{policy.redis_url}",
                wrap_exceptions=True,
                implementation="redispy",
                key_prefix="oko:rate",
                socket_timeout=policy.timeout_s,
                socket_connect_timeout=policy.timeout_s,
            )
            self._shared = MovingWindowRateLimiter(storage)

    async def take(self, caller: str, count: int = 1) -> None:
        """Counts `count` images.

        Raises:
            RateLimited: With the time until the caller may go on.
        """
        count = min(count, self._limit.amount)
        if self._shared is not None and self._breaker.allows():
            try:
                async with asyncio.timeout(self._timeout_s):
                    await self._take(self._shared, caller, count)
                return
            except (StorageError, OSError, TimeoutError) as error:
                self._breaker.failed()
                self._log.warning("redis lost, counting alone", error=repr(error))
        await self._take(self._own, caller, count)

    async def _take(self, limiter: MovingWindowRateLimiter, caller: str, count: int) -> None:
        granted = await limiter.hit(self._limit, caller, cost=count)
        if limiter is self._shared:
            self._breaker.succeeded()
        if granted:
            return
        window = await limiter.get_window_stats(self._limit, caller)
        raise RateLimited(
            f"At most {self._limit.amount} images in {self._limit.get_expiry()} s; wait a little.",
            retry_after_s=max(1.0, window.reset_time - time.time()),
            limit=str(self._limit),
        )


def network_of(host: str | None) -> str:
    """What counts as one caller: an IPv4 address, or the /64 that one IPv6 customer gets."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return host or "unknown"
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))
