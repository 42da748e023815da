"""Parquet files of Segment events, a row each. Needs the extra `parquet`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO

import orjson

from streams.backfill.problems import BackfillError

ROWS = 2_000
WHOLE_EVENT = ("event_json", "payload", "value", "message", "json")
"""Columns that hold a whole event as JSON, where a file has no column for each field."""
_OBJECTS = ("traits", "properties", "context", "integrations")


def parquet_rows(stream: BinaryIO, path: str) -> Iterator[list[bytes]]:
    """The rows as JSON events. A null is a field that is not there; an object may be a struct or JSON text.

    Raises BackfillError if pyarrow is missing, or the columns are not those of Segment events.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise BackfillError(
            f"{path}: Parquet needs the extra `parquet`: pip install 'segbatch[parquet]'"
        ) from None
    try:
        file = pyarrow.parquet.ParquetFile(stream)
        columns = set(file.schema_arrow.names)
        whole = next((name for name in WHOLE_EVENT if name in columns), None)
        if not {"type", "userId"} <= columns and whole is None:
            wanted = (
                f"type, userId and those of Segment's events, or {', '.join(WHOLE_EVENT)} with a whole event"
            )
            raise BackfillError(f"{path} has no columns that can be read: they must be {wanted}")
        for batch in file.iter_batches(ROWS):
            rows = batch.to_pylist()
            yield [_whole(row[whole]) if whole and "type" not in row else _event(row) for row in rows]
    except pyarrow.ArrowException as error:
        raise BackfillError(f"{path} is damaged, or is not Parquet: {error}") from None


def _whole(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value or b"")


def _event(row: dict[str, Any]) -> bytes:
    event = _without_nulls(row)
    for name in _OBJECTS:
        if isinstance(event.get(name), str):
            event[name] = orjson.Fragment(event[name])
    return orjson.dumps(event, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z, default=_number)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        if value and all(isinstance(item, tuple) and len(item) == 2 for item in value):
            return _without_nulls(dict(value))  # a Parquet map
        return [_without_nulls(item) for item in value]
    return value


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)
