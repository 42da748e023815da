"""The attributes of a profile: native ones from traits and context, a custom one from each other trait."""

from __future__ import annotations

from collections.abc import Container
from functools import lru_cache
from typing import Any

from mapping.collisions import report_collisions
from mapping.naming import NameTable
from mapping.natives import (
    RESERVED_NAMES,
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

_NO_KEY = "(no key)"


def add_context_trait_natives(
    attributes: Attributes, context_traits: dict[str, Any], problems: list[FieldProblem]
) -> frozenset[str]:
    """From `context.traits`, where a null counts as absent. The traits that it speaks for, well or badly: `traits` is
    not asked about them."""
    claimed = []
    for trait, (name, rule) in TRAIT_NATIVES.items():
        value = context_traits.get(trait)
        if value is None:
            continue
        claimed.append(trait)
        try:
            attributes[name] = rule(value)
        except Refused as refused:
            problems.append(FieldProblem(f"context.traits.{trait}", refused.reason))
    return frozenset(claimed)


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


def with_traits(
    attributes: Attributes,
    traits: dict[str, Any],
    names: NameTable,
    claimed: Container[str],
    problems: list[FieldProblem],
) -> Attributes:
    """`attributes` and those of the traits: a native's source that is not claimed, where a null clears; and a custom
    attribute from each other trait by its name of `Names.trait`. Of two that fold to one name the last wins."""
    customs: Attributes = {}
    left_out = 0
    for key, value in traits.items():
        name = names[key]
        if not name:
            left_out += 1
            _add_native(attributes, key, value, claimed, problems)
            continue
        kind = type(value)
        try:
            if kind is str:
                if value[:1] not in PLAIN_FIRST or len(value) > STRING_LIMIT:
                    value = attribute_string(value)
            elif kind is not bool:
                value = attribute_value(value)
        except Refused as refused:
            left_out += 1
            problems.append(FieldProblem(f"traits.{key}", refused.reason))
            continue
        customs[name] = value
    if len(customs) + left_out != len(traits):
        report_collisions(traits, names, "traits.", problems)
    if attributes:
        attributes.update(customs)
        return attributes
    return customs


def add_native_traits(
    attributes: Attributes, traits: dict[str, Any], claimed: Container[str], problems: list[FieldProblem]
) -> None:
    """The natives alone, as of the `traits` of a track."""
    for trait in TRAIT_NATIVES:
        if trait in traits:
            _add_native(attributes, trait, traits[trait], claimed, problems)


def _add_native(
    attributes: Attributes, key: str, value: Any, claimed: Container[str], problems: list[FieldProblem]
) -> None:
    """What stands under a key that names no custom attribute."""
    native = TRAIT_NATIVES.get(key)
    if key in RESERVED_NAMES:
        problems.append(FieldProblem(f"traits.{key}", "reserved_name"))
    elif native is None:
        problems.append(FieldProblem(f"traits.{key}", "name_empty"))
    elif key not in claimed:
        name, rule = native
        try:
            attributes[name] = None if value is None else rule(value)
        except Refused as refused:
            problems.append(FieldProblem(f"traits.{key}", refused.reason))
