"""From a path to the value in an event. What is missing is null (None)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Event = dict[str, Any]
Value = Callable[[Event], Any]

_INDEX_DIGITS = 9


def find(value: Any, keys: Sequence[str]) -> Any:
    """The value at a path; a key of digits counts the items of a list from 0. None if there is none."""
    for key in keys:
        if type(value) is dict:
            value = value.get(key)
        elif type(value) is list and is_index(key):
            value = value[int(key)] if int(key) < len(value) else None
        else:
            return None
    return value


def is_index(key: str) -> bool:
    """Whether the key can stand for an item of a list."""
    return key.isascii() and key.isdecimal() and len(key) <= _INDEX_DIGITS


def value_at(keys: Sequence[str]) -> Value:
    """`find` for one path, with ways of their own for the usual lengths."""
    if any(map(is_index, keys)):
        return lambda event: find(event, keys)
    first, *below = keys
    if not below:
        return lambda event: event.get(first)
    if len(below) == 1:
        return _at_second(first, below[0])

    def at_depth(event: Event) -> Any:
        value = event.get(first)
        for key in below:
            if type(value) is not dict:
                return None
            value = value.get(key)
        return value

    return at_depth


def _at_second(first: str, second: str) -> Value:
    def at_second(event: Event) -> Any:
        inner = event.get(first)
        return inner.get(second) if type(inner) is dict else None

    return at_second
