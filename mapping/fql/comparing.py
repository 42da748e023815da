"""Comparisons of JSON values: strict about types, and never failing, however deep the values are nested."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

Comparison = Callable[[Any, Any], bool]
NUMBERS = (int, float)
_CONTAINERS = (list, dict)


def equal(left: Any, right: Any) -> bool:
    """Whether both are of one type and equal; `1` and `1.0` are the same number, `true` is none."""
    if isinstance(left, _CONTAINERS) or isinstance(right, _CONTAINERS):
        return _equal_inside(left, right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _equal_inside(left: Any, right: Any) -> bool:
    """Compares with a stack of its own: Python's comparison of deep lists ends in a RecursionError."""
    waiting = [(left, right)]
    while waiting:
        one, other = waiting.pop()
        if isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            waiting.extend(zip(one, other, strict=True))
        elif isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return False
            waiting.extend((member, other[key]) for key, member in one.items())
        elif isinstance(one, _CONTAINERS) or isinstance(other, _CONTAINERS) or not equal(one, other):
            return False
    return True


def unequal(left: Any, right: Any) -> bool:
    return not equal(left, right)


def is_in(item: Any, items: Any) -> bool:
    """Whether an equal value is in the list; false if it is no list."""
    return isinstance(items, list) and any(equal(item, other) for other in items)


def is_number(value: Any) -> bool:
    return isinstance(value, NUMBERS) and not isinstance(value, bool)


def _between_numbers(compare: Comparison) -> Comparison:
    return lambda left, right: is_number(left) and is_number(right) and compare(left, right)


ORDER: dict[str, Comparison] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
"""Between numbers."""
COMPARISONS: dict[str, Comparison] = {
    "=": equal,
    "!=": unequal,
    "in": is_in,
    **{written: _between_numbers(compare) for written, compare in ORDER.items()},
}
"""Between any values."""
