"""The conditions that triggers are mostly made of, each as one function: a field against constants.

A worker evaluates triggers for every event. A string equals nothing but a string, so `==` is enough here; with the
string on the left Python finds the quick way first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from mapping.fql.comparing import NUMBERS
from mapping.fql.paths import Event, Value, is_index, value_at

Condition = Callable[[Event], bool]
FieldText = tuple[str, str]
"""A top-level field and the string that it must be."""


def field_is_text(keys: Sequence[str], text: str) -> Condition:
    """`keys = "text"`."""
    if len(keys) == 1:
        key = keys[0]
        return lambda event: text == event.get(key)
    if len(keys) == 2 and not is_index(keys[1]):
        return _inner_is_text(keys[0], keys[1], text)
    value = value_at(keys)
    return lambda event: text == value(event)


def _inner_is_text(first: str, second: str, text: str) -> Condition:
    def inner_is_text(event: Event) -> bool:
        inner = event.get(first)
        return type(inner) is dict and text == inner.get(second)

    return inner_is_text


def field_is_not_text(keys: Sequence[str], text: str) -> Condition:
    """`keys != "text"`: also true of what is missing."""
    value = value_at(keys)
    return lambda event: text != value(event)


def field_is(keys: Sequence[str], constant: bool | None) -> Condition:
    """`keys = null`, `keys = true`, or the field by itself."""
    value = value_at(keys)
    return lambda event: value(event) is constant


def field_is_not(keys: Sequence[str], constant: bool | None) -> Condition:
    """`keys != null`."""
    value = value_at(keys)
    return lambda event: value(event) is not constant


def field_in_texts(keys: Sequence[str], texts: Collection[str]) -> Condition:
    """`keys in ["a", "b"]`."""
    value = value_at(keys)
    wanted = frozenset(texts)

    def field_in_texts(event: Event) -> bool:
        found = value(event)
        return isinstance(found, str) and found in wanted

    return field_in_texts


def compares(value: Value, holds: Callable[[Any, Any], bool], number: int | float) -> Condition:
    """`value < 5`, and the other operators that need a number on both sides."""

    def compares(event: Event) -> bool:
        found = value(event)
        return (
            isinstance(found, NUMBERS) and found is not True and found is not False and holds(found, number)
        )

    return compares


def all_fields_are(fields: Sequence[FieldText]) -> Condition:
    """`type = "track" and event = "Order Completed"`: two fields or more."""
    (first, first_text), (second, second_text), *others = fields
    if not others:
        return lambda event: first_text == event.get(first) and second_text == event.get(second)

    def all_fields_are(event: Event) -> bool:
        if first_text != event.get(first) or second_text != event.get(second):
            return False
        for key, text in others:  # noqa: SIM110 (a loop makes no generator)
            if text != event.get(key):
                return False
        return True

    return all_fields_are


def all_of(conditions: Sequence[Condition]) -> Condition:
    """`a and b and …`."""
    if len(conditions) == 2:
        first, second = conditions
        return lambda event: first(event) and second(event)

    def all_of(event: Event) -> bool:
        for condition in conditions:  # noqa: SIM110 (a loop makes no generator)
            if not condition(event):
                return False
        return True

    return all_of


def any_of(conditions: Sequence[Condition]) -> Condition:
    """`a or b or …`."""
    if len(conditions) == 2:
        first, second = conditions
        return lambda event: first(event) or second(event)

    def any_of(event: Event) -> bool:
        for condition in conditions:  # noqa: SIM110 (a loop makes no generator)
            if condition(event):
                return True
        return False

    return any_of


def opposite(condition: Condition) -> Condition:
    """`!a`."""
    return lambda event: not condition(event)


def constant(result: bool) -> Condition:
    """`true` and `false`."""
    return lambda event: result


def is_true(value: Value) -> Condition:
    """A field or function that stands by itself counts as true if it is `true`, and for nothing else."""
    return lambda event: value(event) is True
