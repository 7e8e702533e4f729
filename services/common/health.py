"""Liveness, readiness and the full picture, the same on every service."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.responses import PlainTextResponse

from services.common.metrics import ServiceMetrics

State = Literal["ok", "degraded", "down"]


class Health(BaseModel):
    """`degraded` still answers requests, with something missing; `down` does not."""

    status: State
    parts: dict[str, State]
    details: dict[str, Any]


class Live(BaseModel):
    status: Literal["ok"] = "ok"


@dataclass(slots=True)
class HealthSource:
    """What a service says about itself. `draining` turns readiness off before the exit."""

    parts: Callable[[], Mapping[str, State]]
    details: Callable[[], Mapping[str, Any]] = field(default=dict)
    draining: bool = False

    def read(self) -> Health:
        parts = dict(self.parts())
        if self.draining:
            parts["process"] = "down"
        worst = max(parts.values(), key=("ok", "degraded", "down").index, default="ok")
        return Health(status=worst, parts=parts, details=dict(self.details()))


def health_routes(source: HealthSource, metrics: ServiceMetrics) -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/health/live", summary="Is the process alive?")
    async def live() -> Live:
        return Live()

    @router.get(
        "/health/ready",
        summary="Should it get requests?",
        responses={503: {"model": Health, "description": "Not now"}},
    )
    async def ready(response: Response) -> Health:
        health = source.read()
        response.status_code = 503 if health.status == "down" else 200
        return health

    @router.get("/health", summary="How is every part?")
    async def health() -> Health:
        return source.read()

    @router.get(
        "/metrics",
        summary="Prometheus metrics",
        response_class=PlainTextResponse,
    )
    async def prometheus() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router
