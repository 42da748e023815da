"""Batch takes events of the last 24 hours and none of the future (Batch, Profile API, "Update": event `time`)."""

from __future__ import annotations

from typing import Literal

import orjson

from mapping.profile import ProfileEvent

WINDOW_MS = 24 * 60 * 60 * 1000

Timeliness = Literal["timely", "late", "future"]


def timeliness(event: ProfileEvent, now_ms: float) -> Timeliness:
    """Whether Batch would take the event's time at `now_ms`, milliseconds since 1970."""
    if event.time_ms is None:
        return "timely"
    if event.time_ms > now_ms:
        return "future"
    return "late" if now_ms - event.time_ms > WINDOW_MS else "timely"


def without_time(event: ProfileEvent) -> ProfileEvent:
    """The event without `time`: Batch then takes the time of its arrival."""
    wire = orjson.loads(event.body)
    wire.pop("time", None)
    return ProfileEvent(event.name, None, orjson.dumps(wire))
