"""Drop-in routes for clients of the two systems that Oko replaces."""

from contextlib import ExitStack
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from services.common.context import context_of
from services.common.disconnect import unless_disconnected
from services.common.errors import InvalidParameter, UnknownLanguage
from services.gateway.caption_routes import CaptionDesk
from services.gateway.contract import CAPTION_PROBLEMS, IMAGE_FORM, PREDICT_FORM
from services.gateway.forms import Upload
from services.gateway.schemas import Caption, CaptionParameters

_LANGUAGES = {"english": "en", "ukrainian": "uk"}


class Prediction(BaseModel):
    text: str
    heatmap_base64: str
    """PNG: the photo once per word, warm where the word came from."""


class MaxPrediction(BaseModel):
    index: str
    caption: str
    probability: float


class MaxPredictions(BaseModel):
    status: str
    predictions: list[MaxPrediction]


class MaxMetadata(BaseModel):
    id: str
    name: str
    description: str
    type: str
    license: str
    source: str


def legacy_routes(desk: CaptionDesk) -> APIRouter:
    router = APIRouter(tags=["drop-in"])

    async def captioned(request: Request, upload: Upload, parameters: CaptionParameters) -> Caption:
        if upload.several:
            raise InvalidParameter("This address takes one image.", field="image", allowed=1)
        work = desk.one(upload.images[0], parameters, desk.deadline(request), context_of(request))
        return await unless_disconnected(request, work)

    @router.post(
        "/predict",
        summary="Caption and heatmap, as the earlier captioning service answered",
        responses=CAPTION_PROBLEMS,
        openapi_extra=PREDICT_FORM,
    )
    async def predict(request: Request) -> Prediction:
        with ExitStack() as stack:
            upload = await desk.take(request, stack)
            parameters = CaptionParameters(
                language=_language(upload.fields), heatmap="overlay", n_best=1
            )
            caption = await captioned(request, upload, parameters)
            assert caption.figure is not None, "heatmap=overlay draws it"
            return Prediction(text=caption.caption, heatmap_base64=caption.figure.partition(",")[2])

    @router.get("/healthcheck", summary="Health, as the earlier captioning service answered")
    async def healthcheck() -> bool:
        return True

    @router.post(
        "/model/predict",
        summary="Captions, as the MAX image caption generator answers",
        responses=CAPTION_PROBLEMS,
        openapi_extra=IMAGE_FORM,
    )
    async def model_predict(request: Request) -> MaxPredictions:
        with ExitStack() as stack:
            upload = await desk.take(request, stack)
            if upload.fields:
                name = next(iter(upload.fields))[:40]
                raise InvalidParameter(
                    f"There is no field `{name}`.", field=name, allowed=["image"]
                )
            caption = await captioned(request, upload, CaptionParameters(heatmap="none"))
            ranked = [(caption.caption, caption.score)]
            ranked += [(other.caption, other.score) for other in caption.alternatives]
            return MaxPredictions(
                status="ok",
                predictions=[
                    MaxPrediction(index=str(index), caption=text, probability=score)
                    for index, (text, score) in enumerate(ranked)
                ],
            )

    @router.get("/model/metadata", summary="Metadata, as the MAX image caption generator answers")
    async def model_metadata() -> MaxMetadata:
        return MaxMetadata(
            id="oko",
            name="Oko image captions",
            description="InceptionV3 features and an attention LSTM, in English and Ukrainian",
            type="Image-to-Text",
            license="Apache-2.0",
            source="Show, Attend and Tell, arXiv:1502.03044",
        )

    return router


def _language(fields: dict[str, Any]) -> str:
    for name in fields:
        if name != "language":
            raise InvalidParameter(
                f"There is no field `{name[:40]}`.",
                field=name[:40],
                allowed=["image", "language"],
            )
    given = fields.get("language", "english")
    if given not in _LANGUAGES:
        raise UnknownLanguage(
            f"`language` must be one of: {', '.join(_LANGUAGES)}.",
            field="language",
            allowed=list(_LANGUAGES),
        )
    return _LANGUAGES[given]
