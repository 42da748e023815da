"""Batch's native attributes from traits and context."""

from typing import Any

import pytest

from mapping.profile import Skipped
from tests.mapping.builders import attributes_of, identify, mapped, problems_of, track

EMAIL = "ada@example.com"


@pytest.mark.parametrize(
    ("context_traits", "traits", "expected"),
    [
        ({"email": EMAIL}, {}, EMAIL),
        ({}, {"email": EMAIL}, EMAIL),
        ({"email": EMAIL}, {"email": "other@example.com"}, EMAIL),
        ({"email": None}, {"email": EMAIL}, EMAIL),
        ({}, {"email": None}, None),
        ({"email": None}, {"email": None}, None),
    ],
)
def test_context_traits_come_first_and_a_null_there_falls_through(
    context_traits: dict[str, Any], traits: dict[str, Any], expected: str | None
) -> None:
    event = identify(traits, context={"traits": context_traits})
    assert attributes_of(event) == {"$email_address": expected}


def test_a_null_only_in_the_context_clears_nothing() -> None:
    assert mapped(identify({}, context={"traits": {"email": None}})) == Skipped("nothing_to_send")


@pytest.mark.parametrize("kind", ["traits", "context"])
def test_a_null_object_clears_nothing(kind: str) -> None:
    assert mapped(identify() | {kind: None}) == Skipped("nothing_to_send")


def test_a_bad_value_that_comes_first_is_not_replaced_by_the_next() -> None:
    event = identify({"email": EMAIL, "a": 1}, context={"traits": {"email": "nobody"}})
    assert attributes_of(event) == {"a": 1}
    assert problems_of(event) == [("context.traits.email", "invalid_email")]


def test_a_track_gives_natives_from_the_context_and_none_from_properties() -> None:
    context = {"traits": {"phone": "+33600000000"}, "locale": "fr-FR", "timezone": "Europe/Paris"}
    assert attributes_of(track({"email": EMAIL}, context=context)) == {
        "$language": "fr",
        "$region": "FR",
        "$timezone": "Europe/Paris",
        "$phone_number": "+33600000000",
    }


@pytest.mark.parametrize(
    "email",
    ["a@b.co", "Ada.Lovelace+news@mail.example.com", "o'neil_99@ex-ample.org", "x" * 116 + "@example.com"],
)
def test_emails_that_pass(email: str) -> None:
    assert attributes_of(identify({"email": email})) == {"$email_address": email}


@pytest.mark.parametrize(
    "email",
    [
        "", "ada", "ada@example", "@example.com", "ada@.com", "ada..l@example.com", ".ada@example.com",
        "ada@ex ample.com", " ada@example.com", "ada@example.com\n", "adà@example.com", "ada@-x.com",
        "ada@x-.com", "a@b@c.com", "x" * 117 + "@example.com", 5, True, ["ada@example.com"], {},
    ],
)  # fmt: skip
def test_emails_that_cost_their_field(email: Any) -> None:
    event = identify({"email": email, "plan": "free"})
    assert attributes_of(event) == {"plan": "free"}
    assert problems_of(event) == [("traits.email", "invalid_email")]


@pytest.mark.parametrize("phone", ["+1", "+33600000000", "+123456789012345"])
def test_phones_that_pass(phone: str) -> None:
    assert attributes_of(identify({"phone": phone})) == {"$phone_number": phone}


@pytest.mark.parametrize(
    "phone",
    [
        "",
        "+",
        "33600000000",
        "+33 600000000",
        "+1234567890123456",
        "+٣٣",
        "+336\n",
        33600000000,
        1.5,
        True,
        {},
    ],
)
def test_phones_that_cost_their_field(phone: Any) -> None:
    event = identify({"phone": phone, "plan": "free"})
    assert attributes_of(event) == {"plan": "free"}
    assert problems_of(event) == [("traits.phone", "invalid_phone")]


@pytest.mark.parametrize("trait", ["email_marketing", "sms_marketing"])
@pytest.mark.parametrize(
    ("value", "sent"),
    [("subscribed", "subscribed"), ("unsubscribed", "unsubscribed"), ("reset", None), (None, None)],
)
def test_marketing_values(trait: str, value: str | None, sent: str | None) -> None:
    assert attributes_of(identify({trait: value})) == {f"${trait}": sent}


@pytest.mark.parametrize("trait", ["email_marketing", "sms_marketing"])
@pytest.mark.parametrize("value", ["Subscribed", "", "yes", True, False, 1, ["subscribed"], {}])
def test_marketing_values_that_cost_their_field(trait: str, value: Any) -> None:
    event = identify({trait: value, "plan": "free"})
    assert attributes_of(event) == {"plan": "free"}
    assert problems_of(event) == [(f"traits.{trait}", "invalid_marketing_value")]


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("fr-FR", {"$language": "fr", "$region": "FR"}),
        ("fr_FR", {"$language": "fr", "$region": "FR"}),
        ("zh-Hans-CN", {"$language": "zh", "$region": "CN"}),
        ("en-us", {"$language": "en", "$region": "US"}),
        ("EN-us", {"$language": "en", "$region": "US"}),
        ("fr", {"$language": "fr"}),
        ("zh-Hant", {"$language": "zh"}),
        ("es-419", {"$language": "es"}),
        ("en-u-ca-gregory", {"$language": "en"}),
        ("fr_FR.UTF-8", {"$language": "fr", "$region": "FR"}),
        ("sr_RS@latin", {"$language": "sr", "$region": "RS"}),
        (" fr-FR ", {"$language": "fr", "$region": "FR"}),
        (None, {"$language": None, "$region": None}),
    ],
)
def test_a_locale_is_split(locale: str | None, expected: dict[str, Any]) -> None:
    event = identify({}, context={"locale": locale})
    assert attributes_of(event) == expected
    assert problems_of(event) == []


@pytest.mark.parametrize(
    ("locale", "kept"),
    [
        ("", {}),
        ("C", {}),
        ("french", {}),
        ("éé", {}),
        ("😀", {}),
        (12, {}),
        ("eng-US", {"$region": "US"}),
        ("x" * 999, {}),
    ],
)
def test_a_locale_without_a_language_is_reported(locale: Any, kept: dict[str, Any]) -> None:
    event = identify({"a": 1}, context={"locale": locale})
    assert attributes_of(event) == {"a": 1} | kept
    assert problems_of(event) == [("context.locale", "invalid_locale")]


@pytest.mark.parametrize("zone", ["Europe/Paris", "UTC", "America/Argentina/Buenos_Aires", None])
def test_time_zones_that_pass(zone: str | None) -> None:
    assert attributes_of(track({}, context={"timezone": zone})) == {"$timezone": zone}


@pytest.mark.parametrize("zone", ["", "Paris", "europe/paris", "Europe/Paris ", "GMT+25", "localtime", 1, {}])
def test_time_zones_that_cost_their_field(zone: Any) -> None:
    event = identify({"a": 1}, context={"timezone": zone})
    assert attributes_of(event) == {"a": 1}
    assert problems_of(event) == [("context.timezone", "invalid_timezone")]


def test_something_else_in_an_objects_place_is_reported() -> None:
    event = track({}, context={"traits": [1]}, traits="none")
    assert problems_of(event) == [("context.traits", "object_expected"), ("traits", "object_expected")]
    assert problems_of(track([1], context="none")) == [
        ("context", "object_expected"),
        ("properties", "object_expected"),
    ]
