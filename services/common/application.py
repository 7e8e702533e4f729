"""What every service's FastAPI application has in common."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware import Middleware

from services.common.health import HealthSource, health_routes
from services.common.metrics import ServiceMetrics
from services.common.middleware import RequestMiddleware
from services.common.problems import install_problem_handlers
from services.common.security_headers import SecurityHeaders
from services.common.settings import ServiceSettings
from services.common.tracing import tracer_for

VERSION = "0.1.0"
DOCS_FILES = "/docs-files"

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def application(
    title: str,
    description: str,
    lifespan: Lifespan,
    health: HealthSource,
    metrics: ServiceMetrics,
    settings: ServiceSettings,
    inner: Sequence[Middleware] = (),
) -> FastAPI:
    """An application with health, metrics, problems and the request middleware in place.

    `inner` is what the service adds between that middleware and its routes.
    """
    tracer = tracer_for(metrics.service, settings.otlp_endpoint)

    @asynccontextmanager
    async def traced_lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with lifespan(app):
            yield
        tracer.close()

    # The documentation page comes with its scripts: a self-hosted service may have no internet.
    app = FastAPIOffline(
        title=title,
        description=description,
        version=VERSION,
        lifespan=traced_lifespan,
        redoc_url=None,
        middleware=list(inner),
        static_url=DOCS_FILES,
    )
    install_problem_handlers(app)
    app.include_router(health_routes(health, metrics))
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestMiddleware, metrics=metrics, tracer=tracer)
    return app
