"""One upstream service behind a name: finds its addresses, spreads requests, retries, gives up.

The inner services' calls are pure (same input, same answer, nothing stored but a cache), so an
attempt that broke before its answer began is repeated safely, on another address if there is one.
"""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from services.common.breaker import Breaker
from services.common.deadline import HEADER as DEADLINE
from services.common.deadline import Deadline
from services.common.health import State
from services.common.logs import logger
from services.gateway.errors import UpstreamProblem, UpstreamUnavailable
from services.gateway.metrics import BREAKER_LEVEL, GatewayMetrics
from services.gateway.replica import Replica

ATTEMPTS = 3
BACKOFF_S = 0.03
"""Before the second attempt, doubled before each further one, times a random 0.5–1.5."""


Resolve = Callable[[str, int], Awaitable[set[str]]]


@dataclass(frozen=True, slots=True)
class Call:
    """A POST with a body; safe to repeat."""

    path: str
    content: bytes
    headers: Mapping[str, str]
    params: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class UpstreamPolicy:
    resolve_interval_s: float
    probe_interval_s: float
    probe_timeout_s: float
    breaker_failures: int
    breaker_cool_down_s: float


async def resolved(host: str, port: int) -> set[str]:
    """All addresses of a name as `host:port`. Raises `OSError` when there is none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    hosts = {str(entry[4][0]) for entry in found}
    return {f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host in hosts}


class Upstream:
    """Requests go to the less busy of two addresses picked at random among the usable ones."""

    def __init__(
        self,
        name: str,
        urls: Sequence[str],
        policy: UpstreamPolicy,
        metrics: GatewayMetrics,
        resolve: Resolve = resolved,
    ) -> None:
        """Configures the upstream; `start` begins to watch it.

        Args:
            name: For messages and metrics.
            urls: Where it is; every address of every name is used.
            policy: Intervals and thresholds.
            metrics: Where attempts and states are counted.
            resolve: Name look-up, replaceable in tests.
        """
        self.name = name
        self._urls = tuple(urls)
        self._policy = policy
        self._metrics = metrics
        self._resolve = resolve
        self._replicas: dict[str, Replica] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._log = logger("upstream")

    async def start(self) -> None:
        """Looks the name up and asks every address once, then goes on doing so."""
        await self._look_up()
        await asyncio.gather(*(self._probe(replica) for replica in self._replicas.values()))
        self._tasks = [
            asyncio.create_task(self._look_up_forever(), name=f"{self.name}-names"),
            asyncio.create_task(self._probe_forever(), name=f"{self.name}-probe"),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(replica.close() for replica in self._replicas.values()))

    def state(self) -> State:
        usable = [replica for replica in self._replicas.values() if replica.usable()]
        if not usable:
            return "down"
        whole = len(usable) == len(self._replicas) and all(r.reported == "ok" for r in usable)
        return "ok" if whole else "degraded"

    def addresses(self) -> dict[str, str]:
        """For health: every address and how it is."""
        return {
            address: replica.reported if replica.usable() else "down"
            for address, replica in self._replicas.items()
        }

    @asynccontextmanager
    async def open(self, call: Call, deadline: Deadline) -> AsyncIterator[httpx.Response]:
        """Sends `call` and gives the successful answer, its body not yet read.

        Raises:
            UpstreamProblem: The service answered with a problem.
            UpstreamUnavailable: No address could be reached.
            DeadlinePassed: No answer in time.
        """
        async with AsyncExitStack() as stack:
            tried: set[Replica] = set()
            for attempt in range(ATTEMPTS):
                last = attempt == ATTEMPTS - 1
                if attempt:
                    self._metrics.upstream_retries.labels(self.name).inc()
                    pause = BACKOFF_S * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311
                    await asyncio.sleep(min(pause, max(0.0, deadline.remaining())))
                deadline.check()
                replica = self._pick(tried)
                tried.add(replica)
                attempted = AsyncExitStack()
                try:
                    response = await attempted.enter_async_context(
                        self._attempt(replica, call, deadline)
                    )
                except httpx.TransportError as error:
                    await attempted.aclose()
                    if last:
                        raise self._unavailable() from error
                    continue
                stack.push_async_exit(attempted)
                if response.is_success:
                    yield response
                    return
                problem = await _problem(response)
                if problem is None:
                    raise self._unavailable()
                if last or not self._worth_another_try(problem, tried):
                    raise problem
                await stack.pop_all().aclose()
            raise self._unavailable()

    async def send(self, call: Call, deadline: Deadline) -> httpx.Response:
        """Like `open`, with the whole answer read."""
        try:
            async with asyncio.timeout(max(0.0, deadline.remaining())):
                async with self.open(call, deadline) as response:
                    await response.aread()
                    return response
        except TimeoutError:
            raise deadline.error() from None
        except httpx.TransportError as error:
            raise self._unavailable() from error

    @asynccontextmanager
    async def _attempt(
        self, replica: Replica, call: Call, deadline: Deadline
    ) -> AsyncIterator[httpx.Response]:
        request = replica.request(
            call.path,
            call.content,
            params=call.params,
            headers={**call.headers, DEADLINE: deadline.to_header()},
            timeout_s=max(0.001, deadline.remaining()),
        )
        replica.in_flight += 1
        try:
            try:
                async with asyncio.timeout(max(0.0, deadline.remaining())):
                    response = await replica.transport.handle_async_request(request)
            except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout):
                self._count(replica, "timeout")
                replica.breaker.failed()
                raise deadline.error() from None
            except httpx.TransportError as error:
                self._count(replica, type(error).__name__)
                replica.breaker.failed()
                raise
            self._count(replica, str(response.status_code))
            if response.status_code < 500 or response.status_code == 503:
                replica.breaker.succeeded()  # a busy service is a living one
            else:
                replica.breaker.failed()
            try:
                yield response
            finally:
                await response.aclose()
        finally:
            replica.in_flight -= 1

    def _pick(self, tried: set[Replica]) -> Replica:
        usable = [replica for replica in self._replicas.values() if replica.usable()]
        fresh = [replica for replica in usable if replica not in tried] or usable
        two = random.sample(fresh, min(2, len(fresh)))
        for replica in sorted(two, key=lambda replica: replica.in_flight):
            if replica.breaker.allows():
                return replica
        raise self._unavailable()

    def _worth_another_try(self, problem: UpstreamProblem, tried: set[Replica]) -> bool:
        if problem.status != 503:
            return False
        if any(r.usable() and r not in tried for r in self._replicas.values()):
            return True
        return problem.code != "overloaded"  # asking a busy service again makes it busier

    def _unavailable(self) -> UpstreamUnavailable:
        return UpstreamUnavailable(
            f"The {self.name} cannot be reached right now; try again.",
            retry_after_s=self._policy.breaker_cool_down_s,
            service=self.name,
        )

    def _count(self, replica: Replica, outcome: str) -> None:
        self._metrics.upstream_requests.labels(self.name, outcome).inc()

    async def _look_up_forever(self) -> None:
        while True:
            await asyncio.sleep(self._policy.resolve_interval_s)
            await self._look_up()

    async def _look_up(self) -> None:
        """Adds addresses that are new and retires those that are gone."""
        found: dict[str, str] = {}  # address → what to send as Host
        for url in self._urls:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or 80
            try:
                addresses = await self._resolve(host, port)
            except OSError as error:
                # Names come and go while things restart: keep what was known.
                self._log.warning("name not found", upstream=self.name, error=str(error))
                return
            found |= dict.fromkeys(addresses, f"{host}:{port}")
        for address in found.keys() - self._replicas.keys():
            breaker = Breaker(self._policy.breaker_failures, self._policy.breaker_cool_down_s)
            self._replicas[address] = Replica.at(address, found[address], breaker)
            self._log.info("new address", upstream=self.name, address=address)
        for address in self._replicas.keys() - found.keys():
            self._log.info("address gone", upstream=self.name, address=address)
            replica = self._replicas.pop(address)
            with suppress(KeyError):
                self._metrics.breaker.remove(self.name, address)
            self._tasks.append(asyncio.create_task(_retire(replica)))
        self._tasks = [task for task in self._tasks if not task.done()]

    async def _probe_forever(self) -> None:
        while True:
            for replica in list(self._replicas.values()):
                if replica.probing is None or replica.probing.done():
                    replica.probing = asyncio.create_task(self._probe(replica))
            self._report()
            await asyncio.sleep(self._policy.probe_interval_s)

    async def _probe(self, replica: Replica) -> None:
        was = replica.usable()
        await replica.probe(self._policy.probe_timeout_s)
        if replica.usable() != was:
            self._log.warning(
                "usable again" if replica.usable() else "not usable",
                upstream=self.name,
                address=replica.address,
            )

    def _report(self) -> None:
        usable = sum(replica.usable() for replica in self._replicas.values())
        replicas = self._metrics.upstream_replicas
        replicas.labels(self.name, "usable").set(usable)
        replicas.labels(self.name, "unusable").set(len(self._replicas) - usable)
        for address, replica in self._replicas.items():
            level = BREAKER_LEVEL[replica.breaker.state]
            self._metrics.breaker.labels(self.name, address).set(level)


async def _retire(replica: Replica) -> None:
    """Closes the connections of an address that is gone once its requests are answered."""
    while replica.in_flight:  # noqa: ASYNC110 - rare, and not worth an event per request
        await asyncio.sleep(0.1)
    await replica.close()


async def _problem(response: httpx.Response) -> UpstreamProblem | None:
    """The answer's problem document, None when it is not one."""
    with suppress(httpx.TransportError, ValueError, KeyError, TypeError):
        await response.aread()
        retry_after = response.headers.get("Retry-After")
        return UpstreamProblem.read(response.json(), float(retry_after) if retry_after else None)
    return None
