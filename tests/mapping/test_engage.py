"""Engage: audiences, journeys and computed traits."""

from typing import Any

import pytest

from mapping.profile import Skipped
from tests.mapping.builders import (
    attributes_of,
    identify,
    mapped,
    posted_event,
    problems_of,
    track,
    update_of,
)

KEY = "order_completed_last_30days"


def personas(kind: str = "audience", key: Any = KEY) -> dict[str, Any]:
    return {"personas": {"computation_class": kind, "computation_id": "aud_1", "computation_key": key}}


def audience_track(member: Any, **fields: Any) -> dict[str, Any]:
    properties = {"audience_key": KEY, KEY: member}
    return track(properties, event="Audience Entered", context=personas()) | fields


@pytest.mark.parametrize(("said", "member"), [(True, True), (False, False), ("true", True), ("false", False)])
@pytest.mark.parametrize("kind", ["audience", "journey_step"])
def test_an_audience_identify_sets_the_membership(said: Any, member: bool, kind: str) -> None:
    event = identify({KEY: said, "email": "a@b.co"}, context=personas(kind))
    assert attributes_of(event) == {"$email_address": "a@b.co", KEY: member}


@pytest.mark.parametrize(("said", "member"), [(True, True), (False, False), ("true", True), ("false", False)])
def test_an_audience_track_becomes_the_same_membership(said: Any, member: bool) -> None:
    update = update_of(audience_track(said))
    assert update.attributes == {KEY: member}
    assert update.events == ()


def test_the_name_of_the_event_does_not_matter() -> None:
    assert attributes_of(audience_track(True, event="VIP Joined")) == {KEY: True}
    assert attributes_of(audience_track(True, event=None)) == {KEY: True}
    plain = track({KEY: True}, event="Audience Entered")
    assert posted_event(plain)["name"] == "audience_entered"
    assert attributes_of(plain) == {}


def test_natives_of_an_audience_track_still_go() -> None:
    context = personas() | {"traits": {"email": "a@b.co"}}
    assert attributes_of(audience_track(False, context=context)) == {"$email_address": "a@b.co", KEY: False}


def test_an_audience_track_can_be_an_event() -> None:
    update = update_of(audience_track(True), audience_tracks="event")
    assert update.attributes == {}
    body = posted_event(audience_track(True), audience_tracks="event")
    assert body["name"] == "audience_entered"
    assert body["attributes"] == {"audience_key": KEY, KEY: True}


def test_an_audience_track_can_be_both() -> None:
    update = update_of(audience_track(True), audience_tracks="both")
    assert update.attributes == {KEY: True}
    assert [event.name for event in update.events] == ["audience_entered"]


def test_the_key_is_folded_as_any_name() -> None:
    key = "j_o_Winback__" + "x" * 40
    event = track({key: True}, context=personas(key=key))
    (name,) = attributes_of(event)
    assert name.startswith("j_o_winback__xxxxxxxx_")
    assert attributes_of(event) == attributes_of(identify({key: True}, context=personas(key=key)))
    assert attributes_of(event, names={key: "winback"}) == {"winback": True}


def test_a_key_that_folds_to_nothing_costs_the_membership() -> None:
    event = track({"日本": True}, context=personas(key="日本"))
    assert mapped(event) == Skipped("nothing_to_send", (("properties.日本", "name_empty"),))


@pytest.mark.parametrize(
    "context",
    [
        personas("trait"),
        personas("computed_trait"),
        personas(key=""),
        personas(key=None),
        personas(key="another"),
        personas(kind=None),  # type: ignore[arg-type]
        personas(kind=["audience"]),  # type: ignore[arg-type]
        {"personas": None},
        {"personas": "audience"},
    ],
)
def test_other_tracks_stay_events(context: dict[str, Any]) -> None:
    update = update_of(audience_track(True, context=context))
    assert update.attributes == {}
    assert len(update.events) == 1


@pytest.mark.parametrize("said", [None, 1, "yes", "True", [True], {}])
def test_an_audience_track_without_a_membership_stays_an_event(said: Any) -> None:
    update = update_of(audience_track(said))
    assert update.attributes == {}
    assert len(update.events) == 1


def test_the_word_true_is_a_string_outside_audiences() -> None:
    assert attributes_of(identify({KEY: "true"})) == {KEY: "true"}
    assert attributes_of(identify({KEY: "true", "other": "true"}, context=personas())) == {
        KEY: True,
        "other": "true",
    }


def test_a_journey_step_without_a_membership_is_an_ordinary_event() -> None:
    properties = {"journey_metadata": {"journey_id": "J1", "epoch_id": "e9"}, "first_name": "Ines"}
    event = track(properties, event="Winback Step Reached", context=personas("journey_step", "winback_ab12"))
    body = posted_event(event)
    assert body["name"] == "winback_step_reached"
    assert body["attributes"] == properties


def test_a_computed_trait_is_an_attribute_by_identify_and_an_event_by_track() -> None:
    key = "total_revenue_180_days"
    context = personas("trait", key)
    assert attributes_of(identify({key: 450.5}, context=context)) == {key: 450.5}
    event = track({"trait_key": key, key: 450.5}, event="Trait Computed", context=context)
    assert posted_event(event)["name"] == "trait_computed"
    assert posted_event(event)["attributes"] == {"trait_key": key, key: 450.5}


def test_an_audience_member_without_a_user_id_is_skipped() -> None:
    event = identify({KEY: True, "email": "a@b.co"}, userId=None, anonymousId="x", context=personas())
    assert mapped(event) == Skipped("no_user_id")
    assert problems_of(event) == []
