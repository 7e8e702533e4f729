"""Captions become words the way the services join them again."""

from train.text import END, UNKNOWN, Vocabulary, load_language, tokenize


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
