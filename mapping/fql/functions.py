"""The functions of FQL. Each takes any JSON value, null for what is missing, and never fails.

What they give is from Segment's page "Destination Filter Query Language"; docs/triggers.md says what we chose where
that page leaves it open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from mapping.fql.globs import BadGlob, compile_glob
from mapping.numbers import WrittenFloat, number_text

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,300}(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS = re.compile(r"[\W_]+")
_FIRST_OF_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Function:
    """How many values it takes, whether it gives true or false, and what it does."""

    arity: int
    is_condition: bool
    apply: Callable[..., Any]
    example: str


def contains(text: Any, part: Any) -> bool:
    """Whether a string is in another one; false unless both are strings."""
    return isinstance(text, str) and isinstance(part, str) and part in text


def match(text: Any, pattern: Any) -> bool:
    """Whether a glob pattern fits the whole string; false unless both are strings and the pattern can be read."""
    if not isinstance(text, str) or not isinstance(pattern, str):
        return False
    try:
        return compile_glob(pattern).fullmatch(text) is not None
    except BadGlob:
        return False


def length(value: Any) -> int | None:
    """Items of a list, bytes of a string in UTF-8, 0 for null; null for anything else."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, list):
        return len(value)
    return 0 if value is None else None


def lowercase(value: Any) -> str | None:
    return value.lower() if isinstance(value, str) else None


def uppercase(value: Any) -> str | None:
    return value.upper() if isinstance(value, str) else None


def snakecase(value: Any) -> str | None:
    """`Order Completed` and `orderCompleted` are `order_completed`."""
    return "_".join(_words(value)) if isinstance(value, str) else None


def kebabcase(value: Any) -> str | None:
    """`Order Completed` and `orderCompleted` are `order-completed`."""
    return "-".join(_words(value)) if isinstance(value, str) else None


def titlecase(value: Any) -> str | None:
    """`order COMPLETED` is `Order Completed`; spaces stay as they are."""
    return _FIRST_OF_WORD.sub(lambda word: word[0].capitalize(), value) if isinstance(value, str) else None


def _words(text: str) -> list[str]:
    return [word for word in _SEPARATORS.split(_WORD_START.sub("_", text).lower()) if word]


def typeof(value: Any) -> str:
    """`string`, `number`, `list`, `bool`, `null`, or `object`."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return "list"
    return "null" if value is None else "object"


def to_bool(value: Any) -> bool:
    """False for null, 0, an empty string, list or object, and for the strings `false` and `0`; else true."""
    if isinstance(value, str):
        return value.lower() not in ("", "false", "0")
    return bool(value)


def to_string(value: Any) -> str | None:
    """The text itself, a number as JavaScript writes it, an empty text for null, and JSON for the rest."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value if isinstance(value, int) else WrittenFloat(value))
    return compact_json(value)


def to_number(value: Any) -> int | float | None:
    """The number itself, or the one that a string is; null for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str):
        return None
    written = value.strip()
    if not _NUMBER.fullmatch(written):
        return None
    return int(written) if written.lstrip("+-").isdigit() else float(written)


def compact_json(value: Any) -> str | None:
    """Compact JSON; None for what is nested too deeply to be written."""
    try:
        return orjson.dumps(value).decode()
    except (orjson.JSONEncodeError, RecursionError):
        pass
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        return None


FUNCTIONS = {
    "contains": Function(2, True, contains, 'contains(event, "Order")'),
    "match": Function(2, True, match, 'match(event, "Order *")'),
    "length": Function(1, False, length, "length(properties.products) > 0"),
    "lowercase": Function(1, False, lowercase, 'lowercase(event) = "order completed"'),
    "uppercase": Function(1, False, uppercase, 'uppercase(properties.currency) = "EUR"'),
    "snakecase": Function(1, False, snakecase, 'snakecase(event) = "order_completed"'),
    "kebabcase": Function(1, False, kebabcase, 'kebabcase(event) = "order-completed"'),
    "titlecase": Function(1, False, titlecase, 'titlecase(event) = "Order Completed"'),
    "typeof": Function(1, False, typeof, 'typeof(properties.price) = "number"'),
    "bool": Function(1, True, to_bool, "bool(properties.trial)"),
    "string": Function(1, False, to_string, 'string(properties.code) = "42"'),
    "number": Function(1, False, to_number, "number(properties.price) > 99"),
}
"""By the name that an expression calls them with."""
