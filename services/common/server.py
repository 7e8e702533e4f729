"""Runs one service with uvicorn: connection limits, header timeouts, graceful drain."""

import asyncio
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.common.logs import configure_logs, logger
from services.common.settings import ServiceSettings


def serve(
    service: str,
    app: ASGIApp,
    settings: ServiceSettings,
    port: int,
    on_drain: Callable[[], None],
) -> None:
    """Serves until SIGTERM or SIGINT, then finishes what is in flight.

    Args:
        service: Name for logs.
        app: The ASGI application.
        settings: Host, timeouts and limits.
        port: TCP port to listen on.
        on_drain: Called at the signal, before connections stop being accepted; turns readiness off.
    """
    configure_logs(service, settings.log_level, settings.log_format)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=port,
        http=_protocol(settings),
        ws="none",
        loop="uvloop",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_keep_alive=round(settings.idle_timeout_s),
        timeout_graceful_shutdown=round(settings.drain_timeout_s),
        backlog=1024,
    )
    _Server(config, settings.drain_delay_s, on_drain).run()


class _Server(uvicorn.Server):
    """Adds a pause between "not ready" and "no longer accepting"."""

    def __init__(self, config: uvicorn.Config, delay: float, on_drain: Callable[[], None]) -> None:
        super().__init__(config)
        self._delay = delay
        self._on_drain = on_drain
        self._log = logger("server")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        first = not self._captured_signals
        self._on_drain()
        if first and self._delay and sig == signal.SIGTERM:
            self._captured_signals.append(sig)
            self._log.info("draining", seconds=self._delay)
            asyncio.get_running_loop().call_later(self._delay, setattr, self, "should_exit", True)
            return
        super().handle_exit(sig, frame)


def _protocol(settings: ServiceSettings) -> type[HttpToolsProtocol]:
    """Uvicorn's protocol plus a limit on how long request headers may take.

    Uvicorn times out only idle keep-alive connections: one that never completes its first
    headers ("slow loris") would stay open for ever.
    """

    class Protocol(HttpToolsProtocol):
        _header_timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > settings.max_connections:
                transport.abort()
                return
            self._start_header_timer()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._start_header_timer()

        def on_headers_complete(self) -> None:
            self._stop_header_timer()
            super().on_headers_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_header_timer()
            super().connection_lost(exc)

        def _start_header_timer(self) -> None:
            if self._header_timer is None:
                self._header_timer = self.loop.call_later(
                    settings.header_timeout_s, self.transport.abort
                )

        def _stop_header_timer(self) -> None:
            if self._header_timer is not None:
                self._header_timer.cancel()
                self._header_timer = None

    return Protocol
