"""The encoder's HTTP face."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response

from services.common import wire
from services.common.accepted_images import (
    FORMATS,
    CorruptImage,
    EmptyImage,
    NotAnImage,
    TooManyPixels,
)
from services.common.application import application
from services.common.context import context_of
from services.common.deadline import HEADER as DEADLINE
from services.common.deadline import Deadline
from services.common.disconnect import unless_disconnected
from services.common.errors import (
    BodyTooLarge,
    DeadlinePassed,
    Forbidden,
    InvalidParameter,
    Overloaded,
    ShuttingDown,
    Unauthorized,
    UploadTooSlow,
)
from services.common.health import HealthSource
from services.common.internal import InternalToken
from services.common.manifest import read_manifest
from services.common.memory import give_back
from services.common.problems import problem_responses
from services.common.uploads import BodyLimits, read_body
from services.encoder.metrics import EncoderMetrics
from services.encoder.service import EncoderService
from services.encoder.session import EncoderSession
from services.encoder.settings import EncoderSettings

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {f"image/{name.lower()}": _BINARY for name in FORMATS}
        | {"application/octet-stream": _BINARY},
    }
}


def build_app(settings: EncoderSettings) -> tuple[FastAPI, HealthSource]:
    """The application and the source of its health, whose `draining` the server sets."""
    manifest = read_manifest(settings.models_dir)
    session = EncoderSession(manifest.encoder, settings.encoder_threads, settings.encoder_precision)
    give_back()
    metrics = EncoderMetrics()
    service: EncoderService | None = None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        nonlocal service
        service = EncoderService(settings, session, metrics)
        service.start()
        yield
        await service.stop()

    def running() -> EncoderService:
        assert service is not None, "requests are served only inside the lifespan"
        return service

    health = HealthSource(
        parts=lambda: running().parts(),
        details=lambda: {
            "encoder": manifest.encoder.digest,
            "file": session.file.path.name,
            "cache": running().cache.kind,
        },
    )
    app = application(
        "Oko encoder", "Photos in, image features out.", lifespan, health, metrics, settings
    )
    limits = BodyLimits(settings.max_upload_bytes, settings.upload_idle_s, settings.upload_total_s)
    router = APIRouter(prefix="/v1", dependencies=[Depends(InternalToken(settings.internal_token))])

    @router.get("/models", summary="The encoder of the manifest")
    async def models() -> dict[str, Any]:
        return dict(manifest.document["encoder"])

    @router.post(
        "/features",
        summary="Encode one image",
        response_class=Response,
        openapi_extra=_BODY,
        responses={
            200: {
                "description": "Features: float16 [64, D] as an .npy file",
                "content": {wire.MEDIA_TYPE: _BINARY},
            },
            **problem_responses(
                *(Unauthorized, Forbidden, UploadTooSlow, BodyTooLarge, TooManyPixels, NotAnImage),
                *(CorruptImage, EmptyImage, InvalidParameter),
                *(Overloaded, ShuttingDown, DeadlinePassed),
            ),
        },
    )
    async def features(request: Request) -> Response:
        data = await read_body(request, limits)
        deadline = Deadline.from_header(request.headers.get(DEADLINE), settings.deadline_ms)
        encoded = await unless_disconnected(request, running().encode(data, deadline))
        context = context_of(request)
        context.timings.update(encoded.timings)
        context.facts.update(cache=encoded.cache, bytes=len(data), kind=encoded.header.kind)
        return Response(
            encoded.features,
            media_type=wire.MEDIA_TYPE,
            headers={
                wire.FEATURE_MODEL: manifest.encoder.digest,
                wire.IMAGE_DIGEST: encoded.digest,
                wire.IMAGE_SIZE: f"{encoded.header.width}x{encoded.header.height}",
                wire.IMAGE_KIND: encoded.header.kind,
                wire.CACHE: encoded.cache,
            },
        )

    app.include_router(router)
    return app, health
