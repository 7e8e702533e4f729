"""What every service's FastAPI application has in common."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI

from services.common.health import HealthSource, health_routes
from services.common.metrics import ServiceMetrics
from services.common.middleware import RequestMiddleware
from services.common.problems import install_problem_handlers

VERSION = "0.1.0"

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def application(
    title: str,
    description: str,
    lifespan: Lifespan,
    health: HealthSource,
    metrics: ServiceMetrics,
) -> FastAPI:
    """An application with health, metrics, problems and the request middleware in place."""
    app = FastAPI(
        title=title, description=description, version=VERSION, lifespan=lifespan, redoc_url=None
    )
    install_problem_handlers(app)
    app.include_router(health_routes(health, metrics))
    app.add_middleware(RequestMiddleware, metrics=metrics)
    return app
