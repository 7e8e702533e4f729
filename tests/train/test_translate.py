"""A translator learns from pairs; only translations that say all and are sure are kept."""

from pathlib import Path

import numpy as np
import pytest

from train.data import TRANSLATED, Photo, load_photos
from train.text import Vocabulary
from train.translate import Training, is_kept, write_captions
from train.translator import Translation, Translator, pair_batches

WORDS = {"dog": "собака", "cat": "кіт", "runs": "біжить", "sleeps": "спить", "here": "тут"}
SUBJECTS, VERBS, PLACES = (["dog", "cat"], ["runs", "sleeps"], [[], ["here"]])
SENTENCES = [[s, v, *p] for s in SUBJECTS for v in VERBS for p in PLACES]


def translated(words: list[str]) -> str:
    return " ".join(WORDS[word] for word in words)


def test_it_learns_to_translate(tmp_path: Path) -> None:
    source = Vocabulary.from_captions(WORDS, 1)
    others = (f"слово{number}" for number in range(16))  # more words than a step answers with
    target = Vocabulary.from_captions([*WORDS.values(), *others], 1)
    model = Translator(source, target, dropout=0.0)
    pairs = [(source.encode(" ".join(s))[:-1], target.encode(translated(s))) for s in SENTENCES]
    batches = len(pair_batches(pairs * 8, 16, seed=0))
    training = Training(model, tmp_path, 3e-3, steps=12 * batches)
    losses = [training.run_epoch(pairs * 8, batch_size=16) for _ in range(12)]
    assert losses[-1] < 0.3 * losses[0]
    found = dict(model.translate([source for source, _ in pairs], ("en", "uk"), beam_size=2))
    assert [found[i].text for i in range(len(pairs))] == [translated(s) for s in SENTENCES]


def test_batches_hold_every_pair_once_and_sources_of_one_length() -> None:
    generator = np.random.default_rng(0)
    pairs = [([*range(4, 4 + n)], [5] * m) for n, m in generator.integers(1, 9, (100, 2))]
    batches = pair_batches(pairs, 8, seed=1)
    assert sum(len(source) for source, _, _ in batches) == len(pairs)
    assert all(len(source) <= 8 for source, _, _ in batches)


@pytest.mark.parametrize(
    ("text", "log_prob", "coverage", "kept"),
    [
        ("собака біжить по снігу", -0.5, 0.9, True),
        ("собака біжить по снігу", -1.5, 0.9, False),
        ("собака біжить по снігу", -0.5, 0.01, False),
        ("собака біжить", -0.5, 0.9, False),
        ("по снігу біжить по снігу", -0.5, 0.9, False),
    ],
)
def test_what_is_kept(text: str, log_prob: float, coverage: float, kept: bool) -> None:
    assert is_kept(Translation(text, log_prob, coverage), least_log_prob=-1.0) is kept


def test_only_train_photos_get_translations(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "some"
    folder.mkdir(parents=True)
    lines = [
        '{"image": "a.jpg", "split": "train", "en": ["a dog"], "uk": ["пес"]}',
        '{"image": "b.jpg", "split": "dev", "en": ["a cat"]}',
    ]
    (folder / "captions.jsonl").write_text("\n".join(lines))
    photos = load_photos(tmp_path)
    write_captions(tmp_path, photos, {0: ["собака"], 1: ["кіт"]}, "uk")
    assert (folder / TRANSLATED).exists()
    assert load_photos(tmp_path) == photos
    first, second = load_photos(tmp_path, translated=True)
    assert first.captions == {"en": ("a dog",), "uk": ("пес", "собака")}
    assert second == photos[1]


def test_without_translations_it_says_what_to_run(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "some"
    folder.mkdir(parents=True)
    (folder / "captions.jsonl").write_text('{"image": "a.jpg", "split": "train", "en": ["a"]}')
    with pytest.raises(SystemExit, match=r"train\.translate"):
        load_photos(tmp_path, translated=True)
    assert isinstance(load_photos(tmp_path)[0], Photo)
