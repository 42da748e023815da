"""Values as text: JavaScript's String() and JSON.stringify()."""

from __future__ import annotations

import math
from json.encoder import encode_basestring
from typing import Any

from mapping.directives.undefined import UNDEFINED
from mapping.numbers import number_text

_NUMBERS = (int, float)


def text_of(value: Any) -> str:
    """String(value): arrays are joined by commas, an object is `[object Object]`. Raises DigitsLost."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, _NUMBERS):
        return number_text(value)
    if isinstance(value, list):
        return ",".join([text_or_nothing(item) for item in value])
    if value is None:
        return "null"
    return "undefined" if value is UNDEFINED else "[object Object]"


def text_or_nothing(value: Any) -> str:
    """Its text; none for null and UNDEFINED. Raises DigitsLost."""
    return "" if value is None or value is UNDEFINED else text_of(value)


def json_text(value: Any) -> str:
    """JSON.stringify(value), for a value without UNDEFINED. Raises DigitsLost."""
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict):
        members = [f"{encode_basestring(key)}:{json_text(member)}" for key, member in value.items()]
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join([json_text(item) for item in value]) + "]"
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "null"
    return text_of(value)


def utf16_length(text: str) -> int:
    """JavaScript's `length`: Segment counts in UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)
