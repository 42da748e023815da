"""LiquidJS's filters for numbers, arrays and anything (liquidjs.com, "Filters")."""

from __future__ import annotations

import math
from typing import Any

from liquid.undefined import Undefined

from mapping.directives.liquid.text_filters import REPLACED_LIMIT
from mapping.directives.liquid.values import TooMuch, items_of, liquid_text, number, number_of, plain
from mapping.directives.text import json_text, text_or_nothing


def absolute(value: float) -> float:
    return number(abs(value))


def at_least(value: float, least: float = 0.0) -> float:
    return number(max(value, least))


def at_most(value: float, most: float = 0.0) -> float:
    return number(min(value, most))


def ceil(value: float) -> float:
    return number(float(math.ceil(value))) if math.isfinite(value) else number(value)


def floor(value: float) -> float:
    return number(float(math.floor(value))) if math.isfinite(value) else number(value)


def round_to(value: float, digits: float = 0.0) -> float:
    """Half is rounded up, as JavaScript's Math.round() does."""
    scale = 10.0 ** max(-300.0, min(300.0, digits))
    scaled = value * scale
    return number(math.floor(scaled + 0.5) / scale if math.isfinite(scaled) else value)


def plus(value: float, other: float = 0.0) -> float:
    return number(value + other)


def minus(value: float, other: float = 0.0) -> float:
    return number(value - other)


def times(value: float, other: float = 0.0) -> float:
    return number(value * other)


def divided_by(value: float, divisor: float = 0.0, whole: float = 0.0) -> float:
    if divisor == 0:
        return number(math.nan if value == 0 or math.isnan(value) else math.copysign(math.inf, value))
    return floor(value / divisor) if whole else number(value / divisor)


def modulo(value: float, divisor: float = 0.0) -> float:
    """The sign is that of the value, as in JavaScript."""
    return number(math.fmod(value, divisor) if divisor and math.isfinite(value) else math.nan)


def to_integer(value: Any) -> float:
    return number(number_of(value))


def first(value: Any) -> Any:
    return value[0] if isinstance(value, list | str) and value else None


def last(value: Any) -> Any:
    return value[-1] if isinstance(value, list | str) and value else None


def size(value: Any) -> int:
    return len(value) if isinstance(value, list | str) else 0


def join(value: Any, separator: Any = None) -> str:
    between = " " if separator is None else liquid_text(separator)
    items = [text_or_nothing(item) for item in items_of(value)]
    if sum(map(len, items)) + len(items) * len(between) > REPLACED_LIMIT:
        raise TooMuch
    return between.join(items)


def compact(value: Any) -> list[Any]:
    return [item for item in items_of(value) if item is not None]


def push(value: Any, item: Any = None) -> list[Any]:
    return [*items_of(value), item]


def unshift(value: Any, item: Any = None) -> list[Any]:
    return [item, *items_of(value)]


def pop(value: Any) -> list[Any]:
    return items_of(value)[:-1]


def shift(value: Any) -> list[Any]:
    return items_of(value)[1:]


def slice_of(value: Any, start: Any = 0, length: Any = 1) -> Any:
    if value is None:
        return []
    whole = value if isinstance(value, list) else liquid_text(value)
    begin = _whole(start) + (len(whole) if _whole(start) < 0 else 0)
    return whole[begin : begin + _whole(length)]


def sum_of(value: Any, name: Any = None) -> float:
    found = [number_of(_member(item, name)) for item in items_of(value)]
    return number(sum(one for one in found if not math.isnan(one)))


def where(value: Any, name: Any = None, expected: Any = None) -> list[Any]:
    items = items_of(value)
    if expected is None:
        return [item for item in items if _member(item, name) not in (None, False)]
    return [item for item in items if _same(_member(item, name), expected)]


def default(value: Any, otherwise: Any = None, allow_false: Any = False) -> Any:
    if isinstance(value, list | str):
        return value or otherwise
    if value is False and allow_false is True:
        return value
    return otherwise if value is None or value is False else value


def truncate(value: Any, length: Any = 50, end: Any = "...") -> str:
    text, limit, mark = liquid_text(value), _whole(length), liquid_text(end)
    return text if len(text) <= limit else text[: max(limit - len(mark), 0)] + mark


def truncatewords(value: Any, count: Any = 15, end: Any = "...") -> str:
    words = liquid_text(value).split()
    limit = max(_whole(count), 1)
    return " ".join(words[:limit]) + (liquid_text(end) if len(words) >= limit else "")


def json(value: Any) -> str:
    return "" if isinstance(value, Undefined) else json_text(plain(value))


def raw(value: Any) -> Any:
    return value


def _whole(value: Any) -> int:
    found = number_of(value)
    return int(max(-1e9, min(1e9, found))) if not math.isnan(found) else 0


def _member(item: Any, name: Any) -> Any:
    if name is None:
        return item
    return item.get(liquid_text(name)) if isinstance(item, dict) else None


def _same(value: Any, other: Any) -> bool:
    return isinstance(value, bool) == isinstance(other, bool) and bool(value == other)
