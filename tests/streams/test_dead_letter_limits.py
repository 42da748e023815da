"""When too many dead letters halt the worker, and what then is not done any more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.settlement import Refusal
from streams.dead_letter_limits import LEAST_SEEN, WINDOW, DeadLetterLimits, LimitReached

BROKEN = Refusal("invalid_json", "It is not JSON.")
REFUSED = Refusal("refused_by_batch", "No.", "400", attempts=1)
PLACE = ("events", 0)


def limits(
    max_ratio: float = 0.5, max_consecutive: int = 10**9
) -> tuple[DeadLetterLimits, list[LimitReached]]:
    made, reached = DeadLetterLimits(max_ratio, max_consecutive), []
    made.on_reached = reached.append
    return made, reached


def test_half_of_the_records_may_become_dead_letters_and_one_more_halts() -> None:
    asked, reached = limits()
    for _ in range(600):
        asked.mapped(PLACE, 1)
        assert asked.admits(PLACE, BROKEN)
    assert not asked.admits(PLACE, BROKEN)
    assert [each.setting for each in reached] == ["dead_letter.max_ratio"]
    assert "50%" in reached[0].detail
    assert "invalid_json" in reached[0].detail


def test_fewer_than_a_thousand_records_say_nothing() -> None:
    asked, _ = limits()
    assert all(asked.admits(PLACE, BROKEN) for _ in range(LEAST_SEEN - 1))
    assert not asked.admits(PLACE, BROKEN)


def test_only_the_last_ten_thousand_records_count() -> None:
    asked, _ = limits()
    for _ in range(1000):
        asked.mapped(PLACE, 250)
    admitted = 0
    while asked.admits(PLACE, BROKEN):
        admitted += 1
    assert WINDOW // 2 <= admitted <= WINDOW // 2 + 250


def test_a_row_of_one_partition_halts_and_records_of_others_do_not_break_it() -> None:
    asked, reached = limits(1.0, max_consecutive=100)
    for _ in range(100):
        assert asked.admits(PLACE, BROKEN)
        asked.mapped(("events", 1), 50)
    assert not asked.admits(PLACE, BROKEN)
    assert reached[0].setting == "dead_letter.max_consecutive"
    assert "events[0]" in reached[0].detail


def test_a_limit_that_is_raised_lets_through_so_many_once_the_halt_is_lifted() -> None:
    asked, _ = limits(1.0, max_consecutive=100)
    while asked.admits(PLACE, BROKEN):
        pass
    asked.max_consecutive = 150
    asked.reset()
    assert all(asked.admits(PLACE, BROKEN) for _ in range(150))
    assert not asked.admits(PLACE, BROKEN)


def test_a_record_that_passes_ends_the_row_of_its_partition() -> None:
    asked, _ = limits(1.0, max_consecutive=100)
    for _ in range(5):
        assert all(asked.admits(PLACE, BROKEN) for _ in range(100))
        asked.mapped(PLACE, 1)
        asked.mapped(PLACE, 0)


def test_what_batch_refuses_is_judged_by_what_batch_accepts_and_not_by_what_was_mapped() -> None:
    asked, _ = limits(max_consecutive=2000)
    asked.mapped(PLACE, 200_000)
    asked.accepted(700)
    assert all(asked.admits(PLACE, REFUSED) for _ in range(700))
    assert asked.runs
    assert not asked.admits(PLACE, REFUSED)


def test_what_batch_accepts_of_a_partition_ends_its_row() -> None:
    asked, _ = limits(1.0, max_consecutive=10)
    assert all(asked.admits(PLACE, REFUSED) for _ in range(10))
    asked.end_runs([("events", 1), PLACE])
    assert not asked.runs
    assert asked.admits(PLACE, REFUSED)


@pytest.mark.parametrize("reason", ["event_too_old", "blank_user_id", "junk_user_id"])
def test_what_an_old_topic_is_full_of_does_not_count(reason: str) -> None:
    asked, _ = limits(max_consecutive=10)
    assert all(asked.admits(PLACE, Refusal(reason, "")) for _ in range(20_000))


def test_copies_of_delivered_records_neither_count_nor_are_held_back() -> None:
    asked, _ = limits(max_consecutive=10)
    copy = Refusal("event_refused_by_batch", "", "202", attempts=1, delivered=True)
    assert all(asked.admits(PLACE, copy) for _ in range(2000))
    while asked.admits(PLACE, BROKEN):
        pass
    assert asked.admits(PLACE, copy)
    assert not asked.admits(PLACE, Refusal("event_too_old", ""))


def test_after_a_reset_everything_starts_anew() -> None:
    asked, reached = limits(max_consecutive=10)
    while asked.admits(PLACE, BROKEN):
        pass
    asked.reset()
    assert asked.reached is None
    assert all(asked.admits(PLACE, BROKEN) for _ in range(10))
    assert not asked.admits(PLACE, BROKEN)
    assert len(reached) == 2


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 30)), min_size=1, max_size=80))
def test_the_ratio_is_that_of_the_last_records(steps: list[tuple[int, int]]) -> None:
    asked, _ = limits(0.2)
    judged: list[bool] = []
    for passed, refused in steps:
        asked.mapped(PLACE, passed)
        judged += [False] * passed
        for _ in range(refused):
            admitted = asked.admits(PLACE, BROKEN)
            judged.append(True)
            if len(judged) < WINDOW:
                expected = len(judged) < LEAST_SEEN or sum(judged) <= 0.2 * len(judged)
                assert admitted is expected
            if not admitted:
                return
