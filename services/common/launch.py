"""From the environment to a running service, with errors that a person can act on."""

import sys
from collections.abc import Callable
from typing import TypeVar

from fastapi import FastAPI
from pydantic import ValidationError

from services.common.errors import ModelsUnavailable
from services.common.health import HealthSource
from services.common.server import serve
from services.common.settings import ServiceSettings

S = TypeVar("S", bound=ServiceSettings)


def launch(
    service: str,
    settings_type: Callable[[], S],
    build_app: Callable[[S], tuple[FastAPI, HealthSource]],
    port: Callable[[S], int],
) -> None:
    """Reads settings, builds the application and serves it; exits with 2 on a bad setup."""
    try:
        settings = settings_type()
        app, health = build_app(settings)
    except ValidationError as error:
        lines = (f"  OKO_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors())
        sys.exit(_fatal(service, "settings are not valid:\n" + "\n".join(lines)))
    except ModelsUnavailable as error:
        sys.exit(_fatal(service, str(error)))

    def drain() -> None:
        health.draining = True

    serve(service, app, settings, port(settings), drain)


def _fatal(service: str, message: str) -> int:
    print(f"oko {service}: {message}", file=sys.stderr)
    return 2
