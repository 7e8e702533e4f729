"""Who and how many: asked before an upload is routed or read.

In front of the routes because a refusal must be cheap: under overload most requests end here, and
what they cost is taken from those that are answered. FastAPI's way to an endpoint costs more than
all the rest of a refusal.
"""

import time

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from services.common.context import context_of
from services.common.errors import OkoError, Overloaded
from services.common.logs import logger
from services.common.problems import problem_response
from services.gateway.access import Access
from services.gateway.admission import Admission
from services.gateway.throttle import Throttle

UPLOADS = frozenset({"/v1/captions", "/v1/captions/stream", "/predict", "/model/predict"})
"""Addresses that take images. One that was forgotten here would answer nobody: see `Access`."""

LOG_EVERY_S = 10.0
"""One line for all that were refused for load meanwhile: the metrics count every one."""


class Entrance:
    """Plain ASGI; inside the request middleware, which gives request ids and counts."""

    def __init__(
        self, app: ASGIApp, access: Access, admission: Admission, throttle: Throttle
    ) -> None:
        self.app = app
        self.access = access
        self.admission = admission
        self.throttle = throttle
        self._log = logger("entrance")
        self._refused = 0
        self._logged_at = -LOG_EVERY_S

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in UPLOADS:
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        try:
            await self.access.enter(request)
            self.admission.check()
            self.throttle.check()
        except OkoError as error:
            context = context_of(request)
            context.route = scope["path"]
            context.problem = error.code
            if isinstance(error, Overloaded):
                context.quiet = True
                self._count()
            await problem_response(error, context.request_id)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _count(self) -> None:
        self._refused += 1
        now = time.monotonic()
        if now - self._logged_at >= LOG_EVERY_S:
            self._log.warning("overload", refused=self._refused)
            self._refused, self._logged_at = 0, now
