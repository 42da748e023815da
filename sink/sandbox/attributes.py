"""The rules of profile attributes (Batch, Profiles API, "Update profiles", "Attributes")."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from sink.sandbox import formats
from sink.sandbox.answers import Problem
from sink.sandbox.settings import SandboxSettings

MAX_STRING_CHARS = 300
MAX_ARRAY_ITEMS = 25
_INT64 = range(-(2**63), 2**63)
_MARKETING = ("subscribed", "unsubscribed")


class Attribute(NamedTuple):
    """A valid attribute. `wire_key` is the key as posted, `name` the same without `date(...)` or `url(...)`;
    a `value` of None deletes, a dict holds `$add` and `$remove`."""

    name: str
    wire_key: str
    value: Any


def read_attribute(key: str, value: Any, settings: SandboxSettings) -> Attribute | Problem:
    """Check one profile attribute."""
    if settings.upper_case_names == "fold":
        key = formats.fold_key(key)
    if key.startswith("$"):
        problem = _native_problem(key, value, settings)
        return Attribute(key, key, value) if problem is None else Problem(problem)
    form, name, is_valid = formats.read_key(key)
    if not is_valid:
        return Problem(f"the attribute's name is not valid: {formats.NAME_RULE}")
    if isinstance(value, dict):
        problem = "an object has no date or URL form" if form else delta_problem(value, string_problem)
    elif value is None:
        problem = "an attribute is deleted by null on its bare name" if form else None
    elif isinstance(value, list):
        problem = "an array has no date or URL form" if form else strings_problem(value, string_problem)
    else:
        problem = scalar_problem(form, value, settings)
    return Attribute(name, key, value) if problem is None else Problem(problem)


def scalar_problem(form: str, value: Any, settings: SandboxSettings) -> str | None:
    """What is wrong with a single value in the given form (`date`, `url` or empty); None if nothing is."""
    if form == "date":
        return date_problem(value, settings)
    if form == "url":
        return None if isinstance(value, str) and formats.is_url(value) else formats.URL_RULE
    if isinstance(value, str):
        return string_problem(value)
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return None if value in _INT64 else "an integer has at most 64 bits"
    if isinstance(value, float):
        return None if math.isfinite(value) else "a number must be finite"
    return "the value's type is not one that Batch knows"


def date_problem(value: Any, settings: SandboxSettings) -> str | None:
    """What is wrong with the value of a `date(...)`."""
    if not isinstance(value, str) or formats.read_time(value) is None:
        return formats.TIME_RULE
    if settings.utc_only and not formats.is_utc(value):
        return "the time must be in UTC and end in Z"
    return None


def string_problem(value: Any) -> str | None:
    """What is wrong with a string, or with an item of an array of strings."""
    if not isinstance(value, str):
        return "an array holds strings only"
    if not value:
        return "a string must not be empty"
    if len(value) > MAX_STRING_CHARS:
        return f"a string has at most {MAX_STRING_CHARS} characters; this one has {len(value):,}"
    return None


def strings_problem(items: list[Any], item_problem: Callable[[Any], str | None]) -> str | None:
    """What is wrong with an array of strings, each judged by `item_problem`."""
    if not 1 <= len(items) <= MAX_ARRAY_ITEMS:
        return f"an array has 1 to {MAX_ARRAY_ITEMS} items; this one has {len(items):,}"
    for item in items:
        problem = item_problem(item)
        if problem is not None:
            return f"an item of the array is not valid: {problem}"
    return None


def delta_problem(delta: dict[str, Any], item_problem: Callable[[Any], str | None]) -> str | None:
    """What is wrong with a partial update of an array, `{"$add": [...], "$remove": [...]}`."""
    if not delta or not delta.keys() <= {"$add", "$remove"}:
        return "a profile attribute cannot be an object, except one of $add and $remove"
    for side, items in delta.items():
        problem = strings_problem(items, item_problem) if isinstance(items, list) else "an array is expected"
        if problem is not None:
            return f"{side}: {problem}"
    return None


def _native_problem(key: str, value: Any, settings: SandboxSettings) -> str | None:
    check = _NATIVES.get(key)
    if check is None:
        return f"Batch has no such attribute of its own; it has {', '.join(_NATIVES)}"
    return None if value is None else check(value, settings)


def _email_problem(value: Any, settings: SandboxSettings) -> str | None:
    if not isinstance(value, str) or not formats.is_email(value):
        return "an e-mail address is expected, such as someone@example.com"
    if len(value) > settings.max_email_chars:
        return (
            f"an e-mail address has at most {settings.max_email_chars} characters; this one has {len(value)}"
        )
    return None


def _marketing_problem(value: Any, settings: SandboxSettings) -> str | None:
    return None if value in _MARKETING else "subscribed, unsubscribed or null is expected"


def _timezone_problem(value: Any, settings: SandboxSettings) -> str | None:
    if isinstance(value, str) and formats.is_timezone(value):
        return None
    return "the name of an IANA time zone is expected, such as Europe/Paris"


def _topics_problem(value: Any, settings: SandboxSettings) -> str | None:
    if isinstance(value, dict):
        return delta_problem(value, _topic_problem)
    return strings_problem(value, _topic_problem) if isinstance(value, list) else "an array is expected"


def _topic_problem(value: Any) -> str | None:
    if isinstance(value, str) and formats.TOPIC.fullmatch(value):
        return None
    return "a topic has 1 to 300 characters, each of a-z, 0-9 or _"


def _shape(pattern: re.Pattern[str], rule: str) -> Callable[[Any, SandboxSettings], str | None]:
    def problem(value: Any, settings: SandboxSettings) -> str | None:
        return None if isinstance(value, str) and pattern.fullmatch(value) else rule

    return problem


_NATIVES: dict[str, Callable[[Any, SandboxSettings], str | None]] = {
    "$email_address": _email_problem,
    "$email_marketing": _marketing_problem,
    "$phone_number": _shape(formats.PHONE, "an E.164 number is expected: + and 1 to 15 digits"),
    "$sms_marketing": _marketing_problem,
    "$language": _shape(formats.LANGUAGE, "an ISO 639 language in lower case is expected, such as fr"),
    "$region": _shape(formats.REGION, "an ISO 3166 region in capitals is expected, such as FR"),
    "$timezone": _timezone_problem,
    "$topic_preferences": _topics_problem,
}
