"""The circuit breaker, with a clock of its own."""

import pytest

from services.common.breaker import Breaker


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def breaker(now: list[float]) -> Breaker:
    return Breaker(threshold=3, cool_down_s=2.0, clock=lambda: now[0])


def test_opens_after_failures_in_a_row(breaker: Breaker) -> None:
    for _ in range(2):
        breaker.failed()
    breaker.succeeded()
    for _ in range(2):
        breaker.failed()
    assert breaker.allows()
    breaker.failed()
    assert breaker.state == "open"
    assert not breaker.allows()


def test_lets_one_through_after_a_while(breaker: Breaker, now: list[float]) -> None:
    for _ in range(3):
        breaker.failed()
    now[0] = 2.5
    assert breaker.state == "half-open"
    assert breaker.allows()
    assert not breaker.allows(), "only one at a time"
    breaker.succeeded()
    assert breaker.state == "closed"


def test_failed_trial_opens_it_again(breaker: Breaker, now: list[float]) -> None:
    for _ in range(3):
        breaker.failed()
    now[0] = 2.5
    assert breaker.allows()
    breaker.failed()
    assert breaker.state == "open"
    now[0] = 5.0
    assert breaker.allows()


def test_trial_that_never_reports_does_not_block_for_ever(
    breaker: Breaker, now: list[float]
) -> None:
    for _ in range(3):
        breaker.failed()
    now[0] = 2.5
    assert breaker.allows()
    now[0] = 5.0
    assert breaker.allows()
