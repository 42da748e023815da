"""Strings of attributes, and the two kinds of string that Batch wants told apart: dates and URLs."""

from __future__ import annotations

import re
from datetime import datetime

from mapping.profile import DateString, UrlString
from mapping.refusal import Refused

STRING_LIMIT = 300
"""Characters (Unicode code points) of a string (Batch, Profile API, "String")."""
URL_LIMIT = 2048
"""Characters of a URL (Batch, Profile API, "URL")."""

_DATE = re.compile(
    r"(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{3,6})?Z"
)
_DATE_LENGTHS = frozenset((20, 24, 25, 26, 27))
_URL_START = re.compile(r"(?:https?|ftp)://[^\s/$.?#:@].", re.IGNORECASE | re.ASCII)
_SHORTEST_URL_OR_DATE = len("ftp://ab")
_FIRST_OF_DATE_OR_URL = frozenset("0123456789hHfF")


PLAIN_FIRST = frozenset(map(chr, range(0x21, 0x7F))) - _FIRST_OF_DATE_OR_URL
"""First characters by which a string of at most STRING_LIMIT is known to be neither blank nor a date nor a URL: callers
that see every string of every event look here before they call `attribute_string`."""


def attribute_string(text: str) -> str:
    """A DateString, a UrlString or the string itself. Raises Refused if it is blank or too long."""
    length = len(text)
    if length >= _SHORTEST_URL_OR_DATE and text[0] in _FIRST_OF_DATE_OR_URL:
        if is_date(text):
            return DateString(text)
        if is_url(text):
            return UrlString(text)
    if 0 < length <= STRING_LIMIT and not text.isspace():
        return text
    return plain_string(text)


def plain_string(text: str) -> str:
    """Raises Refused for a string that is blank (Batch's SDKs take none) or too long."""
    if not text or text.isspace():
        raise Refused("string_empty")
    if len(text) > STRING_LIMIT:
        raise Refused("string_too_long")
    return text


def is_date(text: str) -> bool:
    """Segment's rule (ISO 8601 in UTC with `Z`, no fraction or 3 to 6 digits of it), for dates that exist."""
    if len(text) not in _DATE_LENGTHS or not _DATE.fullmatch(text):
        return False
    return text[8:10] <= "28" or _exists(text)


def is_url(text: str) -> bool:
    """Segment's rule (`http`, `https`, `ftp`), with a host and without spaces. Raises Refused if too long."""
    if not _URL_START.match(text) or _has_spaces(text):
        return False
    if len(text) > URL_LIMIT:
        raise Refused("url_too_long")
    return True


def _has_spaces(url: str) -> bool:
    return len(url.split(maxsplit=1)) > 1 or url[-1].isspace() or "\ufeff" in url


def _exists(date: str) -> bool:
    try:
        datetime.fromisoformat(date)
    except ValueError:
        return False
    return True
