"""LiquidJS's filters for dates: read as JavaScript's Date reads them, written by strftime, in UTC."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil import parser

from mapping.directives.liquid.values import liquid_text

DEFAULT_FORMAT = "%A, %B %-e, %Y at %-l:%M %P %z"
_DIRECTIVE = re.compile(r"%([-_0^#:]*)([0-9]{0,3})[EO]?(.)", re.DOTALL)
_SECONDS = re.compile(r"[0-9]{1,15}")
_DATE_LENGTH_LIMIT = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZONES = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
_DEFAULTS = (datetime(2000, 1, 1), datetime(2001, 2, 1))
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def date(value: Any, pattern: Any = None, zone: Any = None) -> Any:
    """The date in the pattern; what is no date stays as it is. `zone` is a name, or JavaScript's minutes."""
    moment = _moment(value, zone)
    return (
        value
        if moment is None
        else strftime(moment, DEFAULT_FORMAT if pattern is None else liquid_text(pattern))
    )


def date_to_xmlschema(value: Any) -> Any:
    return date(value, "%Y-%m-%dT%H:%M:%S%:z")


def date_to_rfc822(value: Any) -> Any:
    return date(value, "%a, %d %b %Y %H:%M:%S %z")


def date_to_string(value: Any, kind: Any = None, style: Any = None) -> Any:
    return date(value, _day_pattern("%b", kind, style))


def date_to_long_string(value: Any, kind: Any = None, style: Any = None) -> Any:
    return date(value, _day_pattern("%B", kind, style))


def strftime(moment: datetime, pattern: str) -> str:
    """Ruby's strftime, which LiquidJS follows. A directive it does not know stays as it is."""
    return _DIRECTIVE.sub(lambda found: _written(moment, found), pattern)


def _day_pattern(month: str, kind: Any, style: Any) -> str:
    if kind != "ordinal":
        return f"%d {month} %Y"
    return f"{month} %-d%q, %Y" if style == "US" else f"%-d%q {month} %Y"


def _moment(value: Any, zone: Any) -> datetime | None:
    try:
        read = _read(value)
        return None if read is None else read.astimezone(_zone(zone))
    except (ValueError, OverflowError):
        return None


def _read(value: Any) -> datetime | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _EPOCH + timedelta(seconds=value)
    if not isinstance(value, str) or len(value) > _DATE_LENGTH_LIMIT:
        return None
    if value in ("now", "today"):
        return datetime.now(UTC)
    if _SECONDS.fullmatch(value):
        return _EPOCH + timedelta(seconds=int(value))
    try:
        read: datetime | None = datetime.fromisoformat(value)
    except ValueError:
        read = _guessed(value)
    return read.replace(tzinfo=UTC) if read and not read.tzinfo else read


def _guessed(text: str) -> datetime | None:
    """A date as people write it. The parser fills in what the text does not have: month and year must be there."""
    guesses = {parser.parse(text, default=default, tzinfos=_named_zone) for default in _DEFAULTS}
    return guesses.pop() if len(guesses) == 1 else None


def _named_zone(name: str | None, seconds: int | None) -> tzinfo | None:
    """By its offset, or its name if JavaScript knows it; None if the text has neither. Never the machine's own."""
    if seconds is not None:
        return timezone(timedelta(seconds=seconds))
    if name is None:
        return None
    if name not in _ZONES:
        raise ValueError("no such time zone")
    return timezone(timedelta(hours=_ZONES[name]))


def _zone(zone: Any) -> tzinfo:
    if isinstance(zone, int | float) and not isinstance(zone, bool):
        return timezone(timedelta(minutes=-zone))
    if not isinstance(zone, str) or not zone:
        return UTC
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError("no such time zone") from error


def _written(moment: datetime, found: re.Match[str]) -> str:
    flags, width, letter = found.groups()
    write = _WRITERS.get(letter)
    if write is None:
        return found[0]
    if letter in "zN":
        return _offset(moment, ":" in flags) if letter == "z" else _fraction(moment, int(width or 9))
    text = write(moment)
    if "^" in flags:
        text = text.upper()
    elif "#" in flags:
        text = text.upper() if any("a" <= character <= "z" for character in text) else text.lower()
    filler = " " if "_" in flags else "0" if "0" in flags or letter not in _FILLED_WITH_SPACES else " "
    return text if "-" in flags else text.rjust(int(width or _WIDTHS.get(letter, 0)), filler)


def _offset(moment: datetime, with_colon: bool) -> str:
    minutes = int((moment.utcoffset() or timedelta()).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}{':' if with_colon else ''}{rest:02}"


def _fraction(moment: datetime, digits: int) -> str:
    return f"{moment.microsecond // 1000:03}"[:digits].ljust(digits, "0")


def _ordinal(day: int) -> str:
    if 11 <= day <= 13:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _half_day(moment: datetime) -> int:
    return moment.hour % 12 or 12


_FILLED_WITH_SPACES = frozenset("aAbBceklpP")
_WIDTHS = {
    "d": 2,
    "e": 2,
    "H": 2,
    "I": 2,
    "j": 3,
    "k": 2,
    "l": 2,
    "L": 3,
    "m": 2,
    "M": 2,
    "S": 2,
    "U": 2,
    "W": 2,
}
_WRITERS: dict[str, Callable[[datetime], str]] = {
    "a": lambda moment: _DAYS[moment.weekday()][:3],
    "A": lambda moment: _DAYS[moment.weekday()],
    "b": lambda moment: _MONTHS[moment.month - 1][:3],
    "B": lambda moment: _MONTHS[moment.month - 1],
    "c": lambda moment: strftime(moment, "%-m/%-d/%Y, %-l:%M:%S %p"),
    "C": lambda moment: str(moment.year // 100),
    "d": lambda moment: str(moment.day),
    "e": lambda moment: str(moment.day),
    "H": lambda moment: str(moment.hour),
    "I": lambda moment: str(_half_day(moment)),
    "j": lambda moment: str(moment.timetuple().tm_yday),
    "k": lambda moment: str(moment.hour),
    "l": lambda moment: str(_half_day(moment)),
    "L": lambda moment: str(moment.microsecond // 1000),
    "m": lambda moment: str(moment.month),
    "M": lambda moment: str(moment.minute),
    "N": lambda moment: str(moment.microsecond // 1000),
    "p": lambda moment: "AM" if moment.hour < 12 else "PM",
    "P": lambda moment: "am" if moment.hour < 12 else "pm",
    "q": lambda moment: _ordinal(moment.day),
    "s": lambda moment: str((moment - _EPOCH) // timedelta(seconds=1)),
    "S": lambda moment: str(moment.second),
    "u": lambda moment: str(moment.isoweekday()),
    "U": lambda moment: moment.strftime("%U"),
    "w": lambda moment: str(moment.isoweekday() % 7),
    "W": lambda moment: moment.strftime("%W"),
    "x": lambda moment: strftime(moment, "%-m/%-d/%Y"),
    "X": lambda moment: strftime(moment, "%-l:%M:%S %p"),
    "y": lambda moment: f"{moment.year % 100:02}",
    "Y": lambda moment: str(moment.year),
    "z": lambda moment: _offset(moment, False),
    "Z": lambda moment: moment.tzname() or "",
    "t": lambda _moment: "\t",
    "n": lambda _moment: "\n",
    "%": lambda _moment: "%",
}
