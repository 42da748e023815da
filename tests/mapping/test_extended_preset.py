"""`preset: update-profile` with fields of one's own: they are added to its attributes, or replace its fields."""

from __future__ import annotations

from typing import Any

import pytest

from mapping.profile import Rejected, Skipped
from tests.mapping.builders import identify, track
from tests.mapping.mapping_sets import events_of, mapping_of, result_of, update_by

PERSONAS = {"personas": {"computation_class": "audience", "computation_key": "vip"}}


def extended(trigger: str = 'type != "x"', **fields: Any) -> Any:
    return mapping_of("Profiles", trigger, preset=True, **fields)


def test_own_attributes_are_added_and_win() -> None:
    event = identify({"email": "a@example.com", "plan": "free", "address": {"city": "Lyon"}})
    own = {"city": {"@path": "$.traits.address.city"}, "plan": {"@template": "my {{traits.plan}}"}}
    update = update_by(event, extended(profileAttributes=own))
    assert update.attributes == {"$email_address": "a@example.com", "plan": "my free", "city": "Lyon"}


def test_an_own_attribute_that_resolves_to_nothing_leaves_what_the_preset_has() -> None:
    update = update_by(
        identify({"plan": "free"}), extended(profileAttributes={"plan": {"@path": "$.traits.no"}})
    )
    assert update.attributes == {"plan": "free"}


def test_an_own_event_name_and_own_event_attributes_replace_the_presets() -> None:
    event = track({"total": 9})
    (named,) = events_of(update_by(event, extended(eventName={"@template": "web {{event}}"})))
    assert (named["name"], named["attributes"]) == ("web_order_completed", {"total": 9})
    (described,) = events_of(
        update_by(event, extended(eventAttributes={"sum": {"@path": "$.properties.total"}}))
    )
    assert (described["name"], described["attributes"]) == ("order_completed", {"sum": 9})


def test_an_own_event_name_makes_an_event_of_an_identify_and_of_other_types() -> None:
    own = extended(eventName={"@path": "$.type"})
    assert events_of(update_by(identify({"a": 1}), own))[0]["name"] == "identify"
    page = {"type": "page", "userId": "u", "name": "Shop", "properties": {"path": "/"}}
    (event,) = events_of(update_by(page, own))
    assert (event["name"], event["attributes"]) == ("page", {"path": "/"})


def test_an_own_event_name_that_resolves_to_nothing_is_no_event() -> None:
    own = extended(eventName={"@path": "$.properties.no"}, profileAttributes={"a": 1})
    update = update_by(track({"total": 9}), own)
    assert (update.events, update.attributes, update.problems) == ((), {"a": 1}, ())


def test_an_own_custom_id_replaces_the_user_id() -> None:
    own = extended(identifiers={"custom_id": {"@path": "$.traits.crm"}})
    assert update_by(identify({"crm": 7, "a": 1}, userId=None), own).custom_id == "7"
    assert result_of(identify({"a": 1}), own) == Skipped("no_user_id")
    junk = result_of(identify({"crm": "null"}), own)
    assert isinstance(junk, Rejected)
    assert junk.detail.startswith("mapping 'Profiles'")


def test_the_traits_of_a_group_are_not_the_users() -> None:
    group = {
        "type": "group",
        "userId": "u",
        "groupId": "g",
        "traits": {"email": "office@example.com", "plan": "big"},
        "context": {"timezone": "Europe/Paris"},
    }
    assert update_by(group, extended()).attributes == {"$timezone": "Europe/Paris"}
    own = extended(profileAttributes={"company": {"@path": "$.traits.plan"}})
    assert update_by(group, own).attributes == {"$timezone": "Europe/Paris", "company": "big"}


@pytest.mark.parametrize(("audience_tracks", "events"), [("membership", 0), ("event", 1), ("both", 1)])
def test_an_audiences_track_obeys_its_setting_with_own_fields_too(audience_tracks: str, events: int) -> None:
    entered = track({"vip": True, "audience_key": "vip"}, context=PERSONAS)
    update = update_by(entered, extended(eventName="audience"), audience_tracks=audience_tracks)
    assert len(update.events) == events


def test_a_template_that_gives_no_object_rejects_the_event() -> None:
    own = extended(root={"@path": "$.type"})
    result = result_of(identify({"a": 1}), own)
    assert isinstance(result, Rejected)
    assert result.reason == "mapping_failed"


def test_a_directive_that_fails_rejects_the_event() -> None:
    result = result_of(identify({"a": []}), extended(eventName={"@path": {"@path": "$.traits.a"}}))
    assert isinstance(result, Rejected)
    assert result.reason == "mapping_failed"
