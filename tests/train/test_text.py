"""Captions become words the way the services join them again."""

from pathlib import Path

from train.text import END, UNKNOWN, Vocabulary, load_language, tokenize
from train.texts import Texts


def test_punctuation_goes_and_apostrophes_stay() -> None:
    words = ["a", "man's", "dog", "tri-colored", "runs"]
    assert tokenize("A man's dog, tri-colored, runs!") == words


def test_ukrainian_apostrophes_are_one_letter_whatever_was_typed() -> None:
    assert tokenize("М’яч і м'яч, мʼяч") == ["м'яч", "і", "м'яч", "м'яч"]


def test_vocabulary_keeps_frequent_words_most_frequent_first() -> None:
    vocabulary = Vocabulary.from_captions(["a dog", "a cat", "a dog"], min_count=2)
    assert vocabulary.words[4:] == ("a", "dog")


def test_encoding_ends_and_marks_unknown_words() -> None:
    vocabulary = Vocabulary.from_captions(["a dog", "a dog"], min_count=2)
    ids = vocabulary.encode("A dog sleeps.")
    assert ids[-2:] == [UNKNOWN, END]
    assert vocabulary.decode([*ids[:2], END, 5]) == "a dog"


def test_a_language_without_a_file_is_no_error() -> None:
    assert load_language("xx").name == "xx"
    assert "with" in load_language("en").no_end
    assert load_language("uk").name == "Українська"


def test_texts_without_photos_are_drawn_anew_and_only_those_of_known_words(tmp_path: Path) -> None:
    lines = ["a dog runs", "a dog sleeps", "a cat runs", "the dog runs", "dog"]
    (tmp_path / "more.txt").write_text("\n".join(lines))
    words = {"en": Vocabulary.from_captions(["a dog cat runs sleeps"], 1)}
    texts = Texts([("en", tmp_path / "more.txt")], words)
    captions = {"en": [(0, words["en"].encode("a dog")), (1, words["en"].encode("a cat"))]}
    seen = set()
    for seed in range(20):
        mixed = texts.mixed_in(captions, 9, seed)["en"]
        assert mixed[:2] == captions["en"]
        assert [row for row, _ in mixed[2:]] == [9, 9]
        seen |= {words["en"].decode(ids) for _, ids in mixed[2:]}
    assert seen == {"a dog runs", "a dog sleeps", "a cat runs"}
