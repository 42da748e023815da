"""Batch takes events of the last 24 hours and none of the future (Batch, Profile API, "Update": event `time`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import orjson

from mapping.profile import ProfileEvent
from sink.coalescer import PendingUpdate
from sink.settlement import Observer, Refusal, Settlement, profile_hash

WINDOW_MS = 24 * 60 * 60 * 1000

Timeliness = Literal["timely", "late", "future"]
LateEvents = Literal["dead_letter", "send_without_time", "skip"]
LATE = Refusal(
    "event_too_old",
    "The event is older than the 24 hours that Batch takes. What attributes it had go without it.",
    part="event",
)


def oldest_taken_ms(now_ms: float) -> float:
    """The earliest time of an event that Batch takes at `now_ms`; both in milliseconds since 1970."""
    return now_ms - WINDOW_MS


def timeliness(event: ProfileEvent, now_ms: float) -> Timeliness:
    """Whether Batch would take the event's time at `now_ms`, milliseconds since 1970."""
    if event.time_ms is None:
        return "timely"
    if event.time_ms > now_ms:
        return "future"
    return "late" if event.time_ms < oldest_taken_ms(now_ms) else "timely"


def without_time(event: ProfileEvent) -> ProfileEvent:
    """The event without `time`: Batch then takes the time of its arrival."""
    wire = orjson.loads(event.body)
    wire.pop("time", None)
    return ProfileEvent(event.name, None, orjson.dumps(wire))


def is_timely(update: PendingUpdate, now_ms: float) -> bool:
    """Whether Batch would take the times of all its events."""
    oldest_ms = oldest_taken_ms(now_ms)
    for event, _ in update.events:
        time_ms = event.time_ms
        if time_ms is not None and not oldest_ms <= time_ms <= now_ms:
            return False
    return True


def leave_out_untimely(
    update: PendingUpdate,
    now_ms: float,
    late_events: LateEvents,
    settlement: Settlement,
    observer: Observer,
) -> None:
    """Late events go their way by `late_events`; those of the future go without their time."""
    kept = []
    for event, record in update.events:
        judged = timeliness(event, now_ms)
        if judged == "timely":
            kept.append((event, record))
        elif judged == "future" or late_events == "send_without_time":
            observer.field_refused("event_in_future" if judged == "future" else "event_too_old", "time", "")
            kept.append((without_time(event), record))
        elif late_events == "dead_letter":
            if update.custom_id in record.late_profiles:
                continue
            record.late_profiles = (*record.late_profiles, update.custom_id)
            record.parts += 1
            settlement.dead_letter(record, replace(LATE, profile=profile_hash(update.custom_id)))
        else:
            observer.field_refused("event_too_old", "event", "")
    update.events = kept
