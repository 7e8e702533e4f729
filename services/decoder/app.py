"""The decoder's application: its parts made and put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.common.application import application
from services.common.health import HealthSource
from services.common.manifest import read_manifest
from services.common.memory import give_back
from services.decoder.languages import Languages
from services.decoder.metrics import DecoderMetrics
from services.decoder.routes import caption_routes
from services.decoder.settings import DecoderSettings


def build_app(settings: DecoderSettings) -> tuple[FastAPI, HealthSource]:
    """The application and the source of its health, whose `draining` the server sets."""
    manifest = read_manifest(settings.models_dir)
    metrics = DecoderMetrics()
    languages = Languages.load(manifest, settings, metrics)
    give_back()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        languages.start()
        yield
        languages.stop()

    health = HealthSource(
        parts=languages.parts,
        details=lambda: {
            "decoders": {code: model.digest for code, model in manifest.decoders.items()}
        },
    )
    app = application(
        "Oko decoder", "Image features in, captions out.", lifespan, health, metrics, settings
    )
    app.include_router(caption_routes(languages, manifest, settings, metrics))
    return app, health
