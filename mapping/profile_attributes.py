"""The attributes of a profile: native ones from traits and context, a custom one from each other trait."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from mapping.naming import NameTable
from mapping.natives import (
    RESERVED_NAMES,
    TRAIT_NATIVE_KEYS,
    TRAIT_NATIVES,
    is_timezone,
    split_locale,
)
from mapping.profile import AttributeValue, FieldProblem
from mapping.refusal import Refused
from mapping.strings import PLAIN_FIRST, STRING_LIMIT, attribute_string
from mapping.values import attribute_value

Attributes = dict[str, AttributeValue]

CONTEXT_TEXT_LIMIT = 64
"""Characters; longer than any locale or time zone."""

_NOT_CUSTOM = TRAIT_NATIVE_KEYS | RESERVED_NAMES
_ABSENT = object()
_NO_KEY = "(no key)"


def add_trait_natives(
    attributes: Attributes,
    context_traits: dict[str, Any],
    traits: dict[str, Any],
    problems: list[FieldProblem],
) -> None:
    """From `context.traits`, where a null counts as absent, then from `traits`, where it clears."""
    if not context_traits and TRAIT_NATIVE_KEYS.isdisjoint(traits):
        return
    for trait, name, rule in TRAIT_NATIVES:
        path = "context.traits."
        value = context_traits.get(trait)
        if value is None:
            path = "traits."
            value = traits.get(trait, _ABSENT)
            if value is _ABSENT:
                continue
        try:
            attributes[name] = None if value is None else rule(value)
        except Refused as refused:
            problems.append(FieldProblem(path + trait, refused.reason))


def add_context_natives(
    attributes: Attributes, context: dict[str, Any], problems: list[FieldProblem]
) -> None:
    """Language and region from `context.locale`, and the time zone; a null clears."""
    locale = context.get("locale", _NO_KEY)
    zone = context.get("timezone", _NO_KEY)
    if locale == zone == _NO_KEY:
        return
    found, reported = _context_natives(_readable(locale), _readable(zone))
    attributes.update(found)
    problems.extend(reported)


def _readable(value: Any) -> str | None:
    """What is no text, or too long for any locale or zone, is as bad as an empty string."""
    if value is None or (type(value) is str and len(value) <= CONTEXT_TEXT_LIMIT):
        return value
    return ""


@lru_cache(maxsize=2_000)
def _context_natives(locale: str | None, zone: str | None) -> tuple[Attributes, tuple[FieldProblem, ...]]:
    """Remembered, because an audience shares its few pairs of locale and zone."""
    found: Attributes = {}
    problems = []
    if locale is None:
        found["$language"] = found["$region"] = None
    elif locale != _NO_KEY:
        language, region = split_locale(locale)
        if language is None:
            problems.append(FieldProblem("context.locale", "invalid_locale"))
        else:
            found["$language"] = language
        if region is not None:
            found["$region"] = region
    if zone is None:
        found["$timezone"] = None
    elif zone != _NO_KEY:
        if is_timezone(zone):
            found["$timezone"] = zone
        else:
            problems.append(FieldProblem("context.timezone", "invalid_timezone"))
    return found, tuple(problems)


def add_custom_attributes(
    attributes: Attributes,
    traits: dict[str, Any],
    names: NameTable,
    problems: list[FieldProblem],
) -> None:
    """Every trait that is no native's source, by its folded name; of two that fold to one the last wins."""
    for key, value in traits.items():
        if key in _NOT_CUSTOM:
            if key in RESERVED_NAMES:
                problems.append(FieldProblem(f"traits.{key}", "reserved_name"))
            continue
        sent: AttributeValue
        try:
            if type(value) is not str:
                sent = attribute_value(value)
            elif value[:1] in PLAIN_FIRST and len(value) <= STRING_LIMIT:
                sent = value
            else:
                sent = attribute_string(value)
        except Refused as refused:
            problems.append(FieldProblem(f"traits.{key}", refused.reason))
            continue
        name = names[key]
        if name in attributes:
            problems.append(FieldProblem(f"traits.{key}", "name_collision"))
        elif not name:
            problems.append(FieldProblem(f"traits.{key}", "name_empty"))
            continue
        attributes[name] = sent
