"""What goes over the wire, the same for both clients: requests out of arguments, results back."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from oko.client.errors import Problem, Unreachable, problem_of
from oko.client.results import Caption, Event, ImageFound, StreamedWord

KEY = "X-API-Key"
DEADLINE = "X-Deadline-Ms"
Photo = bytes | Path | BinaryIO
Result = TypeVar("Result", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Call:
    """Can be sent again."""

    method: str
    path: str
    parameters: Mapping[str, str | int] = field(default_factory=dict)
    image: bytes | None = None

    def request(
        self, client: httpx.Client | httpx.AsyncClient, remaining_s: float
    ) -> httpx.Request:
        """The request, which ends, there or here, when the time has run out."""
        return client.build_request(
            self.method,
            self.path,
            params=self.parameters,
            files=None if self.image is None else {"image": ("image", self.image)},
            headers={DEADLINE: str(max(1, int(remaining_s * 1000)))},
            timeout=remaining_s,
        )


def caption_call(path: str, photo: Photo, **parameters: str | int | None) -> Call:
    """Reads the photo; raises `OSError` when that fails."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return Call("POST", path, given, _bytes(photo))


def checked(answer: httpx.Response) -> httpx.Response:
    """The answer, unless it is a problem: then that is raised."""
    if answer.is_success:
        return answer
    raise problem_in(answer)


def problem_in(answer: httpx.Response) -> Problem:
    """Proxies answer in other ways than Oko; those have a code by their status."""
    try:
        document = answer.json()
    except ValueError:
        document = {}
    if not isinstance(document, dict):
        document = {}
    if "code" not in document:
        document = {"detail": f"{answer.url.host} answered {answer.status_code}.", **document}
    return problem_of(answer.status_code, document, _retry_after(answer.headers))


def result(kind: type[Result], document: Any) -> Result:
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise Unreachable(f"The answer is not one of Oko's: {error.errors()[0]['msg']}.") from error


def document_of(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise Unreachable("The answer is not one of Oko's: it is no JSON.") from error


class EventReader:
    """Server-sent events as Oko writes them: an `event:` and a `data:` line, an empty line."""

    def __init__(self) -> None:
        self._name = ""
        self.complete = False
        """The caption has come: nothing else will."""

    def read(self, line: str) -> Iterator[Event]:
        """The event that this line completes, if any. Raises `Problem`."""
        field_name, _, value = line.partition(": ")
        if field_name == "event":
            self._name = value
        elif field_name == "data":
            yield self._event(json.loads(value))

    def _event(self, data: dict[str, Any]) -> Event:
        if self._name == "problem":
            raise problem_of(int(data.get("status", 500)), data)
        if self._name == "image":
            return result(ImageFound, data)
        if self._name == "word":
            return result(StreamedWord, data)
        self.complete = True
        return result(Caption, data)


def broken_off() -> Unreachable:
    return Unreachable("The connection ended before the caption was complete.")


def unreachable(error: httpx.HTTPError, url: httpx.URL) -> Unreachable:
    return Unreachable(f"{url.host}:{url.port or ''} cannot be reached: {error or repr(error)}")


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds or a date (RFC 9110, 10.2.3)."""
    value = headers.get("Retry-After", "")
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _bytes(photo: Photo) -> bytes:
    if isinstance(photo, bytes):
        return photo
    return photo.read_bytes() if isinstance(photo, Path) else photo.read()
