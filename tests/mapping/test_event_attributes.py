"""The event of a track, as Batch gets it."""

import tracemalloc
from typing import Any

import pytest

from mapping.profile import Rejected, Skipped
from tests.mapping.builders import (
    TIMESTAMP,
    TIMESTAMP_MS,
    mapped,
    posted_attributes,
    posted_event,
    problems_of,
    track,
    update_of,
)


def test_an_event_has_name_time_and_attributes() -> None:
    event = track({"Total Price": 9.5, "currency": "EUR"})
    assert posted_event(event) == {
        "name": "order_completed",
        "time": TIMESTAMP,
        "attributes": {"totalprice": 9.5, "currency": "EUR"},
    }
    (sent,) = update_of(event).events
    assert (sent.name, sent.time_ms) == ("order_completed", TIMESTAMP_MS)


def test_events_that_wait_take_hardly_more_memory_than_they_are_long() -> None:
    tracemalloc.start()
    try:
        waiting = [update_of(track({"text": "a" * 300})).events[0] for _ in range(100)]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 2 * sum(len(event.body) for event in waiting)


@pytest.mark.parametrize("properties", [None, {}, {"a": None}])
def test_an_event_without_attributes_has_none(properties: Any) -> None:
    assert posted_event(track(properties)) == {"name": "order_completed", "time": TIMESTAMP}
    assert problems_of(track(properties)) == []


def test_values_of_all_types() -> None:
    properties = {
        "text": "a",
        "whole": 450.0,
        "part": 9.5,
        "yes": True,
        "seenAt": "2026-01-01T00:00:00Z",
        "page": "https://example.com/",
        "tags": ["a", "https://example.com/"],
        "address": {"City": "Paris", "since": "2026-01-01T00:00:00Z", "gone": None},
        "products": [{"Name": "Cup", "image": "https://example.com/cup.png", "price": 5.0}],
    }
    assert posted_attributes(properties) == {
        "text": "a",
        "whole": 450,
        "part": 9.5,
        "yes": True,
        "date(seenat)": "2026-01-01T00:00:00Z",
        "url(page)": "https://example.com/",
        "tags": ["a", "https://example.com/"],
        "address": {"city": "Paris", "date(since)": "2026-01-01T00:00:00Z"},
        "products": [{"name": "Cup", "url(image)": "https://example.com/cup.png", "price": 5}],
    }
    assert problems_of(track(properties)) == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "string_empty"),
        ("x" * 301, "string_too_long"),
        ("https://example.com/" + "x" * 2029, "url_too_long"),
        (2**63, "integer_out_of_range"),
        ([], "array_empty"),
        ([1, 2], "array_not_supported"),
        (["a", None], "array_not_supported"),
        (["a", {"b": 1}], "array_not_supported"),
        ([["a"]], "array_not_supported"),
        ({}, "object_empty"),
        ({"a": None}, "object_empty"),
        ([{}], "array_empty"),
    ],
)
def test_values_that_cost_their_field_only(value: Any, reason: str) -> None:
    event = track({"field": value, "a": 1})
    assert posted_event(event)["attributes"] == {"a": 1}
    assert problems_of(event) == [("properties.field", reason)]


def test_of_too_many_attributes_the_first_are_kept_and_the_rest_reported() -> None:
    properties = {"none": None, "bad": ""} | {f"p{number}": number for number in range(22)}
    assert posted_attributes(properties) == {f"p{number}": number for number in range(20)}
    assert problems_of(track(properties))[1:] == [
        ("properties.p20", "event_too_many_attributes"),
        ("properties.p21", "event_too_many_attributes"),
    ]
    assert len(posted_attributes(properties, event_attribute_limit=15)) == 15


def test_the_limit_of_attributes_holds_inside_objects() -> None:
    members = {f"p{number}": number for number in range(21)}
    properties = {"one": members, "many": [members]}
    attributes = posted_attributes(properties)
    assert len(attributes["one"]) == len(attributes["many"][0]) == 20
    assert problems_of(track(properties)) == [
        ("properties.one.p20", "event_too_many_attributes"),
        ("properties.many.p20", "event_too_many_attributes"),
    ]


def test_a_collision_at_the_limit_still_replaces() -> None:
    properties = {f"p{number}": number for number in range(20)} | {"P0": "last"}
    assert posted_attributes(properties)["p0"] == "last"
    assert problems_of(track(properties)) == [("properties.P0", "name_collision")]


def test_a_collision_between_types_leaves_the_last_form_only() -> None:
    properties = {
        "Seen": "2026-01-01T00:00:00Z",
        "seen": "never",
        "page": "home",
        "Page": "https://example.com",
    }
    assert posted_attributes(properties) == {"seen": "never", "url(page)": "https://example.com"}


