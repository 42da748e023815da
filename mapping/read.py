"""From a record's value to the event in it, and what cannot be read on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import orjson

from mapping.decode import decode_exactly
from mapping.numbers import DigitsLost
from mapping.profile import FieldProblem, Rejected, Skipped

Result = TypeVar("Result")

_INVALID_JSON = Rejected("invalid_json", "the value is not JSON, or is nested too deeply to be read")
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
    except (ValueError, RecursionError):
        return _INVALID_JSON
    return map_event(value, problems) if type(value) is dict else _NOT_AN_OBJECT
