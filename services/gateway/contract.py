"""What OpenAPI says about the bodies and problems of the public API."""

from typing import Any

from services.common.accepted_images import (
    FORMATS,
    CorruptImage,
    EmptyImage,
    NotAnImage,
    TooManyPixels,
)
from services.common.errors import (
    BodyTooLarge,
    DeadlinePassed,
    Forbidden,
    InvalidParameter,
    Overloaded,
    ShuttingDown,
    Unauthorized,
    UnknownLanguage,
    UploadTooSlow,
)
from services.common.problems import problem_responses
from services.gateway.errors import (
    ModelMismatch,
    RateLimited,
    UnsupportedMediaType,
    UpstreamUnavailable,
)
from services.gateway.schemas import CaptionParameters

CAPTION_PROBLEMS = problem_responses(
    *(Unauthorized, Forbidden, UploadTooSlow, BodyTooLarge, TooManyPixels),
    *(NotAnImage, UnsupportedMediaType, CorruptImage, EmptyImage),
    *(InvalidParameter, UnknownLanguage, RateLimited),
    *(Overloaded, UpstreamUnavailable, ModelMismatch, ShuttingDown, DeadlinePassed),
)

_BINARY: dict[str, Any] = {"type": "string", "format": "binary"}


def _form(*, several: bool, fields: dict[str, Any]) -> dict[str, Any]:
    image = {"type": "array", "items": _BINARY, "minItems": 1} if several else _BINARY
    return {
        "schema": {
            "type": "object",
            "required": ["image"],
            "properties": {"image": image, **fields},
            "additionalProperties": False,
        }
    }


def _parameters() -> dict[str, Any]:
    properties: dict[str, Any] = CaptionParameters.model_json_schema()["properties"]
    return properties


CAPTION_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": _form(several=True, fields=_parameters()),
            **{f"image/{name.lower()}": {"schema": _BINARY} for name in FORMATS},
        },
    }
}

IMAGE_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": _form(several=False, fields={})},
    }
}

PREDICT_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": _form(
                several=False,
                fields={"language": {"type": "string", "enum": ["english", "ukrainian"]}},
            )
        },
    }
}
