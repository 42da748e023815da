"""Several mappings, one event: which match, and what they make of it together."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from mapping.explain import explain
from mapping.mapper import compile_mapper, compile_matcher
from mapping.mappings import MappingSet, preset_alone
from mapping.profile import ProfileUpdate, ProfileUpdates, Rejected, Skipped
from mapping.settings import MappingSettings
from tests.mapping.builders import TIMESTAMP_MS, identify, track
from tests.mapping.mapping_sets import events_of, filter_of, mapping_of, reported, result_of, update_by


def test_every_mapping_that_matches_makes_its_part_of_one_update() -> None:
    update = update_by(
        track({"total": 9}),
        mapping_of("first", 'type = "track"', profileAttributes={"a": 1, "b": 1}, eventName="one"),
        mapping_of("other", 'type = "page"', profileAttributes={"c": 1}),
        mapping_of("second", 'event = "Order Completed"', profileAttributes={"b": 2}, eventName="two"),
    )
    assert update.attributes == {"a": 1, "b": 2}
    assert [event["name"] for event in events_of(update)] == ["one", "two"]
    assert {event.time_ms for event in update.events} == {TIMESTAMP_MS}


def test_mappings_that_name_different_profiles_give_an_update_of_each() -> None:
    result = result_of(
        track({"buyer": "b", "seller": "s"}),
        mapping_of("buyer", identifiers={"custom_id": {"@path": "$.properties.buyer"}}, eventName="bought"),
        mapping_of("seller", identifiers={"custom_id": {"@path": "$.properties.seller"}}, eventName="sold"),
        mapping_of("again", identifiers={"custom_id": "b"}, profileAttributes={"buys": True}),
    )
    assert isinstance(result, ProfileUpdates)
    found = {
        each.custom_id: (each.attributes, [event.name for event in each.events]) for each in result.updates
    }
    assert found == {"b": ({"buys": True}, ["bought"]), "s": ({}, ["sold"])}


def test_a_mapping_that_is_not_enabled_is_not_used() -> None:
    result = result_of(track(), mapping_of(enabled=False, eventName="e"))
    assert result == Skipped("no_matching_mapping")


@pytest.mark.parametrize("kind", ["identify", "track", "page", "screen", "group", "alias"])
def test_every_type_reaches_the_mappings_whose_triggers_accept_it(kind: str) -> None:
    event = {"type": kind, "userId": "u", "properties": {}, "traits": {}}
    mapping = mapping_of(trigger=f'type = "{kind}"', eventName={"@path": "$.type"})
    (posted,) = events_of(update_by(event, mapping))
    assert posted["name"] == kind


@pytest.mark.parametrize("kind", [None, 3, ["track"], {}])
def test_a_trigger_that_does_not_ask_for_a_type_matches_events_without_one(kind: Any) -> None:
    event = {"type": kind, "userId": "u", "properties": {"go": True}}
    typed = mapping_of("typed", 'type = "track"', profileAttributes={"typed": 1})
    untyped = mapping_of("untyped", "properties.go = true", profileAttributes={"untyped": 1})
    assert update_by(event, typed, untyped).attributes == {"untyped": 1}


def test_without_a_match_the_event_is_skipped() -> None:
    assert result_of(track(), mapping_of(trigger='type = "page"', eventName="e")) == Skipped(
        "no_matching_mapping"
    )


def test_a_mapping_that_fails_rejects_the_event_and_says_where_without_a_value() -> None:
    failing = mapping_of("Plans", profileAttributes={"plan": {"@path": {"@path": "$.properties.secret"}}})
    result = result_of(track({"secret": {"a": "hidden"}}), mapping_of("fine", eventName="e"), failing)
    assert isinstance(result, Rejected)
    assert result.reason == "mapping_failed"
    assert "'Plans'" in result.detail
    assert "mapping.profileAttributes.plan" in result.detail
    assert "@path" in result.detail
    assert "hidden" not in result.detail


def test_a_mapping_without_an_id_leaves_the_others_their_parts() -> None:
    without = mapping_of(
        "group owner", identifiers={"custom_id": {"@path": "$.properties.owner"}}, eventName="o"
    )
    assert [event["name"] for event in events_of(update_by(track(), without, mapping_of(eventName="e")))] == [
        "e"
    ]
    assert result_of(track(), without) == Skipped("no_user_id")


def test_an_id_that_can_be_none_rejects_the_event() -> None:
    result = result_of(
        track(), mapping_of("bad", identifiers={"custom_id": "undefined"}), mapping_of(eventName="e")
    )
    assert isinstance(result, Rejected)
    assert (result.reason, result.detail[:13]) == ("junk_user_id", "mapping 'bad'")


def test_an_update_of_nothing_is_skipped() -> None:
    assert result_of(track(), mapping_of("a"), mapping_of("b")) == Skipped("nothing_to_send")
    result = result_of(
        track(),
        mapping_of("a", identifiers={"custom_id": "x"}),
        mapping_of("b", identifiers={"custom_id": "y"}, eventName="e"),
    )
    assert isinstance(result, ProfileUpdate)
    assert result.custom_id == "y"


def test_an_event_that_is_too_large_costs_itself_only() -> None:
    large = mapping_of("large", eventName="large", eventAttributes={"@path": "$.properties"})
    properties = {f"p{number}": [f"{'x' * 290}{item}" for item in range(25)] for number in range(4)}
    update = update_by(track(properties), large, mapping_of("small", eventName="small"))
    assert [event["name"] for event in events_of(update)] == ["small"]
    assert ("event", "event_too_large") in reported(update)
    alone = result_of(track(properties), large, mapping_of("nothing"))
    assert isinstance(alone, Rejected)
    assert alone.reason == "event_too_large"


def test_the_checks_come_in_the_order_of_segment() -> None:
    """Consent, integrations, filters, triggers, mapping."""
    event = track(
        context={"consent": {"categoryPreferences": {"ads": False}}}, integrations={"All": False}, userId=None
    )
    drop = filter_of('type = "track"', "drop")
    page = mapping_of(trigger='type = "page"')

    def reason(event: dict[str, Any], filters: Any, mapping: Any) -> str:
        result = result_of(event, mapping, filters=filters, consent_categories=("ads",))
        assert isinstance(result, Skipped)
        return result.reason

    assert reason(event, [drop], page) == "filtered_by_consent"
    event["context"] = {}
    assert reason(event, [drop], page) == "filtered_by_integrations"
    event["integrations"] = {}
    assert reason(event, [drop], page) == "filtered_by_filter"
    assert reason(event, [], page) == "no_matching_mapping"
    assert reason(event, [], mapping_of()) == "no_user_id"


def test_consent_holds_for_the_preset_too() -> None:
    refused = identify({"a": 1}, context={"consent": {"categoryPreferences": {"ads": False}}})
    mapper = compile_mapper(MappingSettings(consent_categories=("ads",)))
    assert mapper(orjson.dumps(refused)) == Skipped("filtered_by_consent")
    assert isinstance(mapper(orjson.dumps(identify({"a": 1}))), ProfileUpdate)


def test_the_preset_in_a_file_does_what_the_preset_without_one_does() -> None:
    from bench.events import make_records

    alone = compile_mapper(MappingSettings())
    beside = compile_mapper(
        MappingSettings(), MappingSet((*preset_alone().mappings, mapping_of("x", 'type = "x"')))
    )
    for record in make_records(300):
        assert beside(record) == alone(record)


def test_the_matching_mappings_are_named_in_the_files_order() -> None:
    mappings = MappingSet(
        (
            mapping_of("one", 'type = "track"'),
            mapping_of("off", 'type = "track"', enabled=False),
            mapping_of("pages", 'type = "page"'),
            mapping_of("two", "properties.a = 1"),
        ),
        [filter_of('event = "Dropped"', "drop")],
    )
    matching = compile_matcher(MappingSettings(), mappings)
    assert matching(orjson.dumps(track({"a": 1}))) == ("one", "two")
    assert matching(orjson.dumps(track({"a": 1}, event="Dropped"))) == ()
    assert matching(b'{"type": "segbatch.profile_update", "userId": "u", "properties": {"a": 1}}') == ()
    assert matching(b"{") == ()
    assert matching(None) == ()
    assert compile_matcher(MappingSettings())(orjson.dumps(identify())) == ("Update Profile",)


def test_an_audiences_words_are_booleans_before_triggers_and_mappings_see_them() -> None:
    personas = {"computation_class": "journey_step", "computation_key": "vip"}
    mapping = mapping_of(trigger="traits.vip = true", profileAttributes={"vip": {"@path": "$.traits.vip"}})
    event = identify({"vip": "true"}, context={"personas": personas})
    update = update_by(event, mapping)
    assert update.attributes == {"vip": True}
    (step,) = explain(orjson.dumps(event), MappingSettings(), MappingSet((mapping,))).mappings
    assert step.part == update
    entered = track({"vip": "false"}, context={"personas": personas})
    mapping = mapping_of(profileAttributes={"vip": {"@path": "$.properties.vip"}})
    assert update_by(entered, mapping).attributes == {"vip": False}
    assert (
        result_of(identify({"vip": "true"}), mapping_of(trigger="traits.vip = true")).reason
        == "no_matching_mapping"
    )  # type: ignore[union-attr]
