"""The comparison of the fold with what the sandbox shows: it finds planted differences and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from streams.demo.comparison import compare, examine
from streams.demo.expected import ExpectedState, fold
from streams.demo.records import accepted
from streams.demo.traffic import generate

Lines = list[dict[str, Any]]


def event(name: str, time: str = "2026-03-02T09:14:07.512Z", **attributes: Any) -> dict[str, Any]:
    return {"name": name, "time": time, "attributes": attributes}


EXPECTED = fold(
    [
        accepted("lea", {"plan": "premium", "logins": 1, "date(birthday)": "1989-07-20T00:00:00Z"}),
        accepted("lea", {}, [event("viewed", price=450), event("added", tags=["a", "b"]), event("ordered")]),
        accepted("sam", {"vip": True}),
    ]
)


def lines(state: ExpectedState) -> Lines:
    """What the sandbox shows if all is right; it may add keys of its own."""
    return [
        {
            "custom_id": custom_id,
            "attributes": dict(profile["attributes"]),
            "events": [{**copy.deepcopy(one), "received_at": 12.5} for one in profile["events"]],
        }
        for custom_id, profile in reversed(state.profiles.items())
    ]


def differences(damage: Callable[[dict[str, Any]], Any], **options: Any) -> list[str]:
    """The differences after damaging Lea's profile."""
    actual = lines(EXPECTED)
    damage(next(line for line in actual if line["custom_id"] == "lea"))
    return compare(EXPECTED, actual, **options)


def test_equal_profiles_have_no_differences_whatever_the_order_of_profiles_and_keys() -> None:
    assert compare(EXPECTED, lines(EXPECTED)) == []
    assert differences(lambda lea: lea.update(attributes=dict(reversed(lea["attributes"].items())))) == []


def test_a_large_generated_state_equals_itself() -> None:
    now = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    state = fold(record.expectation for record in generate(3000, users=100, seed=4, now=now))
    assert compare(state, lines(state)) == []


def test_events_without_attributes_may_be_shown_without_the_key() -> None:
    assert differences(lambda lea: lea["events"][2].pop("attributes")) == []


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"plan": "free"}, "attribute plan is 'free', expected 'premium'"),
        ({"logins": True}, "attribute logins is True, expected 1"),
        ({"logins": 1.0}, "attribute logins is 1.0, expected 1"),
        ({"extra": "x"}, "attribute extra is 'x', expected none"),
        ({"gone": None}, "attribute gone is None, expected none"),
    ],
)
def test_a_wrong_attribute(change: dict[str, Any], difference: str) -> None:
    assert differences(lambda lea: lea["attributes"].update(change)) == [f"profile lea: {difference}"]


def test_a_missing_attribute_and_one_in_another_form() -> None:
    assert differences(lambda lea: lea["attributes"].pop("plan")) == [
        "profile lea: attribute plan is missing, expected 'premium'"
    ]
    other_form = differences(
        lambda lea: lea["attributes"].update(birthday=lea["attributes"].pop("date(birthday)"))
    )
    assert other_form == [
        "profile lea: attribute birthday is '1989-07-20T00:00:00Z', expected none",
        "profile lea: attribute date(birthday) is missing, expected '1989-07-20T00:00:00Z'",
    ]


TIME = "2026-03-02T09:14:07.512Z"


@pytest.mark.parametrize(
    ("damage", "difference"),
    [
        (lambda events: events.pop(1), f"event added of {TIME} is missing"),
        (lambda events: events.append(event("new")), f"event new of {TIME} is not expected"),
        (lambda events: events.insert(1, events[0]), f"event viewed of {TIME} came more often than expected"),
        (lambda events: events.reverse(), "the 3 events are not in the expected order"),
        (
            lambda events: events[0]["attributes"].update(price=450.0),
            f"event viewed of {TIME}: attribute price is 450.0, expected 450",
        ),
        (
            lambda events: events[1]["attributes"].update(tags=["b", "a"]),
            f"event added of {TIME}: attribute tags is ['b', 'a'], expected ['a', 'b']",
        ),
        (
            lambda events: events[2].update(time="2026-03-02T09:14:07.513Z"),
            f"event ordered has time 2026-03-02T09:14:07.513Z, expected {TIME}",
        ),
        (lambda events: events[2].pop("time"), f"event ordered has time None, expected {TIME}"),
    ],
)
def test_a_wrong_event(damage: Callable[[list[dict[str, Any]]], Any], difference: str) -> None:
    assert differences(lambda lea: damage(lea["events"])) == [f"profile lea: {difference}"]


