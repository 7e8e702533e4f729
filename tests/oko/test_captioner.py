"""Many photos in one process."""

from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import pytest

from oko.captioned import Captioned, Image
from oko.captioner import Captioner
from services.common.errors import UnknownLanguage
from tests import photos


@pytest.fixture(scope="module")
def captioner() -> Iterator[Captioner]:
    with Captioner() as captioner:
        yield captioner


def test_each_photo_once_whatever_it_is(captioner: Captioner) -> None:
    images: list[Image] = [
        photos.CAT,
        b"no image",
        photos.COFFEE.read_bytes(),
        Path("missing.jpg"),
        photos.ROCKET,
        photos.CAT.read_bytes()[:2000],
        b"",
    ]
    answers = sorted(captioner.caption_many(images, ["en", "uk"]), key=lambda each: each.index)
    assert [each.index for each in answers] == list(range(len(images)))
    codes = [each.error and each.error.code for each in answers]
    assert codes == [
        *(None, "not-an-image", None, "unreadable-file", None),
        *("corrupt-image", "empty-image"),
    ]
    for each, photo in ((answers[0], photos.CAT), (answers[4], photos.ROCKET)):
        for language in ("en", "uk"):
            alone = captioner.caption(photo, language)
            together = each.captions[language]
            assert [caption.text for caption in together] == [caption.text for caption in alone]
            assert together[0].score == pytest.approx(alone[0].score, abs=1e-3)


def test_an_endless_input_is_taken_as_needed_and_may_be_left(captioner: Captioner) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        for image in cycle([b"no image", b"nor this"]):
            taken += 1
            yield image

    answers = captioner.caption_many(endless())
    assert len(list(islice(answers, 300))) == 300
    assert taken < 300 + 2 * 64 + 64
    answers.close()  # type: ignore[attr-defined] - it is a generator
    assert captioner.caption(photos.CAT)[0].text


def test_an_input_that_raises_ends_the_run_and_nothing_else(captioner: Captioner) -> None:
    def broken() -> Iterator[Image]:
        yield photos.CAT
        raise OSError("the tape is torn")

    with pytest.raises(OSError, match="torn"):
        list(captioner.caption_many(broken()))
    (answer,) = captioner.caption_many([photos.CAT])
    assert isinstance(answer, Captioned)
    assert answer.captions["en"]


def test_nothing_in_nothing_out(captioner: Captioner) -> None:
    assert list(captioner.caption_many([])) == []


def test_unknown_languages_are_refused_at_once(captioner: Captioner) -> None:
    with pytest.raises(UnknownLanguage):
        captioner.caption_many([photos.CAT], ["xx"])
    with pytest.raises(UnknownLanguage):
        Captioner(languages=["xx"])
