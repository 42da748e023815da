"""What the sandbox takes as a profile attribute, and how it keeps it."""

from __future__ import annotations

from typing import Any

import pytest

ACCEPTED = [
    ("string", "plan", "premium"),
    ("a string of 300 characters", "plan", "é" * 300),
    ("integer", "logins", 5),
    ("the largest integer", "logins", 2**63 - 1),
    ("float", "score", 3.99),
    ("boolean", "member", False),
    ("date", "date(birthday)", "1989-07-20T00:00:00Z"),
    ("date with a fraction", "date(birthday)", "1989-07-20T00:00:00.123456Z"),
    ("date with an offset", "date(birthday)", "1989-07-20T00:00:00+02:00"),
    ("URL", "url(site)", "https://example.com/a?b=c"),
    ("URL of another scheme", "url(site)", "app://home"),
    ("URL of 2,048 characters", "url(site)", "https://example.com/".ljust(2048, "x")),
    ("array", "colours", ["red", "blue"]),
    ("array of 25", "colours", [str(n) for n in range(25)]),
    ("name of 30 characters", "a" * 30, "x"),
    ("name of 30 characters inside a form", f"date({'a' * 30})", "1989-07-20T00:00:00Z"),
    ("name with digits and _", "_9_lives", True),
    ("e-mail address", "$email_address", "someone+tag@example.co.uk"),
    ("e-mail marketing", "$email_marketing", "subscribed"),
    ("SMS marketing", "$sms_marketing", "unsubscribed"),
    ("phone", "$phone_number", "+33600000000"),
    ("language", "$language", "fr"),
    ("region", "$region", "FR"),
    ("timezone", "$timezone", "Europe/Paris"),
    ("topics", "$topic_preferences", ["news", "sport_1"]),
]

REFUSED = [
    ("empty string", "plan", "", "must not be empty"),
    ("a string of 301 characters", "plan", "x" * 301, "at most 300 characters"),
    ("too large an integer", "logins", 2**63, "64 bits"),
    ("capitals in the name", "Plan", "x", "a name has"),
    ("a name of 31 characters", "a" * 31, "x", "a name has"),
    ("an empty name", "", "x", "a name has"),
    ("another character", "first-name", "x", "a name has"),
    ("an unknown form", "time(birthday)", "x", "a name has"),
    ("date: not a time", "date(birthday)", "yesterday", "RFC 3339"),
    ("date: no time of day", "date(birthday)", "1989-07-20", "RFC 3339"),
    ("date: no zone", "date(birthday)", "1989-07-20T00:00:00", "RFC 3339"),
    ("date: no such day", "date(birthday)", "1989-02-30T00:00:00Z", "RFC 3339"),
    ("date: a number", "date(birthday)", 617241600, "RFC 3339"),
    ("date: null", "date(birthday)", None, "bare name"),
    ("URL without a scheme", "url(site)", "example.com", "scheme and a host"),
    ("URL without a host", "url(site)", "https:///path", "scheme and a host"),
    ("URL of 2,049 characters", "url(site)", "https://example.com/".ljust(2049, "x"), "2,048"),
    ("empty array", "colours", [], "1 to 25 items"),
    ("array of 26", "colours", [str(n) for n in range(26)], "1 to 25 items"),
    ("array with a number", "colours", ["red", 1], "strings only"),
    ("array with an empty string", "colours", ["red", ""], "must not be empty"),
    ("array with a long string", "colours", ["x" * 301], "at most 300"),
    ("array of objects", "colours", [{"a": "b"}], "strings only"),
    ("array as a date", "date(days)", ["1989-07-20T00:00:00Z"], "array has no date"),
    ("object", "address", {"city": "Paris"}, "cannot be an object"),
    ("empty object", "address", {}, "cannot be an object"),
    ("delta with another key", "colours", {"$add": ["a"], "$set": ["b"]}, "cannot be an object"),
    ("delta with an empty array", "colours", {"$add": []}, "$add: an array has 1 to 25"),
    ("delta without an array", "colours", {"$remove": "red"}, "$remove: an array is expected"),
    ("unknown native", "$push_marketing", "subscribed", "no such attribute of its own"),
    ("e-mail address without a host", "$email_address", "someone", "e-mail address is expected"),
    ("e-mail address of 129 characters", "$email_address", "x" * 117 + "@example.com", "at most 128"),
    ("marketing: another word", "$email_marketing", "yes", "subscribed, unsubscribed or null"),
    ("marketing: a boolean", "$sms_marketing", True, "subscribed, unsubscribed or null"),
    ("phone without +", "$phone_number", "0600000000", "E.164"),
    ("phone with 16 digits", "$phone_number", "+1234567890123456", "E.164"),
    ("language in capitals", "$language", "FR", "ISO 639"),
    ("region in lower case", "$region", "fr", "ISO 3166"),
    ("timezone: an offset", "$timezone", "+02:00", "IANA"),
    ("topic in capitals", "$topic_preferences", ["News"], "a topic has"),
]


@pytest.mark.parametrize(
    ("key", "value"), [case[1:] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED]
)
async def test_a_valid_attribute_is_kept_as_posted(client: Any, update: Any, key: str, value: Any) -> None:
    reply = await client.update(update(attributes={key: value}))

    assert (reply.status, reply.json) == (202, {"code": "SUCCESS"})
    kept = (await client.get("/_sandbox/profiles/u1")).json
    assert kept == {"custom_id": "u1", "attributes": {key: value}, "events": []}


