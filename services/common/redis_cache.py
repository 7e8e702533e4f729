"""A cache in Redis, shared by all replicas. Redis down, slow or full is never an error here."""

import asyncio
import contextlib
from typing import cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from services.common.breaker import Breaker
from services.common.cache import Lookup
from services.common.health import State
from services.common.logs import logger

_FAILURES_TO_OPEN = 3
_COOL_DOWN_S = 1.0


class RedisCache:
    """Keys are kept under `prefix`, values for `ttl_s` seconds."""

    kind = "redis"

    def __init__(self, url: str, prefix: str, ttl_s: int, timeout_s: float) -> None:
        self._redis: Redis = Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            max_connections=64,
        )
        self._prefix = prefix
        self._ttl_s = ttl_s
        self._timeout_s = timeout_s
        self._breaker = Breaker(_FAILURES_TO_OPEN, _COOL_DOWN_S)
        self._healthy = True
        self._probe = asyncio.create_task(self._probe_forever(), name="redis-probe")
        self._log = logger("cache")

    async def get(self, key: str) -> Lookup:
        if not self._breaker.allows():
            return Lookup("bypass")
        try:
            async with asyncio.timeout(self._timeout_s):
                value = cast(bytes | None, await self._redis.get(self._prefix + key))
        except (RedisError, OSError, TimeoutError) as error:
            self._failed(error)
            return Lookup("bypass")
        self._succeeded()
        return Lookup("miss") if value is None else Lookup("hit", value)

    async def put(self, key: str, value: bytes) -> None:
        if not self._breaker.allows():
            return
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._redis.set(self._prefix + key, value, ex=self._ttl_s)
        except (RedisError, OSError, TimeoutError) as error:
            self._failed(error)
        else:
            self._succeeded()

    def state(self) -> State:
        return "ok" if self._healthy else "degraded"

    async def close(self) -> None:
        self._probe.cancel()
        await asyncio.gather(self._probe, return_exceptions=True)
        with contextlib.suppress(RedisError, OSError):
            await self._redis.aclose()

    async def _probe_forever(self) -> None:
        """Keeps the health state true when no photo comes by."""
        while True:
            try:
                async with asyncio.timeout(self._timeout_s):
                    await self._redis.ping()
            except (RedisError, OSError, TimeoutError) as error:
                self._failed(error)
            else:
                self._succeeded()
            await asyncio.sleep(_COOL_DOWN_S)

    def _failed(self, error: Exception) -> None:
        self._breaker.failed()
        if self._healthy:
            self._log.warning("redis lost, going on without", error=repr(error))
        self._healthy = False

    def _succeeded(self) -> None:
        self._breaker.succeeded()
        if not self._healthy:
            self._log.info("redis is back")
        self._healthy = True
