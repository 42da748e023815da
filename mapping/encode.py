"""A draft in its final form: the event as the bytes that are posted."""

from __future__ import annotations

from typing import Any

import orjson

from mapping.draft import Draft
from mapping.profile import (
    FieldProblem,
    MappingResult,
    ProfileEvent,
    Rejected,
    Skipped,
    new_event,
    new_update,
)
from mapping.timestamps import read_timestamp

EVENT_SIZE_LIMIT = 25_000
"""Bytes of one event as posted (Batch, Profile API, "Events": 25 kB)."""

TOO_LARGE = f"the event has more than {EVENT_SIZE_LIMIT} bytes in Batch's form"


def encode(draft: Draft, timestamp: Any, message_id: Any, problems: list[FieldProblem]) -> MappingResult:
    """`timestamp` and `message_id` are the Segment event's own. An event that is too large is left out; it is a
    rejection only if nothing else is left. Adds to `problems`."""
    user, attributes, name, event_attributes = draft
    moment = read_timestamp(timestamp)
    if moment is None and timestamp is not None:
        problems.append(FieldProblem("timestamp", "unreadable_timestamp"))
    at_ms, time = moment or (None, None)
    events: tuple[ProfileEvent, ...] = ()
    known: str | None = None
    if name is not None:
        body = event_body(name, time, event_attributes)
        if len(body) <= EVENT_SIZE_LIMIT:
            events = (new_event((name, at_ms, body)),)
            known = message_id if type(message_id) is str and message_id else None
        elif attributes:
            problems.append(FieldProblem("event", "event_too_large"))
        else:
            return Rejected("event_too_large", TOO_LARGE, tuple(problems))
    elif not attributes:
        return Skipped("nothing_to_send", tuple(problems))
    return new_update((user, attributes, events, tuple(problems) if problems else (), at_ms, known))


def event_body(name: str, time: str | None, attributes: dict[str, Any]) -> bytes:
    """An event as posted."""
    event: dict[str, Any] = {"name": name} if time is None else {"name": name, "time": time}
    if attributes:
        event["attributes"] = attributes
    return wire_bytes(event)


def wire_bytes(event: dict[str, Any]) -> bytes:
    """An event as posted, in no more memory than it is long: orjson leaves its result in the buffer that it wrote to,
    of 4 KB or more, and tens of thousands of events wait at a time."""
    return b"".join((orjson.dumps(event), b""))
