"""Custom attributes from the traits of an identify."""

from typing import Any

import pytest

from mapping.profile import ArrayDelta, DateString, Skipped, UrlString
from tests.mapping.builders import attributes_of, identify, mapped, problems_of

LONGEST_URL = "https://example.com/" + "x" * 2028


def sent(value: Any) -> Any:
    return attributes_of(identify({"trait": value}))["trait"]


@pytest.mark.parametrize(
    "value",
    [
        "a",
        " a ",
        "x" * 300,
        "😀" * 300,
        "two\nlines",
        0,
        5,
        -5,
        2**63 - 1,
        -(2**63),
        450.5,
        True,
        False,
        None,
    ],
)
def test_values_that_are_sent_as_they_came(value: Any) -> None:
    assert sent(value) == value
    assert type(sent(value)) is type(value)


@pytest.mark.parametrize(
    ("value", "number"), [(450.0, 450), (-0.0, 0), (1e15, 10**15), (float(2**62), 2**62), (-3.0, -3)]
)
def test_an_integral_float_is_sent_as_an_integer(value: float, number: int) -> None:
    assert sent(value) == number
    assert type(sent(value)) is int


@pytest.mark.parametrize(
    ("written", "value"), [(b"1e22", 1e22), (b"100000000000000000000.0", 1e20), (b"-1.5e300", -1.5e300)]
)
def test_a_float_beyond_64_bits_stays_a_float(written: bytes, value: float) -> None:
    event = b'{"type":"identify","userId":"u","traits":{"trait":' + written + b"}}"
    assert attributes_of(event) == {"trait": value}
    assert type(attributes_of(event)["trait"]) is float


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "string_empty"),
        (" \n", "string_empty"),
        ("x" * 301, "string_too_long"),
        ("😀" * 301, "string_too_long"),
        (LONGEST_URL + "x", "url_too_long"),
        (2**63, "integer_out_of_range"),
        ({}, "object_not_supported"),
        ({"city": "Paris"}, "object_not_supported"),
        ({"$add": ["a"], "city": "Paris"}, "object_not_supported"),
        ({"$add": "a"}, "array_not_of_strings"),
        ({"$add": [1]}, "array_not_of_strings"),
        ({"$add": []}, "array_empty"),
        ({"$remove": ["a"] * 26}, "array_too_long"),
        ([], "array_empty"),
        (["a"] * 26, "array_too_long"),
        ([1, 2], "array_not_of_strings"),
        (["a", None], "array_not_of_strings"),
        ([["a"]], "array_not_of_strings"),
        ([{"a": 1}], "array_not_of_strings"),
        (["a", ""], "string_empty"),
        (["x" * 301], "string_too_long"),
    ],
)
def test_values_that_cost_their_field_only(value: Any, reason: str) -> None:
    event = identify({"trait": value, "plan": "free"})
    assert attributes_of(event) == {"plan": "free"}
    assert problems_of(event) == [("traits.trait", reason)]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (b"18446744073709551616", "integer_out_of_range"),
        (b"-9223372036854775809", "integer_out_of_range"),
        (b"9" * 5000, "integer_out_of_range"),
        (b"NaN", "nan_or_infinity"),
        (b"-Infinity", "nan_or_infinity"),
        (b"1e999", "nan_or_infinity"),
    ],
)
def test_numbers_that_json_or_64_bits_cannot_hold(written: bytes, reason: str) -> None:
    event = b'{"type":"identify","userId":"u","traits":{"trait":' + written + b',"plan":"free"}}'
    assert attributes_of(event) == {"plan": "free"}
    assert problems_of(event) == [("traits.trait", reason)]


def test_arrays_of_strings_are_sent() -> None:
    assert sent(["a", "x" * 300]) == ["a", "x" * 300]
    assert sent(["a"] * 25) == ["a"] * 25
    assert sent(["https://example.com"]) == ["https://example.com"]


def test_array_deltas_are_sent() -> None:
    assert sent({"$add": ["a", "b"], "$remove": ["c"]}) == ArrayDelta(("a", "b"), ("c",))
    assert sent({"$add": ["a"]}) == ArrayDelta(("a",), ())
    assert sent({"$add": [], "$remove": ["c"]}) == ArrayDelta((), ("c",))


@pytest.mark.parametrize(
    "date",
    [
        "1989-07-20T00:00:00Z",
        "2026-03-02T09:14:07.512Z",
        "2026-03-02T23:59:59.123456Z",
        "2024-02-29T00:00:00Z",
        "2026-12-31T00:00:00.0000Z",
    ],
)
def test_iso_dates_in_utc_are_dates(date: str) -> None:
    assert sent(date) == date
    assert type(sent(date)) is DateString


