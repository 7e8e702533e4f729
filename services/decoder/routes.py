"""The decoder's HTTP face."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import StreamingResponse

from services.common import sse, wire
from services.common.context import RequestContext, context_of
from services.common.deadline import HEADER as DEADLINE
from services.common.deadline import Deadline
from services.common.disconnect import unless_disconnected
from services.common.errors import (
    BodyTooLarge,
    DeadlinePassed,
    FeatureModelMismatch,
    Forbidden,
    InvalidFeatures,
    InvalidParameter,
    OkoError,
    Overloaded,
    ShuttingDown,
    Unauthorized,
    UnknownLanguage,
    UploadTooSlow,
)
from services.common.features import LARGEST_HEADER, Features, unpack_features
from services.common.internal import InternalToken
from services.common.manifest import Manifest
from services.common.problems import problem_document, problem_responses
from services.common.uploads import BodyLimits, read_body
from services.decoder.captions import Caption, Word
from services.decoder.languages import Language, Languages
from services.decoder.metrics import DecoderMetrics
from services.decoder.schemas import CaptionsAnswer, captions_answer, word_answers
from services.decoder.search import SearchOptions
from services.decoder.settings import DecoderSettings

_BODY = {
    "requestBody": {
        "required": True,
        "content": {wire.MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}
_PROBLEMS = problem_responses(
    *(Unauthorized, Forbidden, UploadTooSlow, BodyTooLarge, FeatureModelMismatch),
    *(InvalidFeatures, InvalidParameter, UnknownLanguage),
    *(Overloaded, ShuttingDown, DeadlinePassed),
)

LanguageCode = Annotated[
    str, Query(min_length=1, max_length=16, description="A language of /v1/models.")
]


@dataclass(frozen=True, slots=True)
class Order:
    """One request, read and checked."""

    language: Language
    features: Features
    deadline: Deadline
    context: RequestContext


def caption_routes(
    languages: Languages, manifest: Manifest, settings: DecoderSettings, metrics: DecoderMetrics
) -> APIRouter:
    router = APIRouter(prefix="/v1", dependencies=[Depends(InternalToken(settings.internal_token))])
    cells, dimensions = manifest.encoder.cells, manifest.encoder.dimensions
    body_limits = BodyLimits(
        max_bytes=LARGEST_HEADER + cells * dimensions * 2,
        idle_s=settings.body_idle_s,
        total_s=2 * settings.body_idle_s,
    )
    Options = Annotated[SearchOptions, Depends(_options(settings))]  # noqa: N806 - a type

    @router.get("/models", summary="The decoders of the manifest")
    async def models() -> dict[str, Any]:
        return dict(manifest.document["decoders"])

    @router.post(
        "/captions",
        summary="Decode features into captions",
        openapi_extra=_BODY,
        response_model=CaptionsAnswer,
        responses=_PROBLEMS,
    )
    async def captions(
        request: Request, options: Options, language: LanguageCode = "en"
    ) -> Response:
        order = await read_order(request, language)
        work = order.language.decode(order.features, options, order.deadline)
        found = await unless_disconnected(request, work)
        count(order, found)
        return Response(
            captions_answer(order.language.model, found).model_dump_json(exclude_none=True),
            media_type="application/json",
            headers={wire.DECODER_MODEL: order.language.model.digest},
        )

    @router.post(
        "/captions/stream",
        summary="The same, word by word as server-sent events",
        openapi_extra=_BODY,
        response_class=StreamingResponse,
        responses={
            200: {"description": "Events", "content": {sse.MEDIA_TYPE: {}}},
            **_PROBLEMS,
        },
    )
    async def stream(
        request: Request, options: Options, language: LanguageCode = "en"
    ) -> StreamingResponse:
        order = await read_order(request, language)
        return StreamingResponse(
            events(order, options),
            media_type=sse.MEDIA_TYPE,
            headers={
                wire.DECODER_MODEL: order.language.model.digest,
                "Cache-Control": "no-store",
            },
        )

    async def read_order(request: Request, code: str) -> Order:
        language = languages[code]
        language.require_encoder(request.headers.get(wire.FEATURE_MODEL))
        body = await read_body(request, body_limits)
        return Order(
            language,
            unpack_features(body, cells, dimensions),
            Deadline.from_header(request.headers.get(DEADLINE), settings.deadline_ms),
            context_of(request),
        )

    async def events(order: Order, options: SearchOptions) -> AsyncIterator[bytes]:
        index = 0
        try:
            async for found in order.language.stream(order.features, options, order.deadline):
                if isinstance(found, Word):
                    yield sse.event(
                        "word", {"index": index, **word_answers([found])[0].model_dump()}
                    )
                    index += 1
                else:
                    count(order, found)
                    answer = captions_answer(order.language.model, found)
                    yield sse.event("captions", answer.model_dump(exclude_none=True))
        except OkoError as error:
            order.context.problem = error.code
            yield sse.event("problem", problem_document(error, order.context.request_id))

    def count(order: Order, found: Sequence[Caption]) -> None:
        code, words = order.language.model.language, len(found[0].words)
        metrics.captions.labels(code).inc()
        metrics.words.labels(code).inc(words)
        order.context.facts.update(language=code, words=words)

    return router


def _options(settings: DecoderSettings) -> Any:
    # async, though it waits for nothing: FastAPI would run it in a thread.
    async def options(
        beam_size: Annotated[int, Query(ge=1, le=10, description="Beams per caption.")] = 3,
        max_words: Annotated[int, Query(ge=1, le=40, description="Longest caption.")] = 20,
        n_best: Annotated[
            int, Query(ge=1, le=10, description="Captions wanted; no more come than beam_size.")
        ] = 3,
    ) -> SearchOptions:
        return SearchOptions(beam_size, max_words, min(n_best, beam_size), settings.length_penalty)

    return options
