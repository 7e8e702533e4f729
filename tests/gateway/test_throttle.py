"""Adaptive throttling with a clock and dice of its own."""

import itertools

import pytest

from services.common.errors import InvalidParameter, Overloaded
from services.gateway.metrics import GatewayMetrics
from services.gateway.throttle import GENEROSITY, Throttle


class Upstream:
    """Accepts one in `every` of the requests that reach it."""

    def __init__(self, throttle: Throttle, every: int) -> None:
        self.throttle = throttle
        self.every = every
        self.reached = 0

    def request(self) -> bool:
        try:
            self.throttle.check()
            with self.throttle.watch():
                self.reached += 1
                if self.reached % self.every:
                    raise Overloaded("full")
        except Overloaded:
            return False
        return True


def throttle() -> tuple[Throttle, list[float]]:
    now = [0.0]
    dice = itertools.cycle([0.05, 0.55, 0.25, 0.85, 0.45, 0.65, 0.15, 0.95, 0.35, 0.75])
    return Throttle(GatewayMetrics(), lambda: now[0], lambda: next(dice)), now


def test_nothing_is_refused_while_upstreams_accept() -> None:
    made, now = throttle()
    upstream = Upstream(made, every=1)
    for _ in range(500):
        now[0] += 0.01
        assert upstream.request()


def test_most_of_the_surplus_never_reaches_an_upstream() -> None:
    made, now = throttle()
    upstream = Upstream(made, every=4)
    for _ in range(2000):
        now[0] += 0.01
        upstream.request()
    assert upstream.reached < 2000 * 0.6


def test_it_recovers() -> None:
    made, now = throttle()
    upstream = Upstream(made, every=10)
    for _ in range(1000):
        now[0] += 0.01
        upstream.request()
    upstream.every = 1
    now[0] += 30
    assert all(upstream.request() for _ in range(50))


def test_a_few_refusals_are_no_overload() -> None:
    made, _ = throttle()
    upstream = Upstream(made, every=10)
    for _ in range(5):
        upstream.request()
    assert upstream.reached == 5


def test_faults_of_the_client_are_no_refusals() -> None:
    made, now = throttle()
    for _ in range(200):
        now[0] += 0.01
        made.check()
        with pytest.raises(InvalidParameter), made.watch():
            raise InvalidParameter("yours")


def test_requests_that_never_get_to_the_work_count_for_nothing() -> None:
    made, now = throttle()
    for _ in range(500):
        now[0] += 0.001
        made.check()


def test_generosity_lets_more_through_than_was_accepted() -> None:
    assert GENEROSITY > 1
