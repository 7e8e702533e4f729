"""Photos captioned in this process."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from oko.captioner import Captioner
from oko.results import Result
from oko.rows import Best, Row
from services.decoder.captions import Caption


class LocalEngine:
    """A context manager: loads the models, and stops the threads."""

    def __init__(
        self,
        captioner: Captioner,
        languages: Sequence[str],
        *,
        beam_size: int,
        max_words: int,
    ) -> None:
        self._captioner = captioner
        self._languages = languages
        self._beam_size = beam_size
        self._max_words = max_words

    def __enter__(self) -> "LocalEngine":
        self._captioner.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._captioner.__exit__(*error)

    def results(self, paths: Iterable[str]) -> Iterator[Result]:
        """One per path, as they are done."""
        taken: dict[int, str] = {}

        def images() -> Iterator[Path]:
            for index, path in enumerate(paths):
                taken[index] = path
                yield Path(path)

        for answer in self._captioner.caption_many(
            images(),
            self._languages,
            beam_size=self._beam_size,
            max_words=self._max_words,
        ):
            path = taken.pop(answer.index)
            if answer.error is None:
                yield Result(answer.index, path, row=Row(path, _best(answer.captions)))
            else:
                yield Result(answer.index, path, error=answer.error)


def _best(captions: Mapping[str, Sequence[Caption]]) -> dict[str, Best]:
    return {language: Best(found[0].text, found[0].score) for language, found in captions.items()}
