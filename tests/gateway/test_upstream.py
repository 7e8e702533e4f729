"""Spreading over replicas, retries and breakers, against real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.common.deadline import Deadline
from services.common.errors import DeadlinePassed
from services.gateway.errors import UpstreamProblem, UpstreamUnavailable
from services.gateway.metrics import GatewayMetrics
from services.gateway.upstream import Call, Upstream, UpstreamPolicy

CALL = Call("/work", b"body", {}, {})
FAST = UpstreamPolicy(
    resolve_interval_s=0.05,
    probe_interval_s=0.05,
    probe_timeout_s=0.5,
    breaker_failures=3,
    breaker_cool_down_s=0.2,
)


class Backend:
    """A small HTTP server that does what the test says."""

    def __init__(self) -> None:
        self.calls = 0
        self.status = 200
        self.code = "overloaded"
        self.ready = True
        self.delay = 0.0
        self.crowd: asyncio.Barrier | None = None
        """How many calls must have come before any of them is answered."""
        self.hang_up = False
        self.raw = b""
        """Sent instead of an answer to work, before the connection is closed."""
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> "Backend":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def die(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                for line in head.split(b"\r\n"):
                    if line.lower().startswith(b"content-length:"):
                        await reader.readexactly(int(line.split(b":")[1]))
                await self._answer(writer, head.startswith(b"POST"))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, work: bool) -> None:
        status, body = 200 if self.ready else 503, b'{"status": "ok"}'
        if work:
            self.calls += 1
            await asyncio.sleep(self.delay)
            if self.crowd:
                await self.crowd.wait()
            if self.hang_up:
                writer.transport.abort()
                raise ConnectionError
            if self.raw:
                writer.write(self.raw)
                await writer.drain()
                raise ConnectionError
            status = self.status
            body = b'{"type": "x", "title": "x", "status": %d, "detail": "x", "code": "%s"}' % (
                status,
                self.code.encode(),
            )
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
        await writer.drain()


@asynccontextmanager
async def upstream(*backends: Backend) -> AsyncIterator[tuple[Upstream, set[str]]]:
    """An upstream whose name resolves to the backends; the set may be changed."""
    addresses = {backend.address for backend in backends}

    async def resolve(host: str, port: int) -> set[str]:
        return set(addresses)

    made = Upstream("encoder", ["http://encoder:80"], FAST, GatewayMetrics(), resolve)
    await made.start()
    try:
        yield made, addresses
    finally:
        await made.stop()


@pytest.fixture
async def one() -> AsyncIterator[Backend]:
    backend = await Backend().start()
    yield backend
    await backend.die()


@pytest.fixture
async def other() -> AsyncIterator[Backend]:
    backend = await Backend().start()
    yield backend
    await backend.die()


async def call(target: Upstream, seconds: float = 5.0) -> int:
    return (await target.send(CALL, Deadline.after(seconds))).status_code


async def test_requests_are_spread(one: Backend, other: Backend) -> None:
    async with upstream(one, other) as (target, _):
        one.delay = other.delay = 0.01
        await asyncio.gather(*(call(target) for _ in range(40)))
        assert one.calls + other.calls == 40
        assert min(one.calls, other.calls) >= 12


async def test_busier_replica_gets_less(one: Backend, other: Backend) -> None:
    async with upstream(one, other) as (target, _):
        one.delay, other.delay = 0.2, 0.01
        work = []
        for _ in range(60):
            work.append(asyncio.create_task(call(target)))
            await asyncio.sleep(0.005)
        await asyncio.gather(*work)
        assert one.calls < other.calls / 2


async def test_broken_connection_is_retried_elsewhere(one: Backend, other: Backend) -> None:
    async with upstream(one, other) as (target, _):
        one.hang_up = True
        assert [await call(target) for _ in range(20)] == [200] * 20


async def test_dead_replica_is_left_out_and_found_again(one: Backend, other: Backend) -> None:
    async with upstream(one, other) as (target, _):
        await one.die()
        assert [await call(target) for _ in range(20)] == [200] * 20
        await asyncio.sleep(0.3)
        assert target.state() == "degraded"
        await one.start()
        await asyncio.sleep(0.3)
        assert target.state() == "ok"
        before = one.calls
        await asyncio.gather(*(call(target) for _ in range(20)))
        assert one.calls > before


async def test_new_and_removed_addresses_are_noticed(one: Backend, other: Backend) -> None:
    async with upstream(one) as (target, addresses):
        addresses.add(other.address)
        await asyncio.sleep(0.2)
        assert set(target.addresses()) == {one.address, other.address}
        addresses.discard(one.address)
        await asyncio.sleep(0.2)
        one.calls = 0
        assert [await call(target) for _ in range(10)] == [200] * 10
        assert one.calls == 0


async def test_draining_replica_gets_nothing_new(one: Backend, other: Backend) -> None:
    async with upstream(one, other) as (target, _):
        one.ready = False
        await asyncio.sleep(0.2)
        await asyncio.gather(*(call(target) for _ in range(10)))
        assert one.calls == 0


async def test_overloaded_is_passed_on_without_asking_again(one: Backend) -> None:
    async with upstream(one) as (target, _):
        one.status = 503
        with pytest.raises(UpstreamProblem) as raised:
            await call(target)
        assert raised.value.code == "overloaded"
        assert one.calls == 1


async def test_overloaded_is_tried_on_another_replica(one: Backend, other: Backend) -> None:
    async with upstream(one, other) as (target, _):
        one.status = 503
        assert [await call(target) for _ in range(10)] == [200] * 10


async def test_client_errors_are_not_retried(one: Backend, other: Backend) -> None:
    async with upstream(one, other) as (target, _):
        one.status = other.status = 422
        with pytest.raises(UpstreamProblem) as raised:
            await call(target)
        assert raised.value.status == 422
        assert one.calls + other.calls == 1


async def test_nobody_there(one: Backend) -> None:
    async with upstream(one) as (target, _):
        await one.die()
        with pytest.raises(UpstreamUnavailable) as raised:
            await call(target)
        assert raised.value.retry_after_s is not None
        await asyncio.sleep(0.3)
        assert target.state() == "down"


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nthe first of it",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["not HTTP", "half a header", "half a body", "chunks that are none"],
)
async def test_answer_that_cannot_be_read(one: Backend, answer: bytes) -> None:
    async with upstream(one) as (target, _):
        one.raw = answer
        with pytest.raises(UpstreamUnavailable):
            await call(target)
        one.raw = b""
        assert await call(target) == 200


async def test_more_at_once_than_a_client_allows_by_default(one: Backend) -> None:
    async with upstream(one) as (target, _):
        one.crowd = asyncio.Barrier(250)
        assert await asyncio.gather(*(call(target) for _ in range(250))) == [200] * 250


async def test_no_answer_in_time(one: Backend) -> None:
    async with upstream(one) as (target, _):
        one.delay = 30
        started = asyncio.get_running_loop().time()
        with pytest.raises(DeadlinePassed):
            await call(target, seconds=0.2)
        assert asyncio.get_running_loop().time() - started < 5


async def test_breaker_opens_and_closes(one: Backend) -> None:
    async with upstream(one) as (target, _):
        one.hang_up = True
        for _ in range(3):
            with pytest.raises(UpstreamUnavailable):
                await call(target)
        one.hang_up = False
        await asyncio.sleep(0.4)
        assert await call(target) == 200


async def test_cancelled_request_frees_the_replica(one: Backend) -> None:
    async with upstream(one) as (target, _):
        one.delay = 30
        task = asyncio.create_task(call(target, seconds=60))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        one.delay = 0
        assert await call(target) == 200
        assert all(replica.in_flight == 0 for replica in target._replicas.values())
