"""Errors that only the gateway can have."""

from typing import Any, Self

from services.common.errors import OkoError, OtherProblem


class UpstreamUnavailable(OkoError):
    status, code, title = 503, "service-unavailable", "A part of Oko cannot be reached"


class ModelMismatch(OkoError):
    status, code, title = 503, "model-mismatch", "Encoder and decoder are being updated"


class RateLimited(OkoError):
    status, code, title = 429, "rate-limited", "Too many requests"


class UnsupportedMediaType(OkoError):
    status, code, title = 415, "unsupported-media-type", "The body is not of a supported kind"


class UpstreamProblem(OtherProblem):
    """A problem that an inner service answered, passed on as it is."""

    @classmethod
    def read(cls, document: dict[str, Any], retry_after_s: float | None = None) -> Self:
        """Raises `KeyError` or `ValueError` when the document is not a problem of ours."""
        known = ("type", "title", "status", "detail", "code", "request_id")
        members = {name: value for name, value in document.items() if name not in known}
        return cls(
            int(document["status"]),
            str(document["code"]),
            str(document["title"]),
            str(document["detail"]),
            retry_after_s=retry_after_s,
            **members,
        )
