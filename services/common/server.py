"""Runs one service with uvicorn: connection limits, header timeouts, graceful drain."""

import asyncio
import resource
import signal
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from services.common.logs import configure_logs, logger
from services.common.protocol import guarded_protocol
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
    _allow_open_files(2 * settings.max_connections)
    configure_logs(service, settings.log_level, settings.log_format)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=port,
        http=guarded_protocol(settings.header_timeout_s, settings.max_connections),
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


def _allow_open_files(wanted: int) -> None:
    """Raises the soft limit, 1024 on most systems: every connection is an open file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    reachable = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < reachable:
        resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
