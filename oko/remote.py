"""Photos captioned by a running service."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from typing import Self

from oko.captioned import read_file
from oko.client import AccessDenied, Client, ClientError, Problem, Unavailable, Unreachable
from oko.results import Result
from oko.rows import Best, Row
from oko.stop import CannotWork
from services.common.errors import OkoError, OtherProblem, UnknownLanguage

PATIENCE_S = 600.0
"""A photo waits this long for a service that is busy, restarting or limits our rate."""


HELLO_S = 10.0
"""At the beginning it must answer sooner: the address may be wrong."""


class ServiceLost(CannotWork):
    """The service does not answer, or does not let us in; says what to do."""


class RemoteEngine:
    """A context manager: has connections and threads."""

    def __init__(
        self,
        client: Client,
        languages: Sequence[str],
        *,
        beam_size: int,
        max_words: int,
        workers: int,
    ) -> None:
        """Sends nothing yet.

        Args:
            client: Ours from now on.
            languages: To caption in; the service keeps the features between them.
            beam_size: Captions kept under consideration.
            max_words: Longest caption.
            workers: Photos sent at the same time.
        """
        self._client = client
        self._languages = languages
        self._beam_size = beam_size
        self._max_words = max_words
        self._workers = workers
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="send")

    def __enter__(self) -> Self:
        """Raises `ServiceLost`, `UnknownLanguage`."""
        try:
            known = [each.code for each in self._client.languages(deadline_s=HELLO_S)]
        except ClientError as error:
            self._client.close()
            raise ServiceLost(str(error)) from error
        for language in self._languages:
            if language not in known:
                self._client.close()
                raise UnknownLanguage(
                    f"There is no language `{language}` there; there are: {', '.join(known)}."
                )
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()  # first: requests under way end at once
        self._threads.shutdown(wait=True, cancel_futures=True)

    def results(self, paths: Iterable[str]) -> Iterator[Result]:
        """One per path, as they are done.

        Raises:
            ServiceLost: No photo can be captioned any more.
        """
        waiting = enumerate(paths)
        under_way: set[Future[Result]] = set()
        while True:
            room = 2 * self._workers - len(under_way)
            under_way |= {self._threads.submit(self._one, *each) for each in islice(waiting, room)}
            if not under_way:
                return
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()

    def _one(self, index: int, path: str) -> Result:
        try:
            image = read_file(Path(path))
            best = {language: self._best(image, language) for language in self._languages}
        except OkoError as error:
            return Result(index, path, error=error)
        except (Unreachable, Unavailable, AccessDenied) as error:
            raise ServiceLost(str(error)) from error
        except ClientError as error:
            return Result(index, path, error=_as_ours(error))
        return Result(index, path, row=Row(path, best))

    def _best(self, image: bytes, language: str) -> Best:
        answer = self._client.caption(
            image,
            language=language,
            beam_size=self._beam_size,
            n_best=self._beam_size,
            max_words=self._max_words,
        )
        return Best(answer.caption, answer.score)


def _as_ours(error: ClientError) -> OkoError:
    if isinstance(error, Problem):
        return OtherProblem(error.status, error.code, error.title, error.detail)
    return OkoError(str(error))
