"""Errors that a caller can act on. Each type is one stable `code`; `problems.py` renders them."""

from typing import Any


class OkoError(Exception):
    """Base of every error that is answered with a problem document (RFC 9457)."""

    status: int = 500
    code: str = "internal-error"
    title: str = "Something went wrong on our side"

    def __init__(self, detail: str, *, retry_after_s: float | None = None, **members: Any) -> None:
        """Keeps a sentence that a person can act on and further members of the problem.

        Args:
            detail: What happened and what to do about it. Never holds image content or secrets.
            retry_after_s: When set, the answer carries `Retry-After`.
            members: Extension members of the problem document, JSON values.
        """
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.members = members


class OtherProblem(OkoError):
    """A problem whose status and code come from elsewhere: the framework, or an inner service."""

    def __init__(self, status: int, code: str, title: str, detail: str, **keywords: Any) -> None:
        super().__init__(detail, **keywords)
        self.status = status
        self.code = code
        self.title = title


class InvalidParameter(OkoError):
    status, code, title = 422, "invalid-parameter", "A parameter is not valid"


class UnknownLanguage(OkoError):
    status, code, title = 422, "unknown-language", "No model for this language"


class BodyTooLarge(OkoError):
    status, code, title = 413, "body-too-large", "The upload is too large"


class UploadTooSlow(OkoError):
    status, code, title = 408, "upload-too-slow", "The upload took too long"


class Unauthorized(OkoError):
    status, code, title = 401, "unauthorized", "Credentials are missing"


class Forbidden(OkoError):
    status, code, title = 403, "forbidden", "Credentials are not accepted"


class FeatureModelMismatch(OkoError):
    status, code, title = 409, "feature-model-mismatch", "Features of another encoder"


class InvalidFeatures(OkoError):
    status, code, title = 422, "invalid-features", "The features are not valid"


class Overloaded(OkoError):
    status, code, title = 503, "overloaded", "Too busy right now"

    def __init__(self, detail: str, *, retry_after_s: float = 1.0, **members: Any) -> None:
        super().__init__(detail, retry_after_s=retry_after_s, **members)


class ShuttingDown(OkoError):
    status, code, title = 503, "shutting-down", "This process is shutting down"

    def __init__(self) -> None:
        super().__init__("The service is restarting; try again.", retry_after_s=1.0)


class DeadlinePassed(OkoError):
    status, code, title = 504, "deadline-passed", "The deadline has passed"


class ModelsUnavailable(Exception):
    """The models folder is missing, incomplete or damaged; the service cannot start."""
