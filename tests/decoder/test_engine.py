"""Continuous batching with the committed models: company never changes a caption."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

from services.common.deadline import Deadline
from services.common.errors import DeadlinePassed, Overloaded, ShuttingDown
from services.common.features import Features
from services.common.manifest import Manifest
from services.decoder.captions import Caption
from services.decoder.languages import Language
from services.decoder.metrics import DecoderMetrics
from services.decoder.search import SearchOptions
from services.decoder.settings import DecoderSettings

PATIENT = 120.0


def made_up_features(manifest: Manifest, seed: int) -> Features:
    """Non-negative, like what comes out of a ReLU."""
    shape = (manifest.encoder.cells, manifest.encoder.dimensions)
    values = np.random.default_rng(seed).normal(0, 1, shape)
    return np.maximum(values, 0).astype(np.float16)


def language(manifest: Manifest, **settings: int | str) -> Language:
    metrics = DecoderMetrics()
    return Language(manifest.decoders["en"], manifest.encoder, DecoderSettings(**settings), metrics)


@pytest.fixture
async def english(manifest: Manifest) -> AsyncIterator[Language]:
    english = language(manifest)
    english.engine.start()
    yield english
    english.engine.stop()


@pytest.fixture(params=["fp32", "auto"])
async def in_each_precision(
    manifest: Manifest, request: pytest.FixtureRequest
) -> AsyncIterator[Language]:
    english = language(manifest, decoder_precision=request.param)
    english.engine.start()
    yield english
    english.engine.stop()


def texts(captions: list[Caption]) -> list[str]:
    return [caption.text for caption in captions]


async def test_company_changes_nothing(in_each_precision: Language, manifest: Manifest) -> None:
    english = in_each_precision
    sizes = [(1, 20), (3, 20), (5, 9), (10, 40), (2, 3), (3, 15)]
    jobs = [
        (made_up_features(manifest, seed), SearchOptions(beam, words, min(beam, 3)))
        for seed, (beam, words) in enumerate(sizes * 4)
    ]
    alone = [await english.decode(*job, Deadline.after(PATIENT)) for job in jobs]

    async def later(index: int) -> list[Caption]:
        await asyncio.sleep(0.003 * index)  # joins while others are under way
        return await english.decode(*jobs[index], Deadline.after(PATIENT))

    together = await asyncio.gather(*map(later, range(len(jobs))))
    for one, other in zip(alone, together, strict=True):
        assert texts(one) == texts(other)
        for word, same in zip(one[0].words, other[0].words, strict=True):
            assert word.probability == pytest.approx(same.probability, rel=1e-3)
            np.testing.assert_allclose(word.attention, same.attention, atol=1e-4)


async def test_attention_is_a_distribution(english: Language, manifest: Manifest) -> None:
    captions = await english.decode(
        made_up_features(manifest, 1), SearchOptions(5, 20, 5), Deadline.after(PATIENT)
    )
    assert len(captions) == 5
    assert len(set(texts(captions))) == 5
    for caption in captions:
        for word in caption.words:
            assert word.attention.sum() == pytest.approx(1, abs=1e-3)
            assert 0 < word.probability <= 1


async def test_beam_of_one_equals_greedy(english: Language, manifest: Manifest) -> None:
    """Against the graphs called by hand, without the engine."""
    from services.decoder.session import DecoderSession

    session = DecoderSession(english.model, english.cells, english.dimensions, 1, "auto")
    vocabulary = english.vocabulary
    for seed in range(5):
        features = made_up_features(manifest, seed)
        wide = features.astype(np.float32)[None]
        keys, state = session.init(wide)
        words: list[int] = []
        token = vocabulary.start
        while len(words) < 20:
            step = session.step(np.array([[token]]), np.zeros((1, 1), np.int64), state, wide, keys)
            state = step.state
            ruled_out = {token} if words else {vocabulary.end}
            ruled_out |= {vocabulary.end} if token in vocabulary.no_end else set()
            ruled_out |= {after for before, after in itertools.pairwise(words) if before == token}
            token = next(int(word) for word in step.word[0, 0] if int(word) not in ruled_out)
            if token == vocabulary.end:
                break
            words.append(token)
        (best,) = await english.decode(
            features, SearchOptions(beam_size=1, n_best=1), Deadline.after(PATIENT)
        )
        assert best.text == " ".join(vocabulary.words[word] for word in words)


async def test_full_queue_is_refused_at_once(manifest: Manifest) -> None:
    english = language(manifest, decoder_batch_size=1, decoder_queue_size=2)
    features = made_up_features(manifest, 0)
    english.engine.start()
    try:
        work = [
            asyncio.create_task(
                english.decode(features, SearchOptions(10, 40, 3), Deadline.after(PATIENT))
            )
            for _ in range(30)
        ]
        results = await asyncio.gather(*work, return_exceptions=True)
    finally:
        english.engine.stop()
    refused = [result for result in results if isinstance(result, Overloaded)]
    assert refused
    assert all(isinstance(result, list | Overloaded) for result in results)
    assert all(error.retry_after_s is not None for error in refused)


async def test_deadline_frees_the_place(english: Language, manifest: Manifest) -> None:
    features = made_up_features(manifest, 0)
    with pytest.raises((DeadlinePassed, Overloaded)):
        await english.decode(features, SearchOptions(10, 40, 3), Deadline.after(0.002))
    assert await english.decode(features, SearchOptions(), Deadline.after(PATIENT))


async def test_cancelled_captions_leave_the_batch(english: Language, manifest: Manifest) -> None:
    features = made_up_features(manifest, 0)
    tasks = [
        asyncio.create_task(
            english.decode(features, SearchOptions(10, 40, 3), Deadline.after(PATIENT))
        )
        for _ in range(20)
    ]
    await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await english.decode(features, SearchOptions(), Deadline.after(PATIENT))
    end = time.monotonic() + 10
    while english.engine._running:
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def test_stop_answers_everyone(manifest: Manifest) -> None:
    english = language(manifest, decoder_batch_size=1)
    english.engine.start()
    features = made_up_features(manifest, 0)
    work = [
        asyncio.create_task(
            english.decode(features, SearchOptions(10, 40, 3), Deadline.after(PATIENT))
        )
        for _ in range(8)
    ]
    await asyncio.sleep(0.05)
    await asyncio.to_thread(english.engine.stop)
    results = await asyncio.gather(*work, return_exceptions=True)
    assert any(isinstance(result, ShuttingDown) for result in results)
    assert all(isinstance(result, list | ShuttingDown) for result in results)
