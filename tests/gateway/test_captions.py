"""`POST /v1/captions` over real HTTP, with the committed models."""

import itertools
import json
import math
import statistics
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from services.common.manifest import Manifest
from tests import photos
from tests.pictures import fresh_photo


def post(client: httpx.Client, photo: bytes | Path, **parameters: Any) -> httpx.Response:
    data = photo if isinstance(photo, bytes) else photo.read_bytes()
    return client.post("/v1/captions", files={"image": data}, params=parameters)


@pytest.mark.parametrize("language", ["en", "uk"])
@pytest.mark.parametrize("photo", photos.ALL, ids=lambda photo: photo.stem)
def test_caption_is_consistent(client: httpx.Client, photo: Path, language: str) -> None:
    answer = post(client, photo, language=language)

    assert answer.status_code == 200, answer.text
    caption = answer.json()
    assert caption["language"] == language
    assert caption["caption"] == " ".join(word["text"] for word in caption["words"])
    assert caption["words"]
    assert 0 < caption["score"] <= 1
    for word in caption["words"]:
        assert 0 < word["probability"] <= 1
        attention = np.array(word["attention"])
        assert attention.shape == (8, 8)
        assert attention.min() >= 0
        assert attention.sum() == pytest.approx(1, abs=1e-3)
    assert len(caption["alternatives"]) <= 2
    assert caption["status"] == "ok"


@pytest.mark.parametrize("photo", photos.ALL, ids=lambda photo: photo.stem)
def test_no_word_or_bigram_is_repeated(client: httpx.Client, photo: Path) -> None:
    words = post(client, photo, max_words=40, beam_size=5).json()["caption"].split()
    bigrams = list(itertools.pairwise(words))
    assert len(set(bigrams)) == len(bigrams)
    assert all(one != other for one, other in bigrams)


def test_second_time_is_a_hit_and_much_faster(client: httpx.Client) -> None:
    photo = fresh_photo()
    first = post(client, photo).json()
    again = [post(client, photo).json() for _ in range(5)]

    assert first["cache"] == "miss"
    assert {answer["cache"] for answer in again} == {"hit"}
    assert {answer["caption"] for answer in again} == {first["caption"]}
    median = statistics.median(answer["timings_ms"]["encoder"] for answer in again)
    assert first["timings_ms"]["encoder"] > 3 * median


def test_other_language_reads_the_same_features(client: httpx.Client, manifest: Manifest) -> None:
    photo = fresh_photo()
    english = post(client, photo, language="en").json()
    ukrainian = post(client, photo, language="uk").json()

    assert (english["cache"], ukrainian["cache"]) == ("miss", "hit")
    assert english["models"]["encoder"] == ukrainian["models"]["encoder"]
    assert ukrainian["models"]["decoder"] == manifest.decoders["uk"].digest
    assert any("а" <= letter <= "я" or letter in "іїєґ" for letter in ukrainian["caption"])


def test_beam_size_bounds_the_alternatives(client: httpx.Client) -> None:
    assert len(post(client, photos.CAT, beam_size=1).json()["alternatives"]) == 0
    assert len(post(client, photos.CAT, beam_size=4, n_best=4).json()["alternatives"]) == 3


def test_max_words(client: httpx.Client) -> None:
    assert len(post(client, photos.CAT, max_words=2).json()["words"]) <= 2


def test_raw_body_and_form_fields_give_the_same(client: httpx.Client) -> None:
    data = photos.ROCKET.read_bytes()
    raw = client.post(
        "/v1/captions?language=uk&heatmap=none",
        content=data,
        headers={"Content-Type": "image/jpeg"},
    )
    form = client.post(
        "/v1/captions", files={"image": data}, data={"language": "uk", "heatmap": "none"}
    )
    assert raw.json()["caption"] == form.json()["caption"]
    assert "attention" not in raw.json()["words"][0]
    assert raw.json()["image"]["width"] == 640
    assert raw.json()["image"]["height"] == 427
    assert raw.json()["image"]["kind"] == "jpeg"


def test_several_images_keep_their_order(client: httpx.Client) -> None:
    parts = [photos.CAT.read_bytes(), b"no image", photos.COFFEE.read_bytes()]
    answer = client.post("/v1/captions", files=[("image", part) for part in parts])

    assert answer.status_code == 200
    cat, broken, coffee = answer.json()["captions"]
    assert cat["caption"] == post(client, photos.CAT).json()["caption"]
    assert broken["status"] == 415
    assert broken["code"] == "not-an-image"
    assert coffee["caption"] == post(client, photos.COFFEE).json()["caption"]


def test_overlay_is_png(client: httpx.Client) -> None:
    caption = post(client, photos.ROCKET, heatmap="overlay", language="uk").json()
    start = "data:image/png;base64,iVBOR"
    assert caption["figure"].startswith(start)
    assert all(word["overlay"].startswith(start) for word in caption["words"])


def test_stream_ends_with_the_same_caption(client: httpx.Client) -> None:
    events = []
    with client.stream(
        "POST", "/v1/captions/stream", files={"image": photos.CAT.read_bytes()}
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                events.append((value, {}))
            elif name == "data":
                events[-1] = (events[-1][0], json.loads(value))

    names = [name for name, _ in events]
    assert names[0] == "image"
    assert names[-1] == "caption"
    caption = events[-1][1]
    whole = post(client, photos.CAT).json()
    assert caption["caption"] == whole["caption"]
    words = [data for name, data in events if name == "word"]
    assert [word["index"] for word in words] == list(range(len(words)))
    for sent, final in zip(words, caption["words"], strict=False):
        assert sent["text"] == final["text"], "a sent word is never taken back"
        assert math.isclose(sent["probability"], final["probability"])


def test_request_id_and_timing_travel(client: httpx.Client) -> None:
    answer = client.post(
        "/v1/captions",
        files={"image": fresh_photo()},
        headers={"X-Request-ID": "my-request.7"},
    )
    assert answer.headers["X-Request-ID"] == "my-request.7"
    assert answer.json()["request_id"] == "my-request.7"
    assert "decoder;dur=" in answer.headers["Server-Timing"]


def test_catalogue(client: httpx.Client, manifest: Manifest) -> None:
    languages = client.get("/v1/languages").json()["languages"]
    assert {language["code"]: language["name"] for language in languages} == {
        code: model.name for code, model in manifest.decoders.items()
    }
    models = client.get("/v1/models").json()
    assert models["encoder"]["digest"] == manifest.encoder.digest