@pytest.mark.parametrize(
    "text",
    [
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00+00:00",
        "2026-01-01T00:00:00.1Z",
        "2026-01-01T00:00:00.1234567Z",
        "2026-01-01T00:00:00z",
        "2026-01-01t00:00:00Z",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00Z\n",
        "2026-01-01",
        "\uff12026-01-01T00:00:00Z",
    ],
)
def test_other_dates_are_strings(text: str) -> None:
    assert type(sent(text)) is str


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "HTTP://EXAMPLE.COM/a?b#c",
        "ftp://ab",
        "http://localhost:8080/x",
        "https://user:secret@example.com/",
        LONGEST_URL,
    ],
)
def test_urls_are_urls(url: str) -> None:
    assert sent(url) == url
    assert type(sent(url)) is UrlString


@pytest.mark.parametrize(
    "text",
    [
        "http://", "http://a", "https:///path", "https://?q=1", "https://.com", "http://:80/", "http://a b",
        "https://example.com/ ", " https://example.com", "https://example.com\ufeff", "ws://example.com",
        "mailto:ada@example.com", "example.com", "see https://example.com", "http\u017f://example.com",
    ],
)  # fmt: skip
def test_what_is_no_url_is_a_string(text: str) -> None:
    assert type(sent(text)) is str


def test_names_are_folded_for_every_type_of_value() -> None:
    traits = {"First Name": "Ada", "Total-Spent": 9.5, "isVIP": True, "Old": None, "Tags!": ["a"], "Seen At": "2026-01-01T00:00:00Z"}  # fmt: skip  # noqa: E501
    assert set(attributes_of(identify(traits))) == {
        "firstname",
        "totalspent",
        "isvip",
        "old",
        "tags",
        "seenat",
    }


def test_of_two_keys_that_fold_to_one_the_last_wins_and_is_reported() -> None:
    event = identify({"Plan": "free", "x": 1, "plan": "paid"})
    assert attributes_of(event) == {"plan": "paid", "x": 1}
    assert problems_of(event) == [("traits.plan", "name_collision")]


def test_a_refused_value_does_not_replace_a_good_one() -> None:
    event = identify({"Plan": "free", "plan": ""})
    assert attributes_of(event) == {"plan": "free"}
    assert problems_of(event) == [("traits.plan", "string_empty")]


@pytest.mark.parametrize("key", ["日本", "", "!?"])
def test_a_key_that_folds_to_nothing_costs_its_field(key: str) -> None:
    event = identify({key: 1, "a": 1})
    assert attributes_of(event) == {"a": 1}
    assert problems_of(event) == [(f"traits.{key}", "name_empty")]


@pytest.mark.parametrize("key", ["$email_address", "$language", "$topic_preferences"])
def test_a_native_name_is_not_free(key: str) -> None:
    event = identify({key: "fr", "a": 1})
    assert attributes_of(event) == {"a": 1}
    assert problems_of(event) == [(f"traits.{key}", "reserved_name")]


def test_traits_of_the_context_and_of_a_track_are_no_custom_attributes() -> None:
    assert attributes_of(identify({"a": 1}, context={"traits": {"plan": "free"}})) == {"a": 1}
    assert attributes_of({"type": "track", "userId": "u", "event": "E", "traits": {"plan": "free"}}) == {}


def test_the_sources_of_natives_are_no_custom_attributes() -> None:
    traits = {"email": "a@b.co", "phone": "+1", "email_marketing": "reset", "sms_marketing": "reset"}
    assert all(name.startswith("$") for name in attributes_of(identify(traits)))


def test_more_than_50_attributes_are_all_kept() -> None:
    traits = {f"trait_{number}": number for number in range(120)}
    assert attributes_of(identify(traits)) == traits


@pytest.mark.parametrize("traits", [{}, None, {"a": ""}])
def test_an_identify_that_says_nothing_is_skipped(traits: Any) -> None:
    result = mapped(identify(traits))
    assert isinstance(result, Skipped)
    assert result.reason == "nothing_to_send"


def test_a_skip_keeps_its_problems() -> None:
    assert problems_of(identify({"a": ""})) == [("traits.a", "string_empty")]


def test_an_identify_has_no_event() -> None:
    result = mapped(identify({"a": 1}, event="Signed Up"))
    assert result[2] == ()
