"""Clients of the two systems that Oko replaces see what they expect."""

import base64

import httpx
import pytest

from tests import photos


@pytest.mark.parametrize(("language", "code"), [("english", "en"), ("ukrainian", "uk")])
def test_predict(client: httpx.Client, language: str, code: str) -> None:
    files = {"image": photos.CAT.read_bytes()}
    answer = client.post("/predict", files=files, data={"language": language})

    assert answer.status_code == 200
    assert set(answer.json()) == {"text", "heatmap_base64"}
    assert base64.b64decode(answer.json()["heatmap_base64"]).startswith(b"\x89PNG")
    same = client.post("/v1/captions", files=files, params={"language": code})
    assert answer.json()["text"] == same.json()["caption"]


def test_predict_names_the_languages(client: httpx.Client) -> None:
    answer = client.post(
        "/predict", files={"image": photos.CAT.read_bytes()}, data={"language": "klingon"}
    )
    assert answer.status_code == 422
    assert answer.json()["allowed"] == ["english", "ukrainian"]


def test_healthcheck(client: httpx.Client) -> None:
    assert client.get("/healthcheck").json() is True


def test_model_predict(client: httpx.Client) -> None:
    answer = client.post("/model/predict", files={"image": photos.CAT.read_bytes()}).json()

    assert answer["status"] == "ok"
    assert [prediction["index"] for prediction in answer["predictions"]] == ["0", "1", "2"]
    for prediction in answer["predictions"]:
        assert prediction["caption"]
        assert 0 < prediction["probability"] <= 1


def test_model_metadata(client: httpx.Client) -> None:
    metadata = client.get("/model/metadata").json()
    assert set(metadata) == {"id", "name", "description", "type", "license", "source"}
