"""`/v1/captions` and its streaming twin."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import ValidationError
from starlette.responses import JSONResponse, Response, StreamingResponse

from services.common import sse
from services.common.context import RequestContext, context_of
from services.common.deadline import HEADER as DEADLINE
from services.common.deadline import Deadline
from services.common.disconnect import unless_disconnected
from services.common.errors import InvalidParameter, OkoError
from services.common.problems import invalid_parameter, problem_document
from services.gateway.access import Access
from services.gateway.admission import Admission
from services.gateway.captioning import Captioner
from services.gateway.contract import CAPTION_BODY, CAPTION_PROBLEMS
from services.gateway.forms import Upload, UploadLimits, read_upload
from services.gateway.schemas import Caption, CaptionParameters, Captions
from services.gateway.throttle import Throttle

_AT_ONCE = 4
"""Images of one request that are captioned at the same time."""


@dataclass(frozen=True, slots=True)
class CaptionDesk:
    """What a route needs to take an upload and give captions."""

    captioner: Captioner
    access: Access
    admission: Admission
    throttle: Throttle
    limits: UploadLimits
    deadline_ms: int

    async def take(self, request: Request, stack: ExitStack) -> Upload:
        """Reads the upload; its memory and its places are held until `stack` is closed."""
        memory = stack.enter_context(self.admission.upload())
        upload = await read_upload(request, self.limits, memory)
        await self.access.more(request, len(upload.images) - 1)
        stack.enter_context(self.admission.images(len(upload.images)))
        return upload

    def deadline(self, request: Request) -> Deadline:
        return Deadline.from_header(request.headers.get(DEADLINE), self.deadline_ms)

    async def one(
        self,
        image: bytes,
        parameters: CaptionParameters,
        deadline: Deadline,
        context: RequestContext,
    ) -> Caption:
        with self.throttle.watch():
            return await self.captioner.caption(image, parameters, deadline, context)

    async def several(
        self,
        images: tuple[bytes, ...],
        parameters: CaptionParameters,
        deadline: Deadline,
        context: RequestContext,
    ) -> list[dict[str, Any]]:
        """In the order sent; an image that failed has its problem document instead."""
        turn = asyncio.Semaphore(_AT_ONCE)

        async def captioned(image: bytes) -> dict[str, Any]:
            async with turn:
                try:
                    caption = await self.one(image, parameters, deadline, context)
                except OkoError as error:
                    return problem_document(error, context.request_id)
                return caption.model_dump(exclude_none=True)

        return list(await asyncio.gather(*map(captioned, images)))


def caption_routes(desk: CaptionDesk) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["captions"])

    @router.post(
        "/captions",
        summary="Caption one or several images",
        response_model=Caption | Captions,
        responses=CAPTION_PROBLEMS,
        openapi_extra=CAPTION_BODY,
    )
    async def captions(request: Request, query: Annotated[CaptionParameters, Query()]) -> Response:
        context = context_of(request)
        with ExitStack() as stack:
            upload = await desk.take(request, stack)
            parameters = merged(query, upload.fields)
            deadline = desk.deadline(request)
            if upload.several:
                work = desk.several(upload.images, parameters, deadline, context)
                return JSONResponse({"captions": await unless_disconnected(request, work)})
            one = desk.one(upload.images[0], parameters, deadline, context)
            caption = await unless_disconnected(request, one)
            body = caption.model_dump_json(exclude_none=True)
            return Response(body, media_type="application/json")

    @router.post(
        "/captions/stream",
        summary="Caption one image, word by word as server-sent events",
        response_class=StreamingResponse,
        responses={
            200: {"description": "Events", "content": {sse.MEDIA_TYPE: {}}},
            **CAPTION_PROBLEMS,
        },
        openapi_extra=CAPTION_BODY,
    )
    async def stream(
        request: Request, query: Annotated[CaptionParameters, Query()]
    ) -> StreamingResponse:
        stack = ExitStack()
        try:
            upload = await desk.take(request, stack)
            if upload.several:
                raise InvalidParameter("A stream takes one image.", field="image", allowed=1)
            parameters = merged(query, upload.fields)
            deadline = desk.deadline(request)
            context = context_of(request)
            events = desk.captioner.stream(upload.images[0], parameters, deadline, context)
            # The first event is awaited here, so that an early failure has its own status.
            with desk.throttle.watch():
                first = await anext(events)
        except BaseException:
            stack.close()
            raise

        async def body() -> AsyncIterator[bytes]:
            with stack:
                try:
                    yield sse.event(*first)
                    async for name, data in events:
                        yield sse.event(name, data)
                except OkoError as error:
                    context.problem = error.code
                    yield sse.event("problem", problem_document(error, context.request_id))
                finally:
                    await events.aclose()

        return StreamingResponse(
            body(),
            media_type=sse.MEDIA_TYPE,
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return router


def merged(query: CaptionParameters, fields: dict[str, str]) -> CaptionParameters:
    """Parameters of the form win over those of the address.

    Raises:
        InvalidParameter: A field that there is not, or a value that is not allowed.
    """
    known = CaptionParameters.model_fields
    for name in fields:
        if name not in known:
            raise InvalidParameter(
                f"There is no field `{name[:40]}`.", field=name[:40], allowed=["image", *known]
            )
    try:
        return CaptionParameters.model_validate({**query.model_dump(), **fields})
    except ValidationError as error:
        raise invalid_parameter(error.errors()) from error
