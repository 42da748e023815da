"""The attributes of a profile: native ones from traits and context, a custom one from each other trait."""

from __future__ import annotations

from typing import Any

from mapping.naming import NameTable
from mapping.natives import (
    RESERVED_NAMES,
    TRAIT_NATIVE_KEYS,
    TRAIT_NATIVES,
    split_locale,
    timezone,
)
from mapping.profile import AttributeValue, FieldProblem
from mapping.refusal import Refused
from mapping.values import attribute_value

Attributes = dict[str, AttributeValue]

LOCALE_LIMIT = 64
"""Characters; a longer `context.locale` is no locale."""

_NOT_CUSTOM = TRAIT_NATIVE_KEYS | RESERVED_NAMES
_ABSENT = object()


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
    if "locale" in context:
        _add_locale(attributes, context["locale"], problems)
    if "timezone" in context:
        value = context["timezone"]
        try:
            attributes["$timezone"] = None if value is None else timezone(value)
        except Refused as refused:
            problems.append(FieldProblem("context.timezone", refused.reason))


def _add_locale(attributes: Attributes, locale: Any, problems: list[FieldProblem]) -> None:
    if locale is None:
        attributes["$language"] = attributes["$region"] = None
        return
    language, region = (
        split_locale(locale) if type(locale) is str and len(locale) <= LOCALE_LIMIT else (None, None)
    )
    if language is None:
        problems.append(FieldProblem("context.locale", "invalid_locale"))
    else:
        attributes["$language"] = language
    if region is not None:
        attributes["$region"] = region


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
        try:
            sent = attribute_value(value)
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
