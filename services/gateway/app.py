"""The gateway's application: its parts made and put together."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from services.common.accepted_images import ImageLimits
from services.common.application import application
from services.common.deadline import HEADER as DEADLINE
from services.common.health import HealthSource, State
from services.common.manifest import Manifest, read_manifest
from services.common.middleware import REQUEST_ID
from services.common.uploads import BodyLimits
from services.gateway.access import Access
from services.gateway.admission import Admission
from services.gateway.caption_cache import CaptionCache
from services.gateway.caption_routes import CaptionDesk, caption_routes
from services.gateway.captioning import Captioner
from services.gateway.clients import DecoderClient, EncoderClient
from services.gateway.entrance import Entrance
from services.gateway.forms import UploadLimits
from services.gateway.heatmaps import Heatmaps
from services.gateway.keys import HEADER as KEY
from services.gateway.keys import ApiKeys
from services.gateway.legacy_routes import legacy_routes
from services.gateway.metrics import GatewayMetrics
from services.gateway.page import install_page
from services.gateway.rate_limit import RateLimiter
from services.gateway.schemas import Language, Languages, ModelsDocument
from services.gateway.settings import GatewaySettings
from services.gateway.throttle import Throttle
from services.gateway.upstream import Upstream, UpstreamPolicy

DESCRIPTION = "Says what is in a photo, and shows which part of it each word came from."


def build_app(settings: GatewaySettings) -> tuple[FastAPI, HealthSource]:
    """The application and the source of its health, whose `draining` the server sets."""
    manifest = read_manifest(settings.models_dir)
    metrics = GatewayMetrics()
    policy = UpstreamPolicy(
        settings.resolve_interval_s,
        settings.probe_interval_s,
        settings.probe_timeout_s,
        settings.breaker_failures,
        settings.breaker_cool_down_s,
    )
    encoder = Upstream("encoder", settings.encoder_url, policy, metrics)
    decoder = Upstream("decoder", settings.decoder_url, policy, metrics)
    cache = CaptionCache(manifest, settings, metrics)
    heatmaps = Heatmaps(ImageLimits(settings.max_pixels, settings.max_decode_bytes))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await encoder.start()
        await decoder.start()
        cache.start()
        yield
        await cache.close()
        await encoder.stop()
        await decoder.stop()
        heatmaps.close()

    def parts() -> Mapping[str, State]:
        return {"encoder": encoder.state(), "decoder": decoder.state(), **cache.parts()}

    health = HealthSource(
        parts,
        lambda: {"encoder": encoder.addresses(), "decoder": decoder.addresses()},
    )
    limit = settings.rate_limit_policy()
    access = Access(ApiKeys.read(settings.api_keys), RateLimiter(limit) if limit else None)
    admission = Admission(settings.max_in_flight, settings.upload_memory_bytes, metrics)
    throttle = Throttle(metrics)
    entrance = Middleware(Entrance, access=access, admission=admission, throttle=throttle)
    app = application("Oko", DESCRIPTION, lifespan, health, metrics, settings, [entrance])
    desk = CaptionDesk(
        Captioner(
            EncoderClient(encoder, settings.internal_token),
            DecoderClient(decoder, settings.internal_token),
            cache,
            heatmaps,
            metrics,
        ),
        access,
        admission,
        throttle,
        UploadLimits(
            BodyLimits(settings.max_body_bytes, settings.upload_idle_s, settings.upload_total_s),
            settings.max_images,
            settings.max_upload_bytes,
        ),
        settings.deadline_ms,
    )
    app.include_router(caption_routes(desk))
    app.include_router(_catalogue(manifest))
    app.include_router(legacy_routes(desk))
    if settings.cors_origins:
        app.add_middleware(CORSMiddleware, **_cors(settings.cors_origins))
    install_page(app, settings.web_dir)
    return app, health


def _catalogue(manifest: Manifest) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["catalogue"])

    @router.get("/languages", summary="Languages that captions come in")
    async def languages() -> Languages:
        return Languages(
            languages=[
                Language(code=code, name=model.name) for code, model in manifest.decoders.items()
            ]
        )

    @router.get("/models", summary="The models that answer, by digest")
    async def models() -> ModelsDocument:
        document: Mapping[str, Any] = manifest.document
        return ModelsDocument(encoder=document["encoder"], decoders=document["decoders"])

    return router


def _cors(origins: tuple[str, ...]) -> dict[str, Any]:
    return {
        "allow_origins": origins,
        "allow_methods": ["GET", "POST"],
        "allow_headers": ["Authorization", KEY, DEADLINE, REQUEST_ID, "Content-Type"],
        "expose_headers": [REQUEST_ID, "Server-Timing", "Retry-After"],
        "max_age": 3600,
    }
