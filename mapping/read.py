"""From a record's value to the event in it, and what cannot be read on the way."""

from __future__ import annotations

from collections.abc import Callable
from json import JSONDecodeError
from typing import Any, TypeVar

import orjson

from mapping.decode import decode_exactly
from mapping.numbers import DigitsLost
from mapping.profile import FieldProblem, Rejected, Skipped

Result = TypeVar("Result")

_NOT_AN_OBJECT = Rejected("not_an_object", "the value is JSON, but not an object")


def read_record(
    map_event: Callable[[dict[str, Any], list[FieldProblem]], Result], record: bytes | None
) -> Result | Skipped | Rejected:
    """Decode the record and give it to `map_event`: again, with every digit, if that raises DigitsLost."""
    if record is None:
        return Skipped("tombstone")
    try:
        value = orjson.loads(record)
        return map_event(value, []) if type(value) is dict else _NOT_AN_OBJECT
    except (orjson.JSONDecodeError, DigitsLost):
        pass
    try:
        value, problems = decode_exactly(record)
    except (ValueError, RecursionError) as error:
        return Rejected("invalid_json", _why(error))
    return map_event(value, problems) if type(value) is dict else _NOT_AN_OBJECT


def _why(error: Exception) -> str:
    """Where the value stops being JSON, counted from 1; nothing of what stands there."""
    if isinstance(error, UnicodeDecodeError):
        return f"the value is not UTF-8 text at byte {error.start + 1}"
    if isinstance(error, JSONDecodeError):
        place = (
            f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else f"character {error.colno}"
        )
        return f"the value is not JSON at {place}: {error.msg}"
    return "the value is nested too deeply to be read"
