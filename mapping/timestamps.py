"""Segment's `timestamp`, as milliseconds and as Batch's `time`."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any, TypeAlias

Timestamp: TypeAlias = tuple[int, str]
"""Milliseconds since 1970 UTC, where what is finer is cut off; and the same as RFC 3339 in UTC with `Z`, with
milliseconds if it came with a fraction, else whole seconds."""

_DAY_LENGTH = len("2026-03-02T")
_MINUTE_LENGTH = len("2026-03-02T09:14:")
_SECOND_LENGTH = len("2026-03-02T09:14:07.")
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_REMEMBERED_DAYS = 20_000
_MINUTE = {
    f"{hour:02}:{minute:02}:": (hour * 60 + minute) * 60_000 for hour in range(24) for minute in range(60)
}
_SECOND = {f"{second:02}.": second * 1000 for second in range(60)}
_MILLISECOND = {f"{millisecond:03}Z": millisecond for millisecond in range(1000)}


class _Days(dict[str, int | None]):
    """Milliseconds since 1970 of `2026-03-02T`, remembered because events share their days; None for any other form."""

    def __missing__(self, day: str) -> int | None:
        found: int | None = None
        with suppress(ValueError):
            read = date.fromisoformat(day[:-1])
            if f"{read.isoformat()}T" == day:
                found = (read.toordinal() - _EPOCH_DAY) * 86_400_000
        if len(self) >= _REMEMBERED_DAYS:
            self.clear()
        self[day] = found
        return found


_DAYS = _Days()


def read_timestamp(value: Any) -> Timestamp | None:
    """An ISO 8601 date and time; without an offset it is UTC, as all of Segment's are. None if unreadable."""
    if type(value) is not str:
        return None
    millisecond = _MILLISECOND.get(value[_SECOND_LENGTH:])
    if millisecond is not None:
        second = _SECOND.get(value[_MINUTE_LENGTH:_SECOND_LENGTH])
        minute = _MINUTE.get(value[_DAY_LENGTH:_MINUTE_LENGTH])
        day = _DAYS[value[:_DAY_LENGTH]]
        if second is not None and minute is not None and day is not None:
            return day + minute + second + millisecond, value
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
