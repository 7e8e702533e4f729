"""The micro-batcher, with a model made of a function."""

import asyncio
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

from services.common.deadline import Deadline
from services.common.errors import DeadlinePassed, Overloaded, ShuttingDown
from services.common.features import Features
from services.common.images import Pixels
from services.encoder.batching import Batcher

PATIENT = Deadline.after(1e6)


def pixels(value: int) -> Pixels:
    return np.full((2, 2, 3), value, np.uint8)


class Model:
    """Answers each photo with its own value, after a while."""

    def __init__(self, seconds: float = 0.02) -> None:
        self.seconds = seconds
        self.batches: list[int] = []
        self.broken = False

    def __call__(self, images: list[Pixels]) -> list[Features]:
        time.sleep(self.seconds)
        if self.broken:
            raise RuntimeError("model broke")
        self.batches.append(len(images))
        return [np.full((64, 1), image[0, 0, 0], np.float16) for image in images]


@pytest.fixture
async def model() -> Model:
    return Model()


@pytest.fixture
async def batcher(model: Model) -> AsyncIterator[Batcher]:
    batcher = Batcher(model, batch_size=4, wait_s=0.002, queue_size=8)
    batcher.start()
    yield batcher
    await batcher.stop()


async def test_everyone_gets_their_own_answer(batcher: Batcher, model: Model) -> None:
    answers = await asyncio.gather(*(batcher.encode(pixels(i), PATIENT) for i in range(8)))
    assert [int(answer[0, 0]) for answer in answers] == list(range(8))
    assert sum(model.batches) == 8
    assert max(model.batches) == 4


async def test_full_queue_is_refused(batcher: Batcher) -> None:
    work = [asyncio.create_task(batcher.encode(pixels(i), PATIENT)) for i in range(20)]
    results = await asyncio.gather(*work, return_exceptions=True)
    assert sum(isinstance(result, Overloaded) for result in results) == 12


async def test_hopeless_deadline_is_refused_before_waiting(batcher: Batcher, model: Model) -> None:
    await batcher.encode(pixels(0), PATIENT)  # it has seen how slow the model is
    model_runs = len(model.batches)
    with pytest.raises(Overloaded):
        await batcher.encode(pixels(1), Deadline.after(model.seconds / 10))
    assert len(model.batches) == model_runs


async def test_a_model_that_has_become_slow_is_noticed_in_the_run(
    batcher: Batcher, model: Model
) -> None:
    await batcher.encode(pixels(0), PATIENT)
    model.seconds = 0.5
    slow = asyncio.create_task(batcher.encode(pixels(1), PATIENT))
    await asyncio.sleep(0.2)
    with pytest.raises(Overloaded):
        await batcher.encode(pixels(2), Deadline.after(0.1))
    await slow


async def test_those_who_wait_in_vain_are_told_before_their_deadline(model: Model) -> None:
    batcher = Batcher(model, batch_size=1, wait_s=0, queue_size=8)
    batcher.start()
    await batcher.encode(pixels(0), PATIENT)
    deadline = Deadline.after(3.0)
    model.seconds = 1.0
    work = [asyncio.create_task(batcher.encode(pixels(i), deadline)) for i in range(1, 9)]
    results = await asyncio.gather(*work, return_exceptions=True)
    assert isinstance(results[-1], Overloaded)
    await batcher.stop()


async def test_cancelled_photos_are_not_encoded(batcher: Batcher, model: Model) -> None:
    first = asyncio.create_task(batcher.encode(pixels(0), PATIENT))
    await asyncio.sleep(0.01)
    waiting = [asyncio.create_task(batcher.encode(pixels(i), PATIENT)) for i in range(3)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await first
    await batcher.encode(pixels(9), PATIENT)
    assert sum(model.batches) == 2


async def test_passed_deadline_while_waiting(model: Model) -> None:
    model.seconds = 0.6
    batcher = Batcher(model, batch_size=1, wait_s=0, queue_size=8)
    batcher.start()
    first = asyncio.create_task(batcher.encode(pixels(0), PATIENT))
    await asyncio.sleep(0.01)  # it is running, and nobody knows yet for how long
    with pytest.raises(DeadlinePassed):
        await batcher.encode(pixels(1), Deadline.after(0.2))
    await first
    await batcher.stop()
    assert model.batches == [1]


async def test_broken_model_is_reported_and_survived(batcher: Batcher, model: Model) -> None:
    model.broken = True
    with pytest.raises(RuntimeError):
        await batcher.encode(pixels(0), PATIENT)
    model.broken = False
    assert await batcher.encode(pixels(5), PATIENT) is not None
    assert batcher.alive


async def test_stop_answers_those_who_wait(model: Model) -> None:
    batcher = Batcher(model, batch_size=1, wait_s=0, queue_size=8)
    batcher.start()
    work = [asyncio.create_task(batcher.encode(pixels(i), PATIENT)) for i in range(4)]
    await asyncio.sleep(0.01)
    await batcher.stop()
    results = await asyncio.wait_for(asyncio.gather(*work, return_exceptions=True), 5)
    assert sum(isinstance(result, ShuttingDown) for result in results) >= 3
