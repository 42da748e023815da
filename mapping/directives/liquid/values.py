"""Values in Liquid, as LiquidJS sees them: text, numbers, arrays."""

from __future__ import annotations

import math
import re
from typing import Any

from liquid.undefined import Undefined

from mapping.directives.text import text_of
from mapping.numbers import INTEGER_LIMIT, WrittenFloat

RANGE_LIMIT = 10_000
"""Numbers in a range such as (1..5)."""

_DECIMAL = re.compile(r"[+-]?(?:Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_WITH_BASE = re.compile(r"0[xX][0-9a-fA-F]{1,200}|0[oO][0-7]{1,200}|0[bB][01]{1,200}")


class TooMuch(Exception):
    """A template asks for more text, items or work than one event is given."""


def plain(value: Any) -> Any:
    """A value of JSON in the place of what the library has of its own: null for undefined, an array for a range."""
    if isinstance(value, Undefined):
        return None
    if isinstance(value, range):
        if value.stop - value.start > RANGE_LIMIT:
            raise TooMuch
        return list(value)
    return value


def liquid_text(value: Any) -> str:
    """LiquidJS's stringify(): nothing for null, arrays without commas. Raises DigitsLost."""
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return "".join([liquid_text(item) for item in value])
    return text_of(value) if isinstance(value, str | int | float | dict) else ""


def number_of(value: Any) -> float:
    """JavaScript's Number(value); NaN for what has none, null being 0."""
    if isinstance(value, Undefined):
        return math.nan
    value = plain(value)
    if isinstance(value, str):
        return _number_in(value.strip())
    if value is None:
        return 0.0
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return math.nan


def number(value: float) -> float:
    """The result of a calculation; one beyond 64 bits is marked as meant, for it has lost no digits."""
    return value if -INTEGER_LIMIT < value < INTEGER_LIMIT else WrittenFloat(value)


def items_of(value: Any) -> list[Any]:
    """An array as it is, nothing as an empty one, anything else as the one item of an array."""
    value = plain(value)
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def size_of(value: Any) -> int:
    """What a value costs: its characters or items."""
    return len(value) if isinstance(value, str | list | tuple | range) else 1


def _number_in(text: str) -> float:
    if not text:
        return 0.0
    if _WITH_BASE.fullmatch(text):
        return float(int(text, 0))
    return float(text) if _DECIMAL.fullmatch(text) else math.nan
