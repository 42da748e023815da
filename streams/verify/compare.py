"""One profile as the events say it is, against the same as Batch exports it: the differences, by kind.

What is compared is the checklist of Segment's page of the Batch destination: types, encodings, timezones.
"""

from __future__ import annotations

import html
import math
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from mapping.profile import ArrayDelta, AttributeValue, DateString, UrlString
from mapping.resolved import read_wire_attributes

Kind = Literal[
    "missing_profile",
    "missing",
    "not_deleted",
    "type",
    "timezone",
    "truncated",
    "encoding",
    "case",
    "precision",
    "items",
    "value",
]
MEANINGS: Mapping[Kind, str] = {
    "missing_profile": "Batch does not have the profile",
    "missing": "Batch does not have the attribute",
    "not_deleted": "the events delete the attribute, and Batch has it",
    "type": "it has another type, such as a text in place of a number",
    "timezone": "the time is off by whole quarters of an hour, as when a timezone is lost",
    "truncated": "the text is cut off",
    "encoding": "the text is the same, in another encoding or with characters lost",
    "case": "the text is the same but for capitals",
    "precision": "the number is the same but for its last digits",
    "items": "the array has other items",
    "value": "the value is another",
}
"""Each kind of difference, in words."""
_LARGEST_OFFSET = timedelta(hours=14)
_QUARTER = timedelta(minutes=15)
_NEARLY = 1e-6


class Different(NamedTuple):
    """An attribute that is not as the events say. Values are for people who ask for them."""

    attribute: str
    kind: Kind
    expected: Any
    found: Any


def compare(updates: Iterable[Mapping[str, AttributeValue]], exported: Mapping[str, Any]) -> list[Different]:
    """The differences, by name of the attribute.

    Args:
        updates: what the events say by bare name; deltas of arrays may follow, each after what it is applied to.
        exported: what Batch has, by bare name or as posted (`date(x)`).
    """
    found = read_wire_attributes(exported)
    wrapped = len(found.keys() - exported.keys()) > 0
    differences = []
    for name, values in sorted(_by_name(updates).items()):
        kind = _array_kind(values, found.get(name)) if _is_array(values) else None
        if kind is None and not _is_array(values):
            kind = _kind(values[-1], found.get(name), name in found, wrapped)
        if kind is not None:
            differences.append(Different(name, kind, _shown(values[-1]), found.get(name)))
    return differences


def _by_name(updates: Iterable[Mapping[str, AttributeValue]]) -> dict[str, list[AttributeValue]]:
    values: dict[str, list[AttributeValue]] = {}
    for update in updates:
        for name, value in update.items():
            values.setdefault(name, []).append(value)
    return values


def _is_array(values: list[AttributeValue]) -> bool:
    return any(isinstance(value, ArrayDelta | list) for value in values)


def _array_kind(values: list[AttributeValue], found: Any) -> Kind | None:
    """Arrays have no order. Of a delta on an array that the events do not tell, only its own items are known."""
    known: set[str] | None = None
    wanted: set[str] = set()
    unwanted: set[str] = set()
    for value in values:
        if isinstance(value, ArrayDelta):
            wanted = (wanted | set(value.add)) - set(value.remove)
            unwanted = (unwanted - set(value.add)) | set(value.remove)
        else:
            known, wanted, unwanted = set(value) if isinstance(value, list) else set(), set(), set()
    if found is None:
        return "missing" if (known or set()) - unwanted | wanted else None
    if not isinstance(found, list):
        return "type"
    items = set(map(str, found))
    if known is not None:
        return None if items == (known - unwanted) | wanted else "items"
    return None if wanted <= items and not unwanted & items else "items"


def _kind(expected: AttributeValue, found: Any, is_there: bool, wrapped: bool) -> Kind | None:
    if expected is None:
        return "not_deleted" if is_there and found is not None else None
    if not is_there or found is None:
        return "missing"
    if isinstance(expected, bool) or isinstance(found, bool):
        return _equal(expected, found) if isinstance(expected, bool) and isinstance(found, bool) else "type"
    if isinstance(expected, int | float):
        return _number_kind(expected, found) if isinstance(found, int | float) else "type"
    if not isinstance(found, str) or not isinstance(expected, str):
        return "type"
    if wrapped and _form(expected) is not _form(found):
        return "type"
    if isinstance(expected, DateString):
        return _date_kind(expected, found)
    return _text_kind(expected, found)


def _form(text: str) -> type:
    return type(text) if isinstance(text, DateString | UrlString) else str


def _equal(expected: object, found: object) -> Kind | None:
    return None if expected == found else "value"


def _number_kind(expected: float, found: float) -> Kind | None:
    if expected == found:
        return None
    return "precision" if math.isclose(expected, found, rel_tol=_NEARLY) else "value"


def _date_kind(expected: str, found: str) -> Kind | None:
    """The same moment in another form is no difference."""
    wanted, seen = _moment(expected), _moment(found)
    if seen is None or wanted is None:
        return "type" if wanted is not None else _text_kind(expected, found)
    if wanted == seen:
        return None
    off = abs(wanted - seen)
    if off < timedelta(seconds=1):
        return "precision"
    return "timezone" if off <= _LARGEST_OFFSET and off % _QUARTER == timedelta(0) else "value"


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text_kind(expected: str, found: str) -> Kind | None:
    if expected == found:
        return None
    if found and expected.startswith(found):
        return "truncated"
    if found.casefold() == expected.casefold():
        return "case"
    return "encoding" if _is_other_encoding(expected, found) else "value"


def _is_other_encoding(expected: str, found: str) -> bool:
    """Composed otherwise, read as Latin-1 or Windows-1252, escaped for HTML, or with each strange character lost."""
    if unicodedata.normalize("NFC", found) == unicodedata.normalize("NFC", expected):
        return True
    if html.unescape(found) == expected:
        return True
    for charset in ("latin-1", "cp1252"):
        if expected.encode().decode(charset, "replace") == found:
            return True
    pairs = zip(expected, found, strict=False)
    return len(expected) == len(found) and all(
        wanted == seen or (not wanted.isascii() and seen in "?\ufffd") for wanted, seen in pairs
    )


def _shown(value: AttributeValue) -> Any:
    return {"$add": value.add, "$remove": value.remove} if isinstance(value, ArrayDelta) else value
