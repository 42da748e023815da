"""Segment's `timestamp`, as milliseconds and as Batch's `time`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeAlias

Timestamp: TypeAlias = tuple[int, str]
"""Milliseconds since 1970 UTC, where what is finer is cut off; and the same as RFC 3339 in UTC with `Z`, with
milliseconds if it came with a fraction, else whole seconds."""

_SECOND_LENGTH = len("2026-03-02T09:14:07.")
_EPOCH_DAY = datetime(1970, 1, 1).toordinal()
_REMEMBERED_SECONDS = 20_000
_MILLISECOND = {f"{millisecond:03}Z": millisecond for millisecond in range(1000)}


class _Seconds(dict[str, int | None]):
    """Milliseconds since 1970 of `2026-03-02T09:14:07.`, remembered because events share their seconds; None for any
    other form."""

    def __missing__(self, second: str) -> int | None:
        try:
            moment = datetime.fromisoformat(second[:-1])
        except ValueError:
            found = None
        else:
            canonical = f"{moment.isoformat(timespec='seconds')}." == second
            found = _whole_seconds(moment) * 1000 if canonical else None
        if len(self) >= _REMEMBERED_SECONDS:
            self.clear()
        self[second] = found
        return found


_SECONDS = _Seconds()


def read_timestamp(value: Any) -> Timestamp | None:
    """An ISO 8601 date and time; without an offset it is UTC, as all of Segment's are. None if unreadable."""
    if type(value) is not str:
        return None
    millisecond = _MILLISECOND.get(value[_SECOND_LENGTH:])
    if millisecond is not None:
        second = _SECONDS[value[:_SECOND_LENGTH]]
        if second is not None:
            return second + millisecond, value
    return _any_form(value)


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
    """Of a moment in UTC. Much faster than `timestamp`, which shows where events do not share their seconds."""
    days = moment.toordinal() - _EPOCH_DAY
    return days * 86_400 + moment.hour * 3600 + moment.minute * 60 + moment.second
