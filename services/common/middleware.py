"""The outermost layer of every service: request id, trace, log line, metrics, last-resort error."""

import re
import secrets

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.context import SCOPE_KEY, RequestContext
from services.common.errors import OkoError
from services.common.logs import logger
from services.common.metrics import ServiceMetrics
from services.common.problems import problem_response
from services.common.trace import HEADER as TRACEPARENT
from services.common.tracing import Finish, Tracer

REQUEST_ID = "X-Request-ID"
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_QUIET = ("/health", "/healthcheck", "/metrics")


class RequestMiddleware:
    """Plain ASGI rather than Starlette's BaseHTTPMiddleware, which buffers streams."""

    def __init__(self, app: ASGIApp, metrics: ServiceMetrics, tracer: Tracer) -> None:
        self.app = app
        self.metrics = metrics
        self.tracer = tracer
        self.log = logger("request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        span, finish = self.tracer.begin(headers.get(TRACEPARENT))
        context = RequestContext(_request_id(headers), span)
        scope[SCOPE_KEY] = context
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = context.request_id
                headers["Server-Timing"] = _server_timing(context)
            await send(message)

        with (
            structlog.contextvars.bound_contextvars(
                service=self.metrics.service,
                request_id=context.request_id,
                trace_id=context.trace.trace_id,
            ),
            self.metrics.in_flight.labels(self.metrics.service).track_inprogress(),
        ):
            try:
                await self.app(scope, receive, send_marked)
            except ClientDisconnect:
                pass  # nobody is left to answer; reported as 499
            except Exception:
                self.log.exception("unhandled error")
                if status:
                    raise  # the answer has begun: the server closes the connection
                context.problem = OkoError.code
                error = OkoError(f"Report this with the request id {context.request_id}.")
                await problem_response(error, context.request_id)(scope, receive, send_marked)
            finally:
                self._report(scope, context, status, finish)

    def _report(self, scope: Scope, context: RequestContext, status: int, finish: Finish) -> None:
        route = context.route or str(getattr(scope.get("route"), "path", "unmatched"))
        seconds = context.elapsed_ms() / 1000
        service = self.metrics.service
        self.metrics.requests.labels(service, route, scope["method"], str(status or 499)).inc()
        self.metrics.latency.labels(service, route).observe(seconds)
        if context.problem:
            self.metrics.problems.labels(service, context.problem).inc()
        finish(
            f"{scope['method']} {route}",
            {
                "http.request.method": scope["method"],
                "http.route": route,
                "http.response.status_code": status or 499,
                "oko.request_id": context.request_id,
                **context.facts,
            },
        )
        quiet = context.quiet or scope["path"].startswith(_QUIET)
        write = self.log.debug if quiet else self.log.info
        write(
            "request",
            method=scope["method"],
            route=route,
            status=status or 499,  # nginx's code for: the client went away
            ms=round(seconds * 1000, 1),
            **({"problem": context.problem} if context.problem else {}),
            **context.facts,
        )


def _request_id(headers: Headers) -> str:
    """The caller's, when it is harmless in a log and a header."""
    given = headers.get(REQUEST_ID, "")
    return given if _ACCEPTED_ID.fullmatch(given) else secrets.token_hex(8)


def _server_timing(context: RequestContext) -> str:
    stages = {**context.timings, "total": context.elapsed_ms()}
    return ", ".join(f"{name};dur={ms:.1f}" for name, ms in stages.items())