@pytest.mark.parametrize(
    ("key", "value", "reason"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
async def test_an_invalid_attribute_alone_is_refused(
    client: Any, update: Any, key: str, value: Any, reason: str
) -> None:
    first, second = (
        update("u1", attributes={"a": 1}),
        update("u2", attributes={"before": 1, key: value, "z": 2}),
    )
    reply = await client.update(first, second)

    assert reply.status == 202
    assert reply.json["code"] == "SUCCESS_WITH_PARTIAL_ERRORS"
    (error,) = reply.json["errors"]
    assert (error["category"], error["bulk_index"], error["attribute"]) == ("attribute", 1, key)
    assert reason in error["reason"]
    assert (await client.get("/_sandbox/profiles/u2")).json["attributes"] == {"before": 1, "z": 2}


async def test_a_reason_never_repeats_the_value(client: Any, update: Any) -> None:
    reply = await client.update(update(attributes={"plan": "secret" * 60, "$email_address": "secret"}))

    assert len(reply.json["errors"]) == 2
    assert b"secret" not in reply.body


async def test_capitals_are_folded_if_asked(start: Any, update: Any) -> None:
    client = await start(upper_case_names="fold")
    reply = await client.update(
        update(
            attributes={"Plan": "x", "date(BirthDay)": "1989-07-20T00:00:00Z"},
            events=[{"name": "Order_Completed", "attributes": {"Item": {"SKU": "Ab"}}}],
        )
    )

    assert reply.json == {"code": "SUCCESS"}
    kept = (await client.get("/_sandbox/profiles/u1")).json
    assert kept["attributes"] == {"plan": "x", "date(birthday)": "1989-07-20T00:00:00Z"}
    assert kept["events"][0]["name"] == "order_completed"
    assert kept["events"][0]["attributes"] == {"item": {"sku": "Ab"}}


async def test_times_with_an_offset_are_refused_if_asked(start: Any, update: Any) -> None:
    client = await start(utc_only=True)
    reply = await client.update(update(attributes={"date(day)": "1989-07-20T00:00:00+02:00"}))

    assert "end in Z" in reply.json["errors"][0]["reason"]


MERGES: list[tuple[str, list[dict[str, Any]], dict[str, Any]]] = [
    ("a missing key stays", [{"a": 1, "b": 2}, {"a": 3}], {"a": 3, "b": 2}),
    ("null deletes", [{"a": 1, "b": 2}, {"a": None}], {"b": 2}),
    ("null deletes a date", [{"date(a)": "1989-07-20T00:00:00Z"}, {"a": None}], {}),
    ("null of what is not there", [{"a": None}], {}),
    ("a native is cleared", [{"$language": "fr"}, {"$language": None}], {}),
    (
        "a new form replaces the old",
        [{"a": "x"}, {"date(a)": "1989-07-20T00:00:00Z"}],
        {"date(a)": "1989-07-20T00:00:00Z"},
    ),
    ("a bare form replaces a URL", [{"url(a)": "https://example.com"}, {"a": 5}], {"a": 5}),
    ("an array replaces an array", [{"a": ["x", "y"]}, {"a": ["z"]}], {"a": ["z"]}),
    ("add", [{"a": ["x"]}, {"a": {"$add": ["y", "x"]}}], {"a": ["x", "y"]}),
    ("add to nothing", [{"a": {"$add": ["y"]}}], {"a": ["y"]}),
    ("add to a string", [{"a": "s"}, {"a": {"$add": ["y"]}}], {"a": ["y"]}),
    ("remove", [{"a": ["x", "y"]}, {"a": {"$remove": ["x", "q"]}}], {"a": ["y"]}),
    ("remove the last", [{"a": ["x"]}, {"a": {"$remove": ["x"]}}], {}),
    ("add and remove", [{"a": ["x"]}, {"a": {"$add": ["y"], "$remove": ["x"]}}], {"a": ["y"]}),
    (
        "topics",
        [{"$topic_preferences": ["news"]}, {"$topic_preferences": {"$add": ["sport"]}}],
        {"$topic_preferences": ["news", "sport"]},
    ),
]


@pytest.mark.parametrize(("posted", "kept"), [case[1:] for case in MERGES], ids=[case[0] for case in MERGES])
async def test_attributes_merge(client: Any, update: Any, posted: Any, kept: Any) -> None:
    for attributes in posted:
        assert (await client.update(update(attributes=attributes))).json == {"code": "SUCCESS"}

    assert (await client.get("/_sandbox/profiles/u1")).json["attributes"] == kept


async def test_fifty_attributes_are_the_most(start: Any, update: Any) -> None:
    fifty = {f"a{n}": n for n in range(50)}
    strict, lenient = await start(), await start(too_many_attributes="partial_error")

    assert (await strict.update(update(attributes=fifty))).json == {"code": "SUCCESS"}
    refused = await strict.update(update(attributes={**fifty, "one_more": 1}))
    assert refused.status == 400
    assert "Update 0: an update has at most 50 attributes; this one has 51" in refused.reason

    partial = await lenient.update(update(attributes={**fifty, "one_more": 1}))
    assert partial.status == 202
    assert [error["attribute"] for error in partial.json["errors"]] == ["one_more"]
    assert (await lenient.get("/_sandbox/profiles/u1")).json["attributes"] == fifty
