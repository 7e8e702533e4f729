"""The client for ordinary programs. Thread-safe: threads can share one and its connections."""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Self

import httpx

from oko.client import calls
from oko.client.calls import Call, Photo
from oko.client.errors import ClientError
from oko.client.patience import Patience
from oko.client.results import Caption, Event, Health, Language
from services.gateway.schemas import Heatmap, Languages


class Client:
    """Connections to one service; a context manager.

    Every call raises `Refused`, `AccessDenied`, `RateLimited`, `Unavailable`, `TooLate` or
    `Unreachable` (see `oko.client.errors`). What may pass is tried again with growing pauses, as
    long as the call has time, and not before the service's `Retry-After`.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        api_key: str | None = None,
        deadline_s: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Opens nothing yet.

        Args:
            url: Where the service is.
            api_key: When the service wants one.
            deadline_s: Longest time for a call with all its attempts.
            transport: For tests and unusual connections, see httpx.
            sleep: Waits between attempts.
        """
        headers = {calls.KEY: api_key} if api_key else {}
        self._http = httpx.Client(base_url=url, headers=headers, transport=transport)
        self._deadline_s = deadline_s
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def caption(
        self,
        image: Photo,
        *,
        language: str | None = None,
        beam_size: int | None = None,
        n_best: int | None = None,
        max_words: int | None = None,
        heatmap: Heatmap = "none",
        deadline_s: float | None = None,
    ) -> Caption:
        """Captions one photo.

        Args:
            image: The file's bytes, its path, or the open file.
            language: Of `languages()`; None, here and below, for the service's default.
            beam_size: Captions kept under consideration, 1–10.
            n_best: Captions answered, 1–10.
            max_words: Longest caption, 1–40.
            heatmap: `grid` for where each word came from, `overlay` for pictures of it.
            deadline_s: For this call, instead of the client's.
        """
        call = calls.caption_call(
            "/v1/captions",
            image,
            language=language,
            beam_size=beam_size,
            n_best=n_best,
            max_words=max_words,
            heatmap=heatmap,
        )
        return calls.result(Caption, calls.document_of(self._answer(call, deadline_s)))

    def stream(
        self,
        image: Photo,
        *,
        language: str | None = None,
        beam_size: int | None = None,
        max_words: int | None = None,
        heatmap: Heatmap = "none",
        deadline_s: float | None = None,
    ) -> Generator[Event]:
        """Captions one photo, word by word: `ImageFound`, `StreamedWord`…, then the `Caption`.

        Attempts are made until the first event has come. Arguments are those of `caption`.
        """
        call = calls.caption_call(
            "/v1/captions/stream",
            image,
            language=language,
            beam_size=beam_size,
            max_words=max_words,
            heatmap=heatmap,
        )
        patience = Patience(deadline_s or self._deadline_s)
        while True:
            begun = False
            try:
                with closing(self._events(call, patience)) as events:
                    for event in events:
                        begun = True
                        yield event
                return
            except ClientError as error:
                if begun:
                    raise
                pause = patience.pause(error)
            self._sleep(pause)

    def languages(self, *, deadline_s: float | None = None) -> list[Language]:
        """What captions can be had in."""
        answer = self._answer(Call("GET", "/v1/languages"), deadline_s)
        return calls.result(Languages, calls.document_of(answer)).languages

    def health(self, *, deadline_s: float | None = None) -> Health:
        """How the service and its parts are."""
        answer = self._answer(Call("GET", "/health"), deadline_s)
        return calls.result(Health, calls.document_of(answer))

    def _answer(self, call: Call, deadline_s: float | None) -> httpx.Response:
        patience = Patience(deadline_s or self._deadline_s)
        while True:
            try:
                return self._once(call, patience)
            except ClientError as error:
                pause = patience.pause(error)
            self._sleep(pause)

    def _once(self, call: Call, patience: Patience) -> httpx.Response:
        request = call.request(self._http, patience.remaining())
        try:
            return calls.checked(self._http.send(request))
        except httpx.HTTPError as error:
            raise calls.unreachable(error, request.url) from error

    def _events(self, call: Call, patience: Patience) -> Generator[Event]:
        request = call.request(self._http, patience.remaining())
        reader = calls.EventReader()
        try:
            with closing(self._http.send(request, stream=True)) as answer:
                if not answer.is_success:
                    answer.read()
                    raise calls.problem_in(answer)
                for line in answer.iter_lines():
                    yield from reader.read(line)
        except httpx.HTTPError as error:
            raise calls.unreachable(error, request.url) from error
        if not reader.complete:
            raise calls.broken_off()
