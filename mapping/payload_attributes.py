"""`profileAttributes` of a resolved template: native slots under Segment's or Batch's names, and custom attributes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from mapping.coercion import one_text, text_of
from mapping.collisions import report_collisions
from mapping.naming import NameTable
from mapping.natives import (
    RESERVED_NAMES,
    email_address,
    is_timezone,
    marketing,
    phone_number,
    split_locale,
)
from mapping.profile import FieldProblem
from mapping.profile_attributes import CONTEXT_TEXT_LIMIT, Attributes
from mapping.refusal import Refused
from mapping.strings import PLAIN_FIRST, STRING_LIMIT, attribute_string
from mapping.values import attribute_value

PATH = "profileAttributes"

Problems = list[FieldProblem]

_LANGUAGE_SLOTS = frozenset(("language", "$language"))
_LOCALE_SLOTS = _LANGUAGE_SLOTS | {"region", "$region"}
_ABSENT = "(no key)"
_NO_LOCALE = ""
"""Stands for what is no text, or too long for any locale: as bad as an empty string."""


def attributes_of(members: dict[str, Any], names: NameTable, problems: Problems) -> Attributes:
    """The attributes of the members. `names` is `Names.slot`. Adds to `problems`. Raises DigitsLost."""
    attributes: Attributes = {}
    unnamed: dict[str, Any] = {}
    refused = 0
    for key, value in members.items():
        name = names[key]
        if not name:
            unnamed[key] = value
            continue
        kind = type(value)
        try:
            if kind is str:
                if value[:1] not in PLAIN_FIRST or len(value) > STRING_LIMIT:
                    value = attribute_string(value)
            elif kind is not bool:
                value = attribute_value(value)
        except Refused as refusal:
            refused += 1
            problems.append(FieldProblem(f"{PATH}.{key}", refusal.reason))
            continue
        attributes[name] = value
    if len(attributes) + len(unnamed) + refused != len(members):
        report_collisions(members, names, f"{PATH}.", problems)
    if unnamed:
        _add_natives(attributes, unnamed, problems)
    return attributes


def _add_natives(attributes: Attributes, members: dict[str, Any], problems: Problems) -> None:
    """What stands under keys that name no custom attribute."""
    language = region = _ABSENT
    for key, value in members.items():
        slot = _SLOTS.get(key)
        if slot is not None:
            name, rule = slot
            try:
                attributes[name] = None if value is None else rule(value)
            except Refused as refused:
                problems.append(FieldProblem(f"{PATH}.{key}", refused.reason))
        elif key in _LOCALE_SLOTS:
            if value is not None and (type(value) is not str or len(value) > CONTEXT_TEXT_LIMIT):
                value = _NO_LOCALE
            if key in _LANGUAGE_SLOTS:
                language = value
            else:
                region = value
        else:
            reason = "reserved_name" if key in RESERVED_NAMES else "name_empty"
            problems.append(FieldProblem(f"{PATH}.{key}", reason))
    if language is not _ABSENT or region is not _ABSENT:
        found, reported = _locale(language, region)
        attributes.update(found)
        problems.extend(reported)


@lru_cache(maxsize=2_000)
def _locale(language: str | None, region: str | None) -> tuple[Attributes, tuple[FieldProblem, ...]]:
    """Segment's template fills both slots with the whole locale: each takes its part, as the preset does.

    Remembered, because an audience shares its few locales.
    """
    found: Attributes = {}
    problems = []
    if language != _ABSENT:
        found["$language"] = None if language is None else split_locale(language)[0]
        if language is not None and found["$language"] is None:
            del found["$language"]
            problems.append(FieldProblem(f"{PATH}.language", "invalid_locale"))
    if region is None:
        found["$region"] = None
    elif region != _ABSENT:
        part = _region(region, language)
        if part is not None:
            found["$region"] = part
        elif split_locale(region)[0] is None:
            problems.append(FieldProblem(f"{PATH}.region", "invalid_locale"))
    return found, tuple(problems)


def _region(text: str, language: str | None) -> str | None:
    """Two letters are a region (`FR`, `us`), unless they are lower-case and the language slot has the same: then they
    are a locale that names a language only."""
    if len(text) == 2 and text.isascii() and text.isalpha():
        return None if text == language and text.islower() else text.upper()
    return split_locale(text)[1]


def _email(value: Any) -> str:
    return email_address(value if type(value) is str else text_of(value))


def _email_marketing(value: Any) -> str | None:
    return marketing(one_text(value))


def _timezone(value: Any) -> str:
    if type(value) is str and len(value) <= CONTEXT_TEXT_LIMIT and is_timezone(value):
        return value
    raise Refused("invalid_timezone")


_RULES: Final[dict[str, Callable[[Any], str | None]]] = {
    "email_address": _email,
    "email_marketing": _email_marketing,
    "phone_number": phone_number,
    "sms_marketing": marketing,
    "timezone": _timezone,
}
_SLOTS = {key: (f"${slot}", rule) for slot, rule in _RULES.items() for key in (slot, f"${slot}")}
"""The native attribute and its rule by the names that Segment's template has and by those of Batch; the two slots of a
locale apart."""
