"""From a resolved template to what Batch takes."""

from __future__ import annotations

from typing import Any

import pytest

from mapping.profile import ArrayDelta, DateString, Rejected, Skipped, UrlString
from tests.mapping.builders import identify
from tests.mapping.mapping_sets import events_of, mapping_of, reported, result_of, update_by

BIG = 12_345_678_901_234_567_890


def attributes(given: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The attributes that this value of profileAttributes gives, and what is reported."""
    update = update_by(identify(), mapping_of(profileAttributes=given, eventName="e"))
    return update.attributes, reported(update)


@pytest.mark.parametrize(
    ("slot", "value", "sent"),
    [
        ("email_address", "a@example.com", "a@example.com"),
        ("email_address", None, None),
        ("email_marketing", "subscribed", "subscribed"),
        ("email_marketing", ["subscribed"], "subscribed"),
        ("email_marketing", "reset", None),
        ("sms_marketing", "unsubscribed", "unsubscribed"),
        ("sms_marketing", None, None),
        ("phone_number", "+33612345678", "+33612345678"),
        ("phone_number", None, None),
        ("timezone", "Europe/Paris", "Europe/Paris"),
        ("timezone", None, None),
        ("language", "fr", "fr"),
        ("language", None, None),
        ("region", "FR", "FR"),
        ("region", "us", "US"),
        ("region", None, None),
    ],
)
def test_a_native_slot_is_filled_under_its_name_in_segment_and_in_batch(
    slot: str, value: Any, sent: Any
) -> None:
    assert attributes({slot: value}) == ({f"${slot}": sent}, [])
    assert attributes({f"${slot}": value}) == ({f"${slot}": sent}, [])


@pytest.mark.parametrize(
    ("slot", "value", "reason"),
    [
        ("email_address", "no", "invalid_email"),
        ("email_address", "", "invalid_email"),
        ("email_address", ["a@example.com"], "invalid_email"),
        ("email_address", 5, "invalid_email"),
        ("email_marketing", "yes", "invalid_marketing_value"),
        ("sms_marketing", ["subscribed"], "invalid_marketing_value"),
        ("phone_number", 33612345678, "invalid_phone"),
        ("phone_number", "", "invalid_phone"),
        ("timezone", "Mars", "invalid_timezone"),
        ("timezone", 1, "invalid_timezone"),
        ("language", "français", "invalid_locale"),
        ("region", "europe", "invalid_locale"),
        ("region", {}, "invalid_locale"),
    ],
)
def test_a_bad_value_costs_its_slot(slot: str, value: Any, reason: str) -> None:
    assert attributes({slot: value, "plan": "x"}) == ({"plan": "x"}, [(f"profileAttributes.{slot}", reason)])


@pytest.mark.parametrize(
    ("locale", "sent"),
    [
        ("fr-FR", {"$language": "fr", "$region": "FR"}),
        ("en_us", {"$language": "en", "$region": "US"}),
        ("zh-Hans-CN", {"$language": "zh", "$region": "CN"}),
        ("fr", {"$language": "fr"}),
        ("es-419", {"$language": "es"}),
    ],
)
def test_slots_given_a_whole_locale_take_their_parts(locale: str, sent: dict[str, str]) -> None:
    assert attributes({"language": locale, "region": locale}) == (sent, [])


@pytest.mark.parametrize(
    ("language", "region", "sent"), [("en", "us", "US"), ("fr", "FR", "FR"), ("FR", "FR", "FR")]
)
def test_two_letters_that_are_not_the_language_again_are_a_region(
    language: str, region: str, sent: str
) -> None:
    assert attributes({"language": language, "region": region})[0]["$region"] == sent


def test_custom_attributes_obey_the_rules_of_the_preset() -> None:
    given = {
        "firstName": "Ada",
        "joined": "2026-03-02T09:14:07Z",
        "site": "https://example.com/a",
        "score": 450.0,
        "gone": None,
        "tags": ["a", "b"],
        "cart": {"$add": ["x"]},
        "address": {"city": "Lyon"},
        "list": [1],
        "$topic_preferences": "x",
        "日本": 1,
        "First Name": "Bea",
        "email": "kept as an attribute of its own",
    }
    sent, problems = attributes(given)
    assert sent == {
        "firstname": "Bea",
        "joined": DateString("2026-03-02T09:14:07Z"),
        "site": UrlString("https://example.com/a"),
        "score": 450,
        "gone": None,
        "tags": ["a", "b"],
        "cart": ArrayDelta(("x",), ()),
        "email": "kept as an attribute of its own",
    }
    assert (type(sent["joined"]), type(sent["site"])) == (DateString, UrlString)
    assert problems == [
        ("profileAttributes.address", "object_not_supported"),
        ("profileAttributes.list", "array_not_of_strings"),
        ("profileAttributes.First Name", "name_collision"),
        ("profileAttributes.$topic_preferences", "reserved_name"),
        ("profileAttributes.日本", "name_empty"),
    ]


@pytest.mark.parametrize("given", ["text", 1, ["a"]])
def test_attributes_that_are_no_object_are_read_as_missing(given: Any) -> None:
    assert attributes(given) == ({}, [("profileAttributes", "object_expected")])


@pytest.mark.parametrize(
    ("given", "sent"),
    [("u 1", "u 1"), (7, "7"), (450.0, "450"), (["u"], "u"), ([7], "7"), (BIG, str(BIG))],
)
def test_a_custom_id_is_text_a_number_or_a_list_of_one(given: Any, sent: str) -> None:
    event = identify({"id": given})
    mapping = mapping_of(identifiers={"custom_id": {"@path": "$.traits.id"}}, eventName="e")
    assert update_by(event, mapping).custom_id == sent


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (True, "junk_user_id"),
        ({}, "user_id_not_a_string"),
        (["a", "b"], "user_id_not_a_string"),
        ("", "blank_user_id"),
    ],
)
def test_a_custom_id_that_can_be_none_rejects_the_event(given: Any, reason: str) -> None:
    result = result_of(identify(), mapping_of(identifiers={"custom_id": given}, eventName="e"))
    assert isinstance(result, Rejected)
    assert result.reason == reason


@pytest.mark.parametrize("identifiers", [None, {}, {"custom_id": None}])
def test_without_a_custom_id_the_event_is_skipped(identifiers: Any) -> None:
    assert isinstance(result_of(identify(), mapping_of(identifiers=identifiers)), Skipped)


def test_identifiers_that_are_no_object_reject_the_event() -> None:
    result = result_of(identify(), mapping_of("m", identifiers="u"))
    assert isinstance(result, Rejected)
    assert result.detail == "mapping 'm': identifiers is not an object"


def test_other_identifiers_are_reported() -> None:
    mapping = mapping_of(identifiers={"custom_id": "u", "email": "a@example.com"}, eventName="e")
    assert reported(result_of(identify(), mapping)) == [("identifiers.email", "identifier_not_supported")]


@pytest.mark.parametrize(
    ("given", "name"),
    [("User Registered", "user_registered"), (7, "7"), (True, "true"), (["One"], "one")],
)
def test_an_event_name_is_text_a_number_a_boolean_or_a_list_of_one(given: Any, name: str) -> None:
    assert events_of(update_by(identify(), mapping_of(eventName=given)))[0]["name"] == name


@pytest.mark.parametrize("given", [None, "", {"@path": "$.no"}])
def test_no_event_name_is_no_event(given: Any) -> None:
    update = update_by(
        identify(), mapping_of(eventName=given, eventAttributes={"a": 1}, profileAttributes={"x": 1})
    )
    assert (update.events, update.problems) == ((), ())


@pytest.mark.parametrize(
    ("given", "reason"), [({"a": 1}, "missing_event_name"), (["a", "b"], "missing_event_name")]
)
def test_an_event_name_that_is_none_is_reported(given: Any, reason: str) -> None:
    update = update_by(identify(), mapping_of(eventName=given, profileAttributes={"x": 1}))
    assert (update.events, reported(update)) == ((), [("eventName", reason)])


def test_event_attributes_obey_the_rules_of_the_preset_and_are_reported_under_their_own_name() -> None:
    given = {
        "Total": 9.0,
        "at": "2026-03-02T09:14:07Z",
        "none": None,
        "mixed": [1, "a"],
        "$tags": [],
        "in": {"b": ""},
    }
    update = update_by(identify(), mapping_of(eventName="e", eventAttributes=given))
    assert events_of(update)[0]["attributes"] == {"total": 9, "date(at)": "2026-03-02T09:14:07Z"}
    assert sorted(reported(update)) == [
        ("eventAttributes.$tags", "invalid_tags"),
        ("eventAttributes.in", "object_empty"),
        ("eventAttributes.in.b", "string_empty"),
        ("eventAttributes.mixed", "array_not_supported"),
    ]


def test_event_attributes_that_are_no_object_are_read_as_missing() -> None:
    update = update_by(identify(), mapping_of(eventName="e", eventAttributes="text"))
    assert "attributes" not in events_of(update)[0]
    assert reported(update) == [("eventAttributes", "object_expected")]


def test_a_template_that_gives_no_object_rejects_the_event() -> None:
    result = result_of(
        identify(),
        mapping_of(root={"@path": "$.type"}),
    )
    assert isinstance(result, Rejected)
    assert result.detail == "mapping 'm': the template does not give an object"
