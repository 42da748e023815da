"""`userId` becomes `custom_id`, exactly, or the record says why not."""

from typing import Any

import pytest

from mapping.profile import Rejected, Skipped
from tests.mapping.builders import identify, mapped, update_of


@pytest.mark.parametrize(
    ("user_id", "custom_id"),
    [
        ("97980cfea0067", "97980cfea0067"),
        (" Ada@Example.COM ", " Ada@Example.COM "),
        ("nullable", "nullable"),
        ("x" * 512, "x" * 512),
        ("😀" * 512, "😀" * 512),
        (450, "450"),
        (450.0, "450"),
        (-0.5, "-0.5"),
        (0, "0"),
        (1e-7, "1e-7"),
        (2**64 - 1, "18446744073709551615"),
    ],
)
def test_an_id_is_kept_as_it_came(user_id: Any, custom_id: str) -> None:
    assert update_of(identify({"a": 1}, userId=user_id)).custom_id == custom_id


@pytest.mark.parametrize(
    ("written", "custom_id"),
    [
        (b"123456789012345678901234567890", "123456789012345678901234567890"),
        (b"-9223372036854775809", "-9223372036854775809"),
        (b"100000000000000000000.0", "100000000000000000000"),
        (b"1e21", "1e+21"),
    ],
)
def test_a_number_too_big_for_a_float_keeps_its_digits(written: bytes, custom_id: str) -> None:
    record = b'{"type":"identify","userId":' + written + b',"traits":{"a":1}}'
    assert update_of(record).custom_id == custom_id


@pytest.mark.parametrize("fields", [{"userId": None}, {"userId": None, "anonymousId": "anonymous-1"}])
def test_without_an_id_the_event_is_skipped(fields: dict[str, Any]) -> None:
    assert mapped(identify({"a": 1}, **fields)) == Skipped("no_user_id")


def test_a_missing_id_is_skipped_too() -> None:
    event = identify({"a": 1})
    del event["userId"]
    assert mapped(event) == Skipped("no_user_id")


@pytest.mark.parametrize(
    ("user_id", "reason"),
    [
        ("", "blank_user_id"),
        (" \t\n", "blank_user_id"),
        ("x" * 513, "user_id_too_long"),
        ("undefined", "junk_user_id"),
        ("NULL", "junk_user_id"),
        ("nil", "junk_user_id"),
        ("(null)", "junk_user_id"),
        ("[object Object]", "junk_user_id"),
        ("True", "junk_user_id"),
        ("false", "junk_user_id"),
        ("NaN", "junk_user_id"),
        ("Infinity", "junk_user_id"),
        ("-infinity", "junk_user_id"),
        (" null ", "junk_user_id"),
        (True, "user_id_not_a_string"),
        (["user-1"], "user_id_not_a_string"),
        ({"id": "user-1"}, "user_id_not_a_string"),
    ],
)
def test_an_id_that_names_nobody_is_rejected(user_id: Any, reason: str) -> None:
    result = mapped(identify({"a": 1}, userId=user_id))
    assert isinstance(result, Rejected)
    assert result.reason == reason


def test_a_number_that_is_none_is_junk() -> None:
    result = mapped(b'{"type":"track","event":"E","userId":NaN}')
    assert isinstance(result, Rejected)
    assert result.reason == "junk_user_id"


def test_the_detail_does_not_show_the_id() -> None:
    result = mapped(identify({}, userId="secret-id" * 100))
    assert isinstance(result, Rejected)
    assert "secret" not in result.detail
