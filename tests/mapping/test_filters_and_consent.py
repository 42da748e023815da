"""Destination filters and consent."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from mapping.filters import compile_filters, in_order, place_in_sample
from mapping.profile import ProfileUpdate, Skipped
from tests.mapping.builders import identify, track
from tests.mapping.mapping_sets import events_of, filter_of, mapping_of, result_of

EVERYTHING = mapping_of(
    trigger='type != ""',
    eventName="e",
    eventAttributes={"@path": "$.properties"},
    profileAttributes={"@path": "$.traits"},
)


def filtered(event: dict[str, Any], *filters: Any) -> dict[str, Any] | None:
    """The event as it goes on; None if it was dropped."""
    event = orjson.loads(orjson.dumps(event))
    return None if compile_filters(filters)(event) is not None else event


def test_a_drop_takes_the_events_of_its_condition() -> None:
    drop = filter_of('event = "Order Completed"', "drop")
    assert filtered(track(), drop) is None
    assert filtered(track(event="Other"), drop) == track(event="Other")
    assert result_of(track(), EVERYTHING, filters=[drop]) == Skipped("filtered_by_filter")


def test_blocked_fields_are_gone_in_every_item_of_arrays_before_triggers_and_mappings() -> None:
    block = filter_of(
        'type = "track"', "block_fields", fields=("properties.products.price", "properties.card")
    )
    event = track({"card": "4111", "total": 1, "products": [{"price": 1, "sku": "a"}, "x", {"price": 2}]})
    assert filtered(event, block) == track({"total": 1, "products": [{"sku": "a"}, "x", {}]})
    seen = mapping_of(trigger='properties.card = "4111"')
    assert result_of(event, seen, filters=[block]) == Skipped("no_matching_mapping")


def test_of_two_blocked_paths_the_shorter_covers_the_longer() -> None:
    for fields in (("traits", "traits.a.b"), ("traits.a.b", "traits")):
        assert "traits" not in (
            filtered(identify({"a": {"b": 1}}), filter_of('type = "identify"', "block_fields", fields=fields))
            or {}
        )


def test_allowed_fields_are_all_that_stays_of_the_objects_they_name() -> None:
    allow = filter_of(
        'type = "track"',
        "allow_fields",
        fields=("properties.sku", "properties.items.id", "properties.deep.a.b"),
    )
    properties = {
        "sku": {"any": 1},
        "card": "4111",
        "items": [{"id": 1, "card": "4111"}, "4111", [{"id": 2}]],
        "deep": "4111",
    }
    event = track(properties, context={"ip": "10.0.0.1"})
    kept = {"sku": {"any": 1}, "items": [{"id": 1}]}
    assert filtered(event, allow) == track(kept, context={"ip": "10.0.0.1"})


def test_a_field_is_blocked_even_if_another_filter_allows_it() -> None:
    block = filter_of('type = "track"', "block_fields", fields=("properties.a",))
    allow = filter_of('type = "track"', "allow_fields", fields=("properties.a", "properties.b"))
    assert filtered(track({"a": 1, "b": 2, "c": 3}), allow, block) == track({"b": 2})


def test_filters_are_applied_in_the_order_of_segment_whatever_theirs() -> None:
    given = [
        filter_of('type = "track"', action) for action in ("allow_fields", "block_fields", "drop", "sample")
    ]
    assert [each.action for each in in_order(given)] == ["sample", "drop", "block_fields", "allow_fields"]


def test_a_sample_keeps_about_its_share_of_users_and_all_events_of_each() -> None:
    sample = filter_of('type = "track"', "sample", share=0.2)
    users = [f"user-{number}" for number in range(5_000)]
    kept = {user for user in users if filtered(track(userId=user), sample) is not None}
    assert 800 < len(kept) < 1_200
    for user in users[:200]:
        later = track({"more": 1}, userId=user, messageId=f"m-{user}", anonymousId="a", event="Other")
        assert (filtered(later, sample) is not None) == (user in kept)
    assert filtered(identify(userId=users[0]), sample) is not None


@pytest.mark.parametrize(("share", "kept"), [(0.0, 0), (1.0, 300)])
def test_a_sample_of_none_and_of_all(share: float, kept: int) -> None:
    sample = filter_of('type = "track"', "sample", share=share)
    assert sum(filtered(track(userId=f"u{n}"), sample) is not None for n in range(300)) == kept


def test_a_sample_goes_by_the_anonymous_id_where_there_is_no_user_id_and_a_number_is_its_text() -> None:
    by_user = place_in_sample({"userId": "a", "anonymousId": "b"})
    assert by_user == place_in_sample({"userId": "a", "anonymousId": "c"})
    assert place_in_sample({"userId": None, "anonymousId": "a"}) == by_user
    assert place_in_sample({"userId": "", "messageId": "a"}) == by_user
    assert (
        place_in_sample({"userId": 7}) == place_in_sample({"userId": "7"}) == place_in_sample({"userId": 7.0})
    )
    assert 0 <= place_in_sample({"userId": True}) < 1


def test_a_filter_that_fails_drops_the_event() -> None:
    value: Any = {"card": "4111"}
    for _ in range(5_000):
        value = [value]
    event = track()
    event["properties"] = value
    block = filter_of('type = "track"', "block_fields", fields=("properties.card",))
    assert compile_filters([block])(event) == "f"


def test_what_a_filter_leaves_is_what_is_sent() -> None:
    block = filter_of('type = "track"', "block_fields", fields=("properties.card",))
    result = result_of(track({"card": "4111", "total": 1}), EVERYTHING, filters=[block])
    assert isinstance(result, ProfileUpdate)
    assert events_of(result)[0]["attributes"] == {"total": 1}


@pytest.mark.parametrize(
    ("context", "goes"),
    [
        (None, True),
        ({}, True),
        ({"consent": None}, True),
        ({"consent": {"categoryPreferences": {"ads": True, "mail": True}}}, True),
        ({"consent": {"categoryPreferences": {"ads": True, "mail": True, "other": False}}}, True),
        ({"consent": {"categoryPreferences": {"ads": True}}}, False),
        ({"consent": {"categoryPreferences": {"ads": True, "mail": False}}}, False),
        ({"consent": {"categoryPreferences": {"ads": True, "mail": "true"}}}, False),
        ({"consent": {"categoryPreferences": {}}}, False),
        ({"consent": {}}, False),
        ({"consent": "yes"}, False),
    ],
)
def test_consent_is_every_required_category_or_no_consent_object(context: Any, goes: bool) -> None:
    result = result_of(track(context=context), EVERYTHING, consent_categories=("ads", "mail"))
    assert isinstance(result, ProfileUpdate) == goes
    if not goes:
        assert result == Skipped("filtered_by_consent")
    assert isinstance(result_of(track(context=context), EVERYTHING), ProfileUpdate)
