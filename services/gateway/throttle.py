"""Refusing early what would be refused anyway.

Adaptive throttling as in Site Reliability Engineering (Beyer et al. 2016), chapter 21: when the
encoder or the decoder refuses part of the requests, so does the gateway, before it reads an upload.
A refusal that has cost an upload, a hash and a hop takes processor time from those that are
answered; here it costs next to nothing.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from services.common.errors import OkoError, Overloaded
from services.gateway.metrics import GatewayMetrics

GENEROSITY = 1.15
"""Requests let through per request that was lately accepted. Lower refuses more of the surplus
here; higher notices sooner that there is room again: with this and the slack, twice the room is
in use after a few seconds."""

SLACK = 5.0
"""Requests per window that are never refused here: a few refusals are no overload."""

HALF_LIFE_S = 3.0


class Throttle:
    """Requests and acceptances of late, older ones counting less and less."""

    def __init__(
        self,
        metrics: GatewayMetrics,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._chance = chance
        self._requests = 0.0
        self._accepted = 0.0
        self._counted_at = clock()

    def check(self) -> None:
        """Raises `Overloaded` for a share of the requests while upstreams refuse."""
        self._fade()
        surplus = self._requests - GENEROSITY * self._accepted - SLACK
        if surplus / (self._requests + 1) > self._chance():
            self._requests += 1
            self._metrics.shed_one("throttle")
            raise Overloaded("Too many images are being captioned right now; try again.")

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Around the work of a request: learns whether it was refused for load.

        Requests that never get to the work, such as broken forms, count for nothing: clients that
        send them must not make it look as if there were an overload.
        """
        try:
            yield
        except OkoError as error:
            self._count(accepted=error.code != Overloaded.code)
            raise
        self._count(accepted=True)

    def _count(self, *, accepted: bool) -> None:
        self._requests += 1
        self._accepted += accepted

    def _fade(self) -> None:
        now = self._clock()
        kept = 0.5 ** ((now - self._counted_at) / HALF_LIFE_S)
        self._requests *= kept
        self._accepted *= kept
        self._counted_at = now
