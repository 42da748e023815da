"""The two examples of Segment's document on "Batch (Actions)", and their posted form beside."""

from typing import Any

import orjson

from mapping.documented import Documented, documented
from mapping.profile import Rejected, Skipped
from mapping.settings import MappingSettings
from tests.mapping.builders import identify, posted_event, track, update_of

IDENTIFY: dict[str, Any] = {
    "type": "identify",
    "userId": "97980cfea0067",
    "traits": {
        "name": "Peter Gibbons",
        "email": "peter@example.com",
        "phone": "+33600000000",
        "email_marketing": "subscribed",
        "sms_marketing": "unsubscribed",
        "plan": "premium",
        "logins": 5,
    },
    "context": {"timezone": "Europe/Paris", "locale": "fr-FR"},
}
IDENTIFY_OUTPUT = {
    "identifiers": {"custom_id": "97980cfea0067"},
    "attributes": {
        "$email_address": "peter@example.com",
        "$phone_number": "+33600000000",
        "$email_marketing": "subscribed",
        "$sms_marketing": "unsubscribed",
        "$language": "fr",
        "$region": "FR",
        "$timezone": "Europe/Paris",
        "name": "Peter Gibbons",
        "plan": "premium",
        "logins": 5,
    },
}
TRACK: dict[str, Any] = {
    "type": "track",
    "userId": "97980cfea0067",
    "event": "User Registered",
    "properties": {"plan": "Pro Annual", "accountType": "Facebook"},
}
TRACK_OUTPUT = {
    "identifiers": {"custom_id": "97980cfea0067"},
    "event": {
        "name": "User Registered",
        "attributes": {"plan": "Pro Annual", "accountType": "Facebook"},
    },
}


def shown(event: dict[str, Any], **settings: Any) -> dict[str, Any]:
    result = documented(orjson.dumps(event), MappingSettings(**settings))
    assert isinstance(result, Documented), result
    return result.update


def test_the_identify_example_comes_out_as_documented() -> None:
    assert shown(IDENTIFY) == IDENTIFY_OUTPUT


def test_the_track_example_comes_out_as_documented() -> None:
    assert shown(TRACK) == TRACK_OUTPUT


def test_the_identify_example_is_posted_with_the_same_attributes() -> None:
    update = update_of(IDENTIFY)
    assert update.custom_id == "97980cfea0067"
    assert update.attributes == IDENTIFY_OUTPUT["attributes"]
    assert update.events == ()
    assert update.problems == ()


def test_the_track_example_is_posted_with_folded_names() -> None:
    assert posted_event(TRACK) == {
        "name": "user_registered",
        "attributes": {"plan": "Pro Annual", "accounttype": "Facebook"},
    }
    assert update_of(TRACK).attributes == {}


def test_names_dates_and_urls_are_shown_as_they_came() -> None:
    traits = {"Created At": "2024-05-17T08:30:00Z", "Home Page": "https://example.com/me"}
    assert shown(identify(traits))["attributes"] == traits
    assert shown(track(traits))["event"] == {"name": "Order Completed", "attributes": traits}


def test_a_chosen_name_is_not_shown() -> None:
    assert shown(identify({"Total": 1}), names={"Total": "sum"})["attributes"] == {"Total": 1}


def test_an_array_delta_is_shown_as_it_came() -> None:
    assert shown(identify({"tags": {"$add": ["a"]}}))["attributes"] == {"tags": {"$add": ["a"]}}


def test_field_problems_are_shown() -> None:
    result = documented(orjson.dumps(identify({"a": {"b": 1}, "c": 1})), MappingSettings())
    assert isinstance(result, Documented)
    assert result.problems == (("traits.a", "object_not_supported"),)


def test_what_is_not_delivered_is_told_as_by_the_mapper() -> None:
    settings = MappingSettings()
    assert documented(None, settings) == Skipped("tombstone")
    assert documented(orjson.dumps(identify({})), settings) == Skipped("nothing_to_send")
    assert documented(orjson.dumps(identify({}, userId=None)), settings) == Skipped("no_user_id")
    rejected = documented(b"{", settings)
    assert isinstance(rejected, Rejected)
    assert rejected.reason == "invalid_json"


def test_problems_found_before_a_skip_are_kept() -> None:
    record = b'{"type":"page","userId":"u","name":"\\ud83d"}'
    assert documented(record, MappingSettings()) == Skipped(
        "no_matching_mapping", (("name", "lone_surrogate"),)
    )