def test_a_renamed_event_is_one_missing_and_one_not_expected() -> None:
    found = differences(lambda lea: lea["events"][0].update(name="seen"))
    assert found == [
        f"profile lea: event viewed of {TIME} is missing",
        f"profile lea: event seen of {TIME} is not expected",
    ]


def test_a_wrong_order_is_told_beside_a_missing_event() -> None:
    found = differences(lambda lea: lea.update(events=[lea["events"][2], lea["events"][0]]))
    assert found == [
        f"profile lea: event added of {TIME} is missing",
        "profile lea: the 2 events are not in the expected order",
    ]


def test_an_event_sent_without_time_may_have_any() -> None:
    state = fold([accepted("u", {}, [{"name": "a", "attributes": {}}])])
    assert compare(state, [{"custom_id": "u", "attributes": {}, "events": [event("a")]}]) == []


def test_missing_unexpected_and_doubled_profiles() -> None:
    actual = lines(EXPECTED)
    actual[0] = actual[0] | {"custom_id": "tom"}
    assert compare(EXPECTED, actual) == ["profile tom is not expected", "profile sam is missing"]
    doubled = [*lines(EXPECTED), lines(EXPECTED)[0]]
    assert compare(EXPECTED, doubled) == ["profile sam is listed twice"]


def test_many_differences_are_cut_short_and_counted() -> None:
    state = fold(accepted(f"user-{number}", {"plan": "free"}) for number in range(30))
    found = compare(state, [], shown=3)
    assert found == [*(f"profile user-{number} is missing" for number in range(3)), "and 27 more"]
    assert len(compare(state, [], shown=30)) == 30


RUN = ["a", "b", "c", "d"]


def repeated(names: str) -> tuple[list[str], int]:
    """Differences and repeats if `a b c d` are expected and these came."""
    state = fold([accepted("u", {}, [event(name) for name in RUN])])
    actual = [{"custom_id": "u", "attributes": {}, "events": [event(name) for name in names.split()]}]
    found = examine(state, actual, allow_repeats=True)
    return found.differences, found.repeats


@pytest.mark.parametrize(
    ("names", "repeats"),
    [
        ("a b c d", 0),
        ("a b a b c d", 2),
        ("a b c b c d", 2),
        ("a b c d a b c d", 4),
        ("a b c d d", 1),
        ("a a b a b c b c d d", 6),
    ],
)
def test_runs_that_start_again_from_an_earlier_event_are_repeats(names: str, repeats: int) -> None:
    assert repeated(names) == ([], repeats)


@pytest.mark.parametrize(
    ("names", "difference"),
    [
        ("a b c", f"event d of {TIME} is missing"),
        ("a c d", f"event b of {TIME} is missing"),
        ("a c b d", "the 4 events are not in the expected order"),
        ("a b c a d", "the 5 events are not in the expected order"),
        ("a b c d a", "the 5 events are not in the expected order"),
        ("a b c d x", f"event x of {TIME} is not expected"),
    ],
)
def test_anything_else_is_a_difference_also_when_repeats_are_allowed(names: str, difference: str) -> None:
    assert repeated(names)[0] == [f"profile u: {difference}"]


def test_equal_events_are_no_obstacle_to_recognising_repeats() -> None:
    state = fold([accepted("u", {}, [event(name) for name in "aabaac"])])
    came = [{"custom_id": "u", "attributes": {}, "events": [event(name) for name in "aabaabaaaac"]}]
    assert examine(state, came, allow_repeats=True) == ([], 5)
    assert compare(state, came) != []
