"""The fold of expectations into profiles and counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from streams.demo.expected import ExpectedState, bare_name, fold
from streams.demo.records import Produced, accepted, dead_lettered, skipped
from streams.demo.traffic import generate


def attributes_after(*deliveries: dict[str, Any]) -> dict[str, Any]:
    state = fold(accepted("u", delivery) for delivery in deliveries)
    attributes: dict[str, Any] = state.profiles["u"]["attributes"]
    return attributes


def event(name: str) -> dict[str, Any]:
    return {"name": name, "time": "2026-03-02T09:14:07.512Z", "attributes": {}}


@pytest.mark.parametrize(
    ("deliveries", "attributes"),
    [
        ([{"plan": "free"}, {"plan": "premium"}], {"plan": "premium"}),
        ([{"plan": "free"}, {"logins": 5}], {"plan": "free", "logins": 5}),
        ([{"plan": "free"}, {"plan": None}], {}),
        ([{"plan": None}, {"plan": "free"}], {"plan": "free"}),
        ([{"date(x)": "2026-01-01T00:00:00Z"}, {"x": "soon"}], {"x": "soon"}),
        ([{"x": "soon"}, {"url(x)": "https://example.com"}], {"url(x)": "https://example.com"}),
        ([{"url(x)": "https://example.com"}, {"x": None}], {}),
        ([{"date(x)": "2026-01-01T00:00:00Z"}, {"date(y)": "2026-01-01T00:00:00Z", "x": None}],
         {"date(y)": "2026-01-01T00:00:00Z"}),
        ([{"vip": True}, {"vip": False}], {"vip": False}),
        ([{"$language": "fr", "$region": "FR"}, {"$language": "de"}], {"$language": "de", "$region": "FR"}),
    ],
)  # fmt: skip
def test_the_last_value_and_form_wins_and_null_deletes(
    deliveries: list[dict[str, Any]], attributes: dict[str, Any]
) -> None:
    assert attributes_after(*deliveries) == attributes


def test_only_date_and_url_are_wrappers() -> None:
    names = [bare_name(key) for key in ("date(x)", "url(x)", "x", "$x", "other(x)", "date(x", "(x)")]
    assert names == ["x", "x", "x", "$x", "other(x)", "date(x", "(x)"]


def test_events_keep_the_order_of_delivery() -> None:
    state = fold(
        [accepted("u", {}, [event("a"), event("b")]), accepted("v", {}), accepted("u", {}, [event("a")])]
    )
    assert [one["name"] for one in state.profiles["u"]["events"]] == ["a", "b", "a"]


def test_a_profile_exists_only_if_something_was_delivered_to_it() -> None:
    state = fold([skipped("no_user_id"), dead_lettered("invalid_json"), accepted("u", {"plan": None})])
    assert state.profiles == {"u": {"attributes": {}, "events": []}}


def test_records_are_counted_by_outcome_and_reason() -> None:
    state = ExpectedState()
    for expectation in [
        accepted("u", {}),
        skipped("tombstone"),
        skipped("no_user_id"),
        skipped("tombstone"),
        dead_lettered("invalid_json"),
    ]:
        state.add(Produced(None, None, expectation))
    assert state.outcomes == {"accepted": 1, "skipped": 3, "dead_lettered": 1}
    assert state.counts == {
        "accepted": 1,
        "skipped": {"no_user_id": 1, "tombstone": 2},
        "dead_lettered": {"invalid_json": 1},
    }


@pytest.mark.parametrize("cut", [0, 1, 700, 2000])
def test_merging_two_stretches_is_the_fold_of_both(cut: int) -> None:
    now = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    records = list(generate(2000, users=30, seed=5, now=now, bad_share=0.1))
    whole = fold(record.expectation for record in records)
    state = fold(record.expectation for record in records[:cut])
    state.merge(fold(record.expectation for record in records[cut:]))
    assert state.profiles == whole.profiles
    assert state.counts == whole.counts


def test_merging_leaves_the_later_stretch_as_it_was() -> None:
    first, later = (
        fold([accepted("u", {"a": 1}, [event("a")])]),
        fold([accepted("u", {"a": None}, [event("b")])]),
    )
    first.merge(later)
    first.expect(accepted("u", {"b": 2}, [event("c")]))
    assert later.profiles == {"u": {"attributes": {}, "events": [event("b")]}}
    assert first.profiles["u"]["attributes"] == {"b": 2}