def test_of_too_many_items_the_first_are_kept() -> None:
    properties = {"tags": [str(number) for number in range(30)], "rows": [{"n": n} for n in range(30)]}
    attributes = posted_attributes(properties)
    assert attributes["tags"] == properties["tags"][:25]
    assert attributes["rows"] == properties["rows"][:25]
    assert problems_of(track(properties)) == [
        ("properties.tags", "array_too_long"),
        ("properties.rows", "array_too_long"),
    ]


def test_a_bad_item_or_member_is_left_out_alone() -> None:
    properties = {"tags": ["a", "", "b"], "rows": [{"a": 1, "b": ""}, {"b": ""}], "all": [""]}
    assert posted_attributes(properties) == {"tags": ["a", "b"], "rows": [{"a": 1}]}
    assert problems_of(track(properties)) == [
        ("properties.tags", "string_empty"),
        ("properties.rows.b", "string_empty"),
        ("properties.rows.b", "string_empty"),
        ("properties.all", "string_empty"),
        ("properties.all", "array_empty"),
    ]


def test_objects_and_arrays_stand_at_most_three_names_deep() -> None:
    properties = {"a": {"b": {"c": {"d": 1, "e": {"f": 1}, "g": ["x"]}}}}
    assert posted_attributes(properties) == {"a": {"b": {"c": {"d": 1}}}}
    assert problems_of(track(properties)) == [
        ("properties.a.b.c.e", "nesting_too_deep"),
        ("properties.a.b.c.g", "nesting_too_deep"),
    ]
    rows = {"a": [{"b": [{"c": [{"d": 1, "e": ["x"]}]}]}]}
    assert posted_attributes(rows) == {"a": [{"b": [{"c": [{"d": 1}]}]}]}


def test_label_and_tags_pass_and_do_not_count() -> None:
    properties = {f"p{number}": number for number in range(20)} | {"$label": "x" * 200, "$tags": ["a"] * 10}
    attributes = posted_attributes(properties)
    assert attributes["$label"] == "x" * 200
    assert attributes["$tags"] == ["a"] * 10
    assert len(attributes) == 22


@pytest.mark.parametrize("label", ["", " ", "x" * 201, 5, ["a"], {"a": 1}])
def test_a_bad_label_costs_itself(label: Any) -> None:
    event = track({"$label": label, "a": 1})
    assert posted_event(event)["attributes"] == {"a": 1}
    assert problems_of(event) == [("properties.$label", "invalid_label")]


@pytest.mark.parametrize("tags", [[], [""], ["x" * 65], ["a", 1], "a", {"a": 1}])
def test_bad_tags_cost_themselves(tags: Any) -> None:
    event = track({"$tags": tags, "a": 1})
    assert posted_event(event)["attributes"] == {"a": 1}
    assert problems_of(event) == [("properties.$tags", "invalid_tags")]


def test_of_too_many_tags_the_first_are_kept() -> None:
    event = track({"$tags": [str(number) for number in range(11)]})
    assert posted_event(event)["attributes"]["$tags"] == [str(number) for number in range(10)]
    assert problems_of(event) == [("properties.$tags", "array_too_long")]


def test_label_and_tags_are_ordinary_names_inside_objects_and_null_is_nothing() -> None:
    assert posted_attributes({"o": {"$label": "a"}, "$label": None, "$tags": None}) == {"o": {"label": "a"}}


@pytest.mark.parametrize(("name", "sent"), [(123, "123"), (450.0, "450"), (True, "true"), (False, "false")])
def test_a_number_or_boolean_names_an_event_with_its_text(name: Any, sent: str) -> None:
    assert posted_event(track(event=name))["name"] == sent


@pytest.mark.parametrize("name", ["", None, ["Order"], {}])
def test_a_track_without_a_name_has_no_event(name: Any) -> None:
    assert mapped(track({"a": 1}, event=name)) == Skipped(
        "nothing_to_send", (("event", "missing_event_name"),)
    )


def test_a_track_without_a_name_still_brings_its_natives() -> None:
    update = update_of(track(event=None, context={"traits": {"email": "a@b.co"}}))
    assert update.attributes == {"$email_address": "a@b.co"}
    assert update.events == ()
    assert update.problems == (("event", "missing_event_name"),)


def test_an_event_name_of_nothing_in_snake_names_costs_the_event() -> None:
    result = mapped(track(event="日本"), naming="snake")
    assert result == Skipped("nothing_to_send", (("event", "name_empty"),))


def big(count: int) -> dict[str, Any]:
    return {"rows": [{f"p{number}": "x" * 300 for number in range(20)}] * count}


def test_an_event_over_25_kb_is_left_out_and_the_attributes_still_go() -> None:
    assert update_of(track(big(4))).problems == ()
    update = update_of(track(big(5), context={"locale": "fr"}))
    assert update.attributes == {"$language": "fr"}
    assert update.events == ()
    assert update.problems == (("event", "event_too_large"),)


def test_an_event_over_25_kb_alone_is_rejected() -> None:
    result = mapped(track(big(5)))
    assert isinstance(result, Rejected)
    assert result.reason == "event_too_large"
