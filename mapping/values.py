"""Values of custom profile attributes (Batch, Profile API, "Attributes"): what may be sent, and as what."""

from __future__ import annotations

from typing import Any

from mapping.numbers import scalar
from mapping.profile import ArrayDelta, AttributeValue
from mapping.refusal import Refused
from mapping.strings import attribute_string, plain_string

ARRAY_LIMIT = 25
"""Items of an array (Batch, Profile API, "String arrays")."""

_DELTA_KEYS = frozenset(("$add", "$remove"))


def attribute_value(value: Any) -> AttributeValue:
    """None deletes the attribute. Raises Refused for what an attribute cannot hold, and DigitsLost."""
    kind = type(value)
    if kind is str:
        return attribute_string(value)
    if kind is int or kind is float:
        return scalar(value)
    if kind is list:
        return string_array(value)
    if kind is dict:
        return array_delta(value)
    return scalar(value)


def string_array(items: list[Any]) -> list[str]:
    """One bad item costs the array: Batch would store it instead of the whole one. Raises Refused."""
    if not items:
        raise Refused("array_empty")
    if len(items) > ARRAY_LIMIT:
        raise Refused("array_too_long")
    for item in items:
        if type(item) is not str:
            raise Refused("array_not_of_strings")
        plain_string(item)
    return items


def array_delta(value: dict[str, Any]) -> ArrayDelta:
    """The one object an attribute can be: `{"$add": [...], "$remove": [...]}`, or a half. Raises Refused."""
    if not value or not value.keys() <= _DELTA_KEYS:
        raise Refused("object_not_supported")
    delta = ArrayDelta(_delta_side(value.get("$add", [])), _delta_side(value.get("$remove", [])))
    if not (delta.add or delta.remove):
        raise Refused("array_empty")
    return delta


def _delta_side(items: Any) -> tuple[str, ...]:
    if type(items) is not list:
        raise Refused("array_not_of_strings")
    return tuple(string_array(items)) if items else ()
