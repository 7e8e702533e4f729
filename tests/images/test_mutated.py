"""Tens of thousands of broken images over HTTP: never a 5xx, never a dead process, little memory.

The encoder runs a tiny model here: what is under attack is everything before the model.
"""

import asyncio
import collections
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

from services.common.settings import REPOSITORY
from tests import photos
from tests.images.mutations import Sample, bombs, mutated
from tests.processes import Service, started

pytestmark = pytest.mark.slow

MUTATIONS = 20_000
OVERLAYS = 1_000
AT_ONCE = 4
MOST_SECONDS = 2.0
MOST_BYTES = 300 * 2**20
ANSWERS = (200, 413, 415, 422)


def tiny_encoder() -> bytes:
    """An ONNX graph with the encoder's inputs and outputs that costs nothing."""
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", 299, 299, 3])
    out = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", 64, 512])
    constants = [
        numpy_helper.from_array(np.array([1, 2], np.int64), "axes"),
        numpy_helper.from_array(np.array([0, 1, 3], np.int64), "shape"),
        numpy_helper.from_array(np.full((1, 64, 512), 1 / 255, np.float32), "grid"),
        numpy_helper.from_array(np.full((3, 512), 1 / 3, np.float32), "mix"),
    ]
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "mix"], ["flat"]),
        helper.make_node("Unsqueeze", ["flat", "one"], ["tall"]),
        helper.make_node("Mul", ["tall", "grid"], ["features"]),
    ]
    constants[1] = numpy_helper.from_array(np.array([1], np.int64), "one")
    graph = helper.make_graph(nodes, "tiny", [image], [out], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed models with the tiny encoder in front."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "decoder").symlink_to(REPOSITORY / "models" / "decoder")
    content = tiny_encoder()
    (folder / "encoder.onnx").write_bytes(content)
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    manifest = json.loads((REPOSITORY / "models" / "manifest.json").read_text())
    manifest["encoder"]["digest"] = digest
    for decoder in manifest["decoders"].values():
        decoder["encoder"] = digest
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module")
def services(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Service]]:
    folder = tmp_path_factory.mktemp("images")
    with ExitStack() as stack:
        # No cache: what it holds is meant to stay, and would count as memory here.
        settings = {"models_dir": models, "log_level": "warning", "cache_bytes": 0}
        encoder = started(stack, Service.of("encoder", folder, **settings)).wait()
        decoder = started(stack, Service.of("decoder", folder, **settings)).wait()
        urls = {"encoder_url": encoder.url, "decoder_url": decoder.url}
        gateway = started(stack, Service.of("gateway", folder, **urls, **settings)).wait()
        yield [encoder, gateway]


class MemoryWatch:
    """The most memory that a process had, beyond what it had at the start."""

    def __init__(self, service: Service) -> None:
        self._process = psutil.Process(service.pid)
        self._start = self._process.memory_info().rss
        self._most = self._start
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def extra(self) -> int:
        return self._most - self._start

    def _watch(self) -> None:
        while not self._done.wait(0.003):
            self._most = max(self._most, self._process.memory_info().rss)


async def attack(url: str, samples: Iterator[Sample], at_once: int) -> collections.Counter[int]:
    """Sends every sample; asserts on each answer."""
    answers: collections.Counter[int] = collections.Counter()

    async def work(client: httpx.AsyncClient) -> None:
        for sample in samples:
            began = time.perf_counter()
            answer = await client.post(url, content=sample.data)
            seconds = time.perf_counter() - began
            assert answer.status_code in ANSWERS, f"{sample.name}: {answer.text[:500]}"
            assert seconds < MOST_SECONDS, f"{sample.name}: {seconds}"
            answers[answer.status_code] += 1

    async with httpx.AsyncClient(timeout=60) as client, asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work(client))
    return answers


def still_right(service: Service) -> bool:
    path = "/v1/features" if service.name == "encoder" else "/v1/captions"
    answer = httpx.post(service.url + path, content=photos.CAT.read_bytes(), timeout=60)
    return service.running() and answer.status_code == 200


async def test_mutations_on_the_encoder(services: list[Service]) -> None:
    encoder, _ = services
    with MemoryWatch(encoder) as memory:
        answers = await attack(f"{encoder.url}/v1/features", mutated(MUTATIONS, seed=1), AT_ONCE)
    print(
        f"\n{sum(answers.values())} images: {dict(answers)}; {memory.extra / 2**20:.0f} MiB extra"
    )
    assert sum(answers.values()) == MUTATIONS
    assert answers[200] > MUTATIONS / 20, "some get as far as the model"
    assert memory.extra < MOST_BYTES
    assert still_right(encoder)


async def test_mutations_with_overlays_on_the_gateway(services: list[Service]) -> None:
    """The gateway decodes as well, for the pictures of heatmaps."""
    _, gateway = services
    url = f"{gateway.url}/v1/captions?heatmap=overlay&beam_size=1&max_words=2"
    with MemoryWatch(gateway) as memory:
        answers = await attack(url, mutated(OVERLAYS, seed=2), AT_ONCE)
    print(
        f"\n{sum(answers.values())} images: {dict(answers)}; {memory.extra / 2**20:.0f} MiB extra"
    )
    assert memory.extra < MOST_BYTES
    assert still_right(gateway)


@pytest.mark.parametrize("sample", bombs(), ids=lambda sample: sample.name)
async def test_bombs(services: list[Service], sample: Sample) -> None:
    """One at a time, so that time and memory are its own."""
    encoder, gateway = services
    paths = ["/v1/features", "/v1/captions?heatmap=overlay&beam_size=1&max_words=2"]
    for service, path in zip((encoder, gateway), paths, strict=True):
        if service is gateway and not sample.data:
            continue  # "no image was sent" is its own test
        with MemoryWatch(service) as memory:
            answers = await attack(service.url + path, iter([sample]), 1)
        print(f"\n{service.name}: {dict(answers)}, {memory.extra / 2**20:.0f} MiB")
        assert memory.extra < MOST_BYTES
        assert still_right(service)
