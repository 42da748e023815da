"""Events that come twice are skipped, while it is known that the first one was or will be accepted."""

from __future__ import annotations

import pytest

from streams.ledger import Ledger
from streams.repeats import RepeatWindow


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def window(clock: Clock, max_ids: int = 100, ttl_s: float = 60.0) -> RepeatWindow:
    made = RepeatWindow(max_ids, ttl_s, clock)
    made.begin()
    return made


def test_an_id_is_a_repeat_the_second_time(clock: Clock) -> None:
    repeats, ledger = window(clock), Ledger("events", 0, 0)
    assert [repeats.is_repeat(each, ledger) for each in "abab"] == [False, False, True, True]


def test_an_id_of_another_partition_is_a_repeat_too_until_that_one_is_given_up(clock: Clock) -> None:
    repeats, first, second = window(clock), Ledger("events", 0, 0), Ledger("events", 1, 0)
    assert not repeats.is_repeat("a", first)
    assert repeats.is_repeat("a", second)
    first.forgotten = True
    assert not repeats.is_repeat("a", second)
    assert repeats.is_repeat("a", second)


def test_ids_are_forgotten_after_their_time(clock: Clock) -> None:
    repeats, ledger = window(clock, ttl_s=60), Ledger("events", 0, 0)
    repeats.is_repeat("a", ledger)
    for _ in range(5):
        clock.now += 10
        repeats.begin()
    assert repeats.is_repeat("a", ledger)
    clock.now += 11
    repeats.begin()
    assert not repeats.is_repeat("a", ledger)


def test_so_many_ids_are_remembered_and_at_most_a_quarter_more(clock: Clock) -> None:
    repeats, ledger = window(clock, max_ids=50), Ledger("events", 0, 0)
    for number in range(500):
        repeats.begin()
        repeats.is_repeat(str(number), ledger)
    repeats.begin()
    assert 50 <= len(repeats) <= 50 * 5 / 4
    assert all(repeats.is_repeat(str(number), ledger) for number in range(450, 500))
    assert not repeats.is_repeat("437", ledger)


def test_each_id_is_remembered_for_its_whole_time_and_a_sixteenth_more_at_most(clock: Clock) -> None:
    repeats, ledger = window(clock, max_ids=10_000, ttl_s=64), Ledger("events", 0, 0)
    for number in range(300):
        repeats.begin()
        assert all(repeats.is_repeat(str(known), ledger) for known in range(max(0, number - 63), number))
        repeats.is_repeat(str(number), ledger)
        assert len(repeats) <= 64 + 4
        clock.now += 1


def test_what_was_not_accepted_is_no_repeat(clock: Clock) -> None:
    repeats, ledger = window(clock), Ledger("events", 0, 0)
    repeats.is_repeat("a", ledger)
    repeats.forget("a")
    assert not repeats.is_repeat("a", ledger)


def test_nothing_is_remembered_when_it_is_off(clock: Clock) -> None:
    repeats, ledger = window(clock, max_ids=0), Ledger("events", 0, 0)
    assert not any(repeats.is_repeat("a", ledger) for _ in range(3))
    assert len(repeats) == 0
