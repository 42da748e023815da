"""What the sandbox takes as an event, and how it keeps it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest


def moment(**ago: float) -> str:
    """An RFC 3339 time so long ago."""
    return (datetime.now(UTC) - timedelta(**ago)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def nested(levels: int, innermost: Any) -> Any:
    """The value inside so many objects."""
    for level in range(levels):
        innermost = {f"level_{level}": innermost}
    return innermost


ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("a name alone", {"name": "opened"}),
    ("a name of 30 characters", {"name": "a" * 30}),
    ("no attributes", {"name": "opened", "attributes": {}}),
    (
        "scalars",
        {
            "name": "bought",
            "attributes": {"a": "x", "b": 1, "c": 2.5, "d": True, "url(e)": "https://example.com"},
        },
    ),
    ("date", {"name": "bought", "attributes": {"date(day)": "1989-07-20T00:00:00Z"}}),
    (
        "object",
        {"name": "bought", "attributes": {"address": {"city": "Paris", "url(map)": "https://example.com"}}},
    ),
    ("array of objects", {"name": "bought", "attributes": {"items": [{"sku": "a"}, {"sku": "b", "n": 2}]}}),
    ("array of strings", {"name": "bought", "attributes": {"tags": ["a", "b"]}}),
    ("three levels of objects", {"name": "bought", "attributes": nested(3, {"a": "x"})}),
    ("label and tags", {"name": "bought", "attributes": {"$label": "x" * 200, "$tags": ["t" * 64] * 10}}),
    (
        "20 attributes and a label",
        {"name": "bought", "attributes": {"$label": "x", **{f"a{n}": n for n in range(20)}}},
    ),
]

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no name", {"attributes": {"a": 1}}, "has no name"),
    ("a name with a space", {"name": "Order Completed"}, "name is not valid"),
    ("a name of 31 characters", {"name": "a" * 31}, "name is not valid"),
    ("a name that is a number", {"name": 5}, "name is not valid"),
    ("a time that is none", {"name": "bought", "time": "now"}, "time is not valid"),
    ("a null time", {"name": "bought", "time": None}, "time is not valid"),
    ("null attributes", {"name": "bought", "attributes": None}, "must be an object"),
    ("null", {"name": "bought", "attributes": {"a": None}}, "attribute a: null is no value"),
    ("a bad attribute name", {"name": "bought", "attributes": {"A-b": 1}}, "a name has"),
    ("a long string", {"name": "bought", "attributes": {"a": "x" * 301}}, "at most 300"),
    ("an empty string", {"name": "bought", "attributes": {"a": ""}}, "must not be empty"),
    ("a bad URL", {"name": "bought", "attributes": {"url(a)": "nowhere"}}, "scheme and a host"),
    ("an object as a date", {"name": "bought", "attributes": {"date(a)": {"b": 1}}}, "only a string"),
    ("four levels of objects", {"name": "bought", "attributes": nested(4, {"a": "x"})}, "nested at most 3"),
    (
        "an array too deep",
        {"name": "bought", "attributes": nested(3, {"a": ["x"]})},
        "arrays are nested at most 3",
    ),
    ("an empty array", {"name": "bought", "attributes": {"a": []}}, "1 to 25 items"),
    ("26 items", {"name": "bought", "attributes": {"a": [{"b": 1}] * 26}}, "1 to 25 items"),
    (
        "an array in an array",
        {"name": "bought", "attributes": {"a": [["b"]]}},
        "strings only, or objects only",
    ),
    (
        "strings and objects",
        {"name": "bought", "attributes": {"a": ["b", {"c": 1}]}},
        "strings only, or objects only",
    ),
    ("an array of numbers", {"name": "bought", "attributes": {"a": [1, 2]}}, "strings only"),
    (
        "a bad object in an array",
        {"name": "bought", "attributes": {"a": [{"b": None}]}},
        "object of the array",
    ),
    (
        "21 attributes",
        {"name": "bought", "attributes": {f"a{n}": n for n in range(21)}},
        "at most 20 attributes",
    ),
    (
        "21 in an object",
        {"name": "bought", "attributes": {"o": {f"a{n}": n for n in range(21)}}},
        "at most 20",
    ),
    ("a long label", {"name": "bought", "attributes": {"$label": "x" * 201}}, "$label must be"),
    ("11 tags", {"name": "bought", "attributes": {"$tags": ["t"] * 11}}, "$tags must be"),
    ("a long tag", {"name": "bought", "attributes": {"$tags": ["t" * 65]}}, "$tags must be"),
    ("a label in an object", {"name": "bought", "attributes": {"o": {"$label": "x"}}}, "belong to the event"),
    (
        "over 25 kB",
        {"name": "bought", "attributes": {f"a{n}": ["x" * 300] * 25 for n in range(4)}},
        "at most 25,000 bytes",
    ),
]


@pytest.mark.parametrize("event", [case[1] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
async def test_a_valid_event_is_kept_as_posted(client: Any, update: Any, event: dict[str, Any]) -> None:
    reply = await client.update(update(events=[event]))

    assert (reply.status, reply.json) == (202, {"code": "SUCCESS"})
    (kept,) = (await client.get("/_sandbox/profiles/u1")).json["events"]
    assert kept.pop("received_at").endswith("Z")
    assert kept == event


@pytest.mark.parametrize(
    ("event", "reason"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
async def test_an_invalid_event_alone_is_refused(
    client: Any, update: Any, event: dict[str, Any], reason: str
) -> None:
    reply = await client.update(
        update("u1"), update("u2", attributes={"a": 1}, events=[{"name": "before"}, event, {"name": "after"}])
    )

    assert reply.status == 202
    (error,) = reply.json["errors"]
    assert reason in error["reason"]
    assert error == {"category": "event", "bulk_index": 1, "reason": error["reason"]}
    kept = (await client.get("/_sandbox/profiles/u2")).json
    assert [kept_event["name"] for kept_event in kept["events"]] == ["before", "after"]
    assert kept["attributes"] == {"a": 1}


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        (moment(hours=23, minutes=50), None),
        (moment(seconds=1), None),
        (moment(hours=24, minutes=1), "only the last 24 hours"),
        (moment(days=400), "only the last 24 hours"),
        (moment(hours=-1), "in the future"),
    ],
    ids=["nearly a day old", "a second old", "a day old", "a year old", "in the future"],
)
async def test_only_the_last_day_is_taken(client: Any, update: Any, time: str, reason: str | None) -> None:
    reply = await client.update(update(events=[{"name": "bought", "time": time}]))

    kept = (await client.get("/_sandbox/profiles/u1")).json["events"]
    if reason is None:
        assert reply.json == {"code": "SUCCESS"}
        assert [event["time"] for event in kept] == [time]
    else:
        assert reason in reply.json["errors"][0]["reason"]
        assert kept == []


async def test_the_window_can_be_set(start: Any, update: Any) -> None:
    client = await start(event_max_age_s=3600, event_skew_s=60)
    reply = await client.update(
        update(
            events=[{"name": "old", "time": moment(hours=2)}, {"name": "soon", "time": moment(seconds=-30)}]
        )
    )

    assert len(reply.json["errors"]) == 1
    assert [event["name"] for event in (await client.get("/_sandbox/profiles/u1")).json["events"]] == ["soon"]


async def test_events_are_never_deduplicated_and_keep_their_order(client: Any, update: Any) -> None:
    for names in (["a", "b"], ["b", "a"], ["a"]):
        await client.update(update(events=[{"name": name} for name in names]))

    events = (await client.get("/_sandbox/profiles/u1")).json["events"]
    assert [event["name"] for event in events] == ["a", "b", "b", "a", "a"]
    assert (await client.stats())["events"] == 5


async def test_fifteen_events_are_the_most(start: Any, update: Any) -> None:
    strict, lenient = await start(), await start(too_many_events="partial_error")
    events = [{"name": f"e{n}"} for n in range(17)]

    assert (await strict.update(update(events=events[:15]))).json == {"code": "SUCCESS"}
    refused = await strict.update(update("u2", events=events))
    assert refused.status == 400
    assert "at most 15 events; this one has 17" in refused.reason
    assert (await strict.get("/_sandbox/profiles/u2")).status == 404

    partial = await lenient.update(update(events=events))
    assert [error["bulk_index"] for error in partial.json["errors"]] == [0, 0]
    assert len((await lenient.get("/_sandbox/profiles/u1")).json["events"]) == 15


async def test_several_errors_may_share_an_update(client: Any, update: Any) -> None:
    reply = await client.update(
        update(attributes={"Bad": 1, "a": ""}, events=[{"name": "No"}, {"name": "No"}])
    )

    errors = [(error["category"], error["bulk_index"]) for error in reply.json["errors"]]
    assert errors == [("attribute", 0), ("attribute", 0), ("event", 0), ("event", 0)]
    assert (await client.stats())["partial_errors"] == 4
