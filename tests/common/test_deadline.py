"""Deadlines travel as remaining milliseconds."""

import pytest

from services.common.deadline import Deadline
from services.common.errors import DeadlinePassed, InvalidParameter


def test_the_shorter_of_both_wins() -> None:
    assert Deadline.from_header(None, 5000).remaining() == pytest.approx(5, abs=0.5)
    assert Deadline.from_header("1000", 5000).remaining() == pytest.approx(1, abs=0.5)
    assert Deadline.from_header("999999", 5000).remaining() == pytest.approx(5, abs=0.5)


@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "x", "٣", "9" * 10, " 5"])
def test_nonsense_is_refused(value: str) -> None:
    with pytest.raises(InvalidParameter):
        Deadline.from_header(value, 5000)


def test_passed() -> None:
    gone = Deadline.after(-1)
    assert gone.passed()
    assert gone.to_header() == "1"
    with pytest.raises(DeadlinePassed):
        gone.check()


def test_share_leaves_time_for_the_rest() -> None:
    assert Deadline.after(10).share(0.7).remaining() == pytest.approx(7, abs=0.5)
