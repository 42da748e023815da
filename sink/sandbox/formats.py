"""The formats of single values: names, times, addresses. Nothing here knows where a value stands."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import NamedTuple
from zoneinfo import available_timezones

_NAME = re.compile(r"[a-z0-9_]{1,30}")
_WRAPPED = re.compile(r"(date|url)\((.*)\)", re.DOTALL)
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:)(\d\d)((?:\.\d+)?(?:[Zz]|[+-]\d\d:[0-5]\d))", re.ASCII)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^\s/?#]+\S*")
_EMAIL = re.compile(r"[^@\s]+@[A-Za-z0-9.\-]+\.[A-Za-z0-9]+")
_ZONE_SHAPE = re.compile(r"UTC|[A-Za-z]+(/[A-Za-z0-9_+\-]+)+")

PHONE = re.compile(r"\+[0-9]{1,15}")
LANGUAGE = re.compile(r"[a-z]{2,3}")
REGION = re.compile(r"[A-Z]{2}")
TOPIC = re.compile(r"[a-z0-9_]{1,300}")

MAX_URL_CHARS = 2048
NAME_RULE = "a name has 1 to 30 characters, each of a-z, 0-9 or _"
TIME_RULE = "an RFC 3339 time is expected, such as 2026-01-31T12:00:00Z"
URL_RULE = (
    f"a URL has a scheme and a host, such as https://example.com, and at most {MAX_URL_CHARS:,} characters"
)


class WireKey(NamedTuple):
    """A key as posted, taken apart: `date(birthday)` has the form `date` and the name `birthday`."""

    form: str
    """`date`, `url` or empty."""
    name: str
    is_valid: bool
    """Whether the name is one that Batch documents as valid."""


@lru_cache(maxsize=10_000)
def read_key(key: str) -> WireKey:
    """Take a key apart."""
    wrapped = _WRAPPED.fullmatch(key)
    form, name = ("", key) if wrapped is None else (wrapped[1], wrapped[2])
    return WireKey(form, name, is_name(name))


def is_name(text: str) -> bool:
    """True for a name that Batch documents as valid, of an attribute or an event."""
    return _NAME.fullmatch(text) is not None


def fold_key(key: str) -> str:
    """The key in lower case; Batch's own names, which start with `$`, stay as they are."""
    return key if key.startswith("$") else key.lower()


def read_time(text: str) -> float | None:
    """Seconds since 1970 UTC of an RFC 3339 time; None if it is not one."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    leap = match[2] == "60"
    second = "59" if leap else match[2]
    try:
        moment = datetime.fromisoformat(f"{match[1]}{second}{match[3]}".upper())
    except ValueError:
        return None
    return moment.timestamp() + leap


def write_time(seconds: float) -> str:
    """An RFC 3339 time in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_utc(text: str) -> bool:
    """True for a time that ends in Z rather than in an offset."""
    return text.endswith(("Z", "z"))


def is_url(text: str) -> bool:
    """True for a URL with a scheme and a host that is not too long."""
    return len(text) <= MAX_URL_CHARS and _URL.fullmatch(text) is not None


def is_email(text: str) -> bool:
    """True for something@host.tld; its length is not looked at."""
    return _EMAIL.fullmatch(text) is not None


def is_timezone(text: str) -> bool:
    """True for a name of the IANA time zone database; on a machine without it, for what looks like one."""
    known = _known_timezones()
    return text in known if known else _ZONE_SHAPE.fullmatch(text) is not None


@cache
def _known_timezones() -> frozenset[str]:
    return frozenset(available_timezones())
