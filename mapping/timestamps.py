"""Segment's `timestamp`, as milliseconds and as Batch's `time`."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeAlias

Timestamp: TypeAlias = tuple[int, str]
"""Milliseconds since 1970 UTC, where what is finer is cut off; and the same as RFC 3339 in UTC with `Z`, with
milliseconds if it came with a fraction, else whole seconds."""

_MINUTE_LENGTH = len("2026-03-02T09:14")
_SECOND_MS = {f":{second:02}.": second * 1000 for second in range(60)}
_MILLISECOND = {f"{millisecond:03}Z": millisecond for millisecond in range(1000)}


def read_timestamp(value: Any) -> Timestamp | None:
    """An ISO 8601 date and time; without an offset it is UTC, as all of Segment's are. None if unreadable."""
    if type(value) is not str:
        return None
    second = _SECOND_MS.get(value[16:20])
    millisecond = _MILLISECOND.get(value[20:])
    if second is not None and millisecond is not None:
        minute = _minute_ms(value[:_MINUTE_LENGTH])
        if minute is not None:
            return minute + second + millisecond, value
    return _any_form(value)


@lru_cache(maxsize=4_096)
def _minute_ms(minute: str) -> int | None:
    """Of `2026-03-02T09:14`, remembered because events share their minutes; None for any other form."""
    try:
        moment = datetime.fromisoformat(minute)
    except ValueError:
        return None
    if moment.isoformat(timespec="minutes") != minute:
        return None
    return _whole_seconds(moment.replace(tzinfo=UTC)) * 1000


def _any_form(value: str) -> Timestamp | None:
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    milliseconds = moment.microsecond // 1000
    fractional = milliseconds or "." in value or "," in value
    text = moment.isoformat(timespec="milliseconds" if fractional else "seconds").replace("+00:00", "Z")
    return _whole_seconds(moment) * 1000 + milliseconds, text


def _whole_seconds(moment: datetime) -> int:
    return round(moment.replace(microsecond=0).timestamp())
