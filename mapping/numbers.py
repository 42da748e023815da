"""Numbers as JavaScript writes them, with every digit an integer came with."""

from __future__ import annotations

import math
from typing import Any

from mapping.refusal import Refused

INTEGER_LIMIT = 2**63
"""Integers are signed 64-bit. Batch names no range (Profile API, "Integer"); this is what stores have."""

_LOWEST_INTEGER = -INTEGER_LIMIT
_FLOAT_LIMIT = 2.0**63
_INTEGRAL_DIGITS_LIMIT = 1e21
"""From here on JavaScript writes a number with an exponent (ECMAScript, Number::toString)."""


class DigitsLost(Exception):
    """orjson reads an integer of more than 64 bits as a float. The record must be decoded again, exactly."""


class WrittenFloat(float):
    """A float beyond 64 bits, an infinity or a NaN that was written as one: made by the exact decoder."""

    __slots__ = ()


def scalar(value: Any) -> int | float | bool | None:
    """A number, boolean or null; an integral float as the integer it is (`450.0` is 450, `-0.0` is 0).

    Raises Refused for an integer of more than 64 bits, infinity, NaN and other types, and DigitsLost.
    """
    kind = type(value)
    if kind is int:
        if _LOWEST_INTEGER <= value < INTEGER_LIMIT:
            return value  # type: ignore[no-any-return]
        raise Refused("integer_out_of_range")
    if kind is float:
        if -_FLOAT_LIMIT < value < _FLOAT_LIMIT:
            return int(value) if value.is_integer() else value
        raise DigitsLost
    if kind is bool or value is None:
        return value  # type: ignore[no-any-return]
    if kind is WrittenFloat:
        if math.isfinite(value):
            return float(value)
        raise Refused("nan_or_infinity")
    raise TypeError(f"{kind.__name__} is not a JSON scalar")


def number_text(value: int | float) -> str:
    """A number where a string is asked for, as JavaScript's String(): `450.0` is "450". Raises DigitsLost."""
    if isinstance(value, int):
        return str(value)
    if type(value) is float and not -_FLOAT_LIMIT < value < _FLOAT_LIMIT:
        raise DigitsLost
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value.is_integer() and abs(value) < _INTEGRAL_DIGITS_LIMIT:
        return str(int(value))
    return float.__repr__(value).replace("e-0", "e-")
