"""Batch's native attributes: the rule of each (Batch, Profile API, "Native attributes")."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

from mapping.numbers import WrittenFloat, number_text
from mapping.refusal import Refused

EMAIL_LIMIT = 128
"""Characters: the lowest limit that Batch's SDKs name."""

RESERVED_NAMES: Final = frozenset(
    (
        "$email_address",
        "$email_marketing",
        "$phone_number",
        "$sms_marketing",
        "$language",
        "$region",
        "$timezone",
        "$topic_preferences",
    )
)
"""Names that a custom attribute may not take."""

NATIVE_SLOTS: Final = frozenset(name[1:] for name in RESERVED_NAMES if name != "$topic_preferences")
"""Names of native attributes in a template (Segment, action "Update User Profile": profile attributes)."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*+@{_LABEL}(?:\.{_LABEL})+")
_PHONE = re.compile(r"\+[0-9]{1,15}")
_TIMEZONE_SHAPE = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:/[A-Za-z0-9_+-]{1,32}){0,2}")
_NOT_FOR_PEOPLE = frozenset(("localtime", "Factory"))
_LOCALE_PART = re.compile(r"[-_]")
_LOCALE_SUFFIX = re.compile(r"[.@]")


def email_address(value: Any) -> str:
    """Segment's rule for addresses (ajv's `email`), at most 128 characters. Raises Refused."""
    if type(value) is str and len(value) <= EMAIL_LIMIT and _EMAIL.fullmatch(value):
        return value
    raise Refused("invalid_email")


def phone_number(value: Any) -> str:
    """E.164: `+` and 1 to 15 digits. A number is read as its digits. Raises Refused and DigitsLost."""
    text = number_text(value) if type(value) in (int, float, WrittenFloat) else value
    if type(text) is str and _PHONE.fullmatch(text):
        return text
    raise Refused("invalid_phone")


def marketing(value: Any) -> str | None:
    """`subscribed`, `unsubscribed`, or `reset`, which is None. Raises Refused."""
    if value == "subscribed" or value == "unsubscribed":
        return str(value)
    if value == "reset":
        return None
    raise Refused("invalid_marketing_value")


def is_timezone(text: str) -> bool:
    """Whether it is a name of the IANA time zone database."""
    zones = known_timezones()
    return text in zones if zones else bool(_TIMEZONE_SHAPE.fullmatch(text))


@cache
def known_timezones() -> frozenset[str]:
    """The zones this machine knows; none on one without the database, where only the shape is judged."""
    return frozenset(available_timezones()) - _NOT_FOR_PEOPLE


def split_locale(locale: str) -> tuple[str | None, str | None]:
    """Language and region: `fr-FR`, `fr_FR.UTF-8` → fr, FR; `zh-Hans-CN` → zh, CN; `fr` → fr, None."""
    language, *subtags = _LOCALE_PART.split(_LOCALE_SUFFIX.split(locale.strip(), maxsplit=1)[0])
    region = None
    for subtag in subtags:
        if len(subtag) not in (3, 4) or not subtag.isalpha():
            region = subtag.upper() if _is_two_letters(subtag) else None
            break
    return (language.lower() if _is_two_letters(language) else None), region


def _is_two_letters(subtag: str) -> bool:
    return len(subtag) == 2 and subtag.isascii() and subtag.isalpha()


TRAIT_NATIVES: Final[dict[str, tuple[str, Callable[[Any], str | None]]]] = {
    "email": ("$email_address", email_address),
    "phone": ("$phone_number", phone_number),
    "email_marketing": ("$email_marketing", marketing),
    "sms_marketing": ("$sms_marketing", marketing),
}
"""The traits that are native attributes in the document: attribute and rule of each."""
