"""From a record's value to the event in it, and what cannot be read on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import orjson

from mapping.decode import decode_exactly
from mapping.numbers import DigitsLost
from mapping.profile import FieldProblem, Rejected, Skipped

Result = TypeVar("Result")


def read_record(
    record: bytes | None, map_event: Callable[[dict[str, Any], list[FieldProblem]], Result]
) -> Result | Skipped | Rejected:
    """Decode the record and give it to `map_event`: again, with every digit, if that raises DigitsLost."""
    if record is None:
        return Skipped("tombstone")
    try:
        return _map_object(orjson.loads(record), [], map_event)
    except (orjson.JSONDecodeError, DigitsLost):
        pass
    try:
        decoded = decode_exactly(record)
    except (ValueError, RecursionError):
        return Rejected("invalid_json", "the value is not JSON, or is nested too deeply to be read")
    return _map_object(decoded.value, decoded.problems, map_event)


def _map_object(
    value: Any,
    problems: list[FieldProblem],
    map_event: Callable[[dict[str, Any], list[FieldProblem]], Result],
) -> Result | Rejected:
    if type(value) is not dict:
        return Rejected("not_an_object", "the value is JSON, but not an object", tuple(problems))
    return map_event(value, problems)
