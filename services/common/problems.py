"""The one place where errors become RFC 9457 problem documents."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from services.common.context import context_of
from services.common.errors import InvalidParameter, OkoError, OtherProblem

MEDIA_TYPE = "application/problem+json"
_HTTP_CODES = {404: "not-found", 405: "method-not-allowed"}


def problem_document(error: OkoError, request_id: str) -> dict[str, Any]:
    """The problem as JSON values; `type` names the code so that it stays stable offline."""
    return {
        "type": f"urn:oko:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id,
        **error.members,
    }


def problem_response(error: OkoError, request_id: str) -> JSONResponse:
    headers = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="oko"'
    if error.status in (408, 413):
        headers["Connection"] = "close"  # the rest of the upload is not going to be read
    return JSONResponse(
        problem_document(error, request_id), error.status, headers, media_type=MEDIA_TYPE
    )


def install_problem_handlers(app: FastAPI) -> None:
    """Makes every error of `app` a problem response."""

    async def oko_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, OkoError)
        context_of(request).problem = error.code
        return problem_response(error, context_of(request).request_id)

    async def http_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        problem = _from_http(error)
        response = problem_response(problem, context_of(request).request_id)
        response.headers.update(error.headers or {})
        context_of(request).problem = problem.code
        return response

    async def validation_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        context_of(request).problem = InvalidParameter.code
        return problem_response(invalid_parameter(error.errors()), context_of(request).request_id)

    app.add_exception_handler(OkoError, oko_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, validation_error)


def problem_responses(*errors: type[OkoError]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route in OpenAPI: one entry per status that it can answer."""
    by_status: dict[int, list[type[OkoError]]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    return {
        status: {
            "description": "; ".join(f"{kind.title} (`{kind.code}`)" for kind in kinds),
            "content": {MEDIA_TYPE: {"schema": _schema([kind.code for kind in kinds])}},
        }
        for status, kinds in by_status.items()
    }


def _schema(codes: list[str]) -> Mapping[str, Any]:
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string", "enum": codes},
            "request_id": {"type": "string"},
        },
    }


def _from_http(error: HTTPException) -> OkoError:
    details = {
        404: "There is nothing at this address; see /docs for what there is.",
        405: "This address does not take this method; see the Allow header.",
    }
    status, title = error.status_code, str(error.detail)
    code = _HTTP_CODES.get(status, f"http-{status}")
    return OtherProblem(status, code, title, details.get(status, title))


def invalid_parameter(errors: Sequence[Any]) -> InvalidParameter:
    """Pydantic's list of errors as one problem that names every field and what it allows."""
    found = [{"field": _field(item["loc"]), "allowed": item["msg"]} for item in errors]
    first = found[0]
    return InvalidParameter(
        f"`{first['field']}`: {first['allowed']}.", field=first["field"], errors=found
    )


def _field(location: Sequence[str | int]) -> str:
    """("query", "beam_size") → "beam_size"."""
    inner = location[1:] if location[0] in ("query", "body", "header", "path") else location
    return ".".join(map(str, inner or location))
