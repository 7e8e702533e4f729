"""Finished captions: asked again, they cost neither the encoder nor the decoder."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
from redis import Redis as RedisClient

from tests.pictures import fresh_photo
from tests.processes import Redis, Service, Stack, running_stack


def post(gateway: Service, photo: bytes, **parameters: Any) -> dict[str, Any]:
    answer = httpx.post(
        f"{gateway.url}/v1/captions", files={"image": photo}, params=parameters, timeout=60
    )
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def asked(stack: Stack) -> tuple[float, float]:
    """How many calls the encoder and the decoder have answered."""
    encoder, decoder = (
        sum(
            float(count)
            for count in re.findall(
                r'oko_requests_total\{method="POST",[^}]*\} ([0-9.]+)',
                httpx.get(f"{service.url}/metrics").text,
            )
        )
        for service in (stack.encoder, stack.decoder)
    )
    return encoder, decoder


def without_times(caption: dict[str, Any]) -> dict[str, Any]:
    volatile = ("cache", "timings_ms", "request_id")
    return {name: value for name, value in caption.items() if name not in volatile}


def test_asked_again_costs_neither_encoder_nor_decoder(stack: Stack) -> None:
    photo = fresh_photo()
    first = post(stack.gateway, photo)
    before = asked(stack)
    again = post(stack.gateway, photo)

    assert asked(stack) == before
    assert (first["cache"], again["cache"]) == ("miss", "hit")
    assert without_times(again) == without_times(first)
    assert again["request_id"] != first["request_id"]
    assert again["timings_ms"]["encoder"] == again["timings_ms"]["decoder"] == 0


def test_other_parameters_are_decoded_from_the_same_features(stack: Stack) -> None:
    photo = fresh_photo()
    post(stack.gateway, photo)
    encoder, decoder = asked(stack)
    wider = post(stack.gateway, photo, beam_size=4)

    assert wider["cache"] == "hit"
    assert asked(stack) == (encoder + 1, decoder + 1)


def test_heatmaps_are_there_whatever_was_asked_first(stack: Stack) -> None:
    photo = fresh_photo()
    bare = post(stack.gateway, photo, heatmap="none")
    before = asked(stack)
    grid = post(stack.gateway, photo, heatmap="grid")
    overlay = post(stack.gateway, photo, heatmap="overlay")

    assert asked(stack) == before
    assert "attention" not in bare["words"][0]
    assert len(grid["words"][0]["attention"]) == 8
    assert overlay["figure"].startswith("data:image/png;base64,")


def test_a_stream_of_a_finished_caption_has_the_same_events(stack: Stack) -> None:
    photo = fresh_photo()
    streams = []
    for _ in range(2):
        answer = httpx.post(f"{stack.url}/v1/captions/stream", files={"image": photo}, timeout=60)
        lines = [line.partition(": ") for line in answer.text.splitlines() if line]
        names = [value for name, _, value in lines if name == "event"]
        events = [json.loads(value) for name, _, value in lines if name == "data"]
        streams.append(list(zip(names, events, strict=True)))

    first, again = streams
    assert [name for name, _ in first] == [name for name, _ in again]
    words = [event for name, event in first if name == "word"]
    assert words == [event for name, event in again if name == "word"]
    assert again[-1][1]["cache"] == "hit"


def test_another_gateway_finds_it_in_redis(redis: Redis, tmp_path: Path) -> None:
    settings = {"redis_url": redis.url, "redis_timeout_ms": 500}
    with running_stack(tmp_path, **settings) as stack:
        photo = fresh_photo()
        first = post(stack.gateway, photo)
        with RedisClient(port=redis.port) as client:
            (key,) = client.scan_iter("oko:captions:*")
            assert client.ttl(key) > 0
        urls = {"encoder_url": stack.encoder.url, "decoder_url": stack.decoder.url}
        other = Service.of("gateway", tmp_path, **urls, **settings).start().wait()
        try:
            before = asked(stack)
            again = post(other, photo)
            assert asked(stack) == before
            assert without_times(again) == without_times(first)

            redis.kill()
            assert post(other, photo)["caption"] == first["caption"]
            assert post(other, fresh_photo())["status"] == "degraded"
        finally:
            other.stop()


def test_none_is_kept_when_there_is_no_room_for_any(tmp_path: Path) -> None:
    with running_stack(tmp_path, caption_cache_bytes=0) as stack:
        photo = fresh_photo()
        post(stack.gateway, photo)
        encoder, decoder = asked(stack)
        assert post(stack.gateway, photo)["cache"] == "hit"
        assert asked(stack) == (encoder + 1, decoder + 1)
