"""What a call can raise: one type for each thing that a caller can do about it."""

from typing import Any


class ClientError(Exception):
    """Base of all that the client raises."""


class Unreachable(ClientError):
    """No answer: no connection, a broken one, or something that is not Oko answered."""


class Problem(ClientError):
    """The service's answer, a problem document (RFC 9457)."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        title: str = "",
        request_id: str = "",
        retry_after_s: float | None = None,
        document: dict[str, Any] | None = None,
    ) -> None:
        """Keeps the document's members.

        Args:
            status: Of the HTTP answer.
            code: Stable, such as `not-an-image`; see the API's documentation.
            detail: A sentence that a person can act on.
            title: What kind of problem.
            request_id: Names the request in the service's log.
            retry_after_s: How long the service asks to wait.
            document: All members.
        """
        super().__init__(f"{detail} ({code})")
        self.status = status
        self.code = code
        self.detail = detail
        self.title = title
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.document = document or {}


class Refused(Problem):
    """The image or a parameter is not valid: the same again would be refused again."""


class AccessDenied(Problem):
    """The API key is missing or not known."""


class RateLimited(Problem):
    """Too many requests from this caller, for longer than the call had time."""


class Unavailable(Problem):
    """Too busy, restarting or broken, for longer than the call had time."""


class TooLate(Problem):
    """The service could not answer within its deadline, nor within the call's."""


def problem_of(
    status: int, document: dict[str, Any], retry_after_s: float | None = None
) -> Problem:
    """The problem as its type."""
    return _type(status)(
        status,
        str(document.get("code", f"http-{status}")),
        str(document.get("detail", "The service gave no reason.")),
        title=str(document.get("title", "")),
        request_id=str(document.get("request_id", "")),
        retry_after_s=retry_after_s,
        document=document,
    )


def _type(status: int) -> type[Problem]:
    by_status = {401: AccessDenied, 403: AccessDenied, 429: RateLimited, 504: TooLate}
    return by_status.get(status, Unavailable if status >= 500 else Refused)
