"""An update that was mapped already, as an event of its own: how segbatch writes to the source topic what it has
resolved, so that the workers send it in order with everything else of that profile.

`{"type": "segbatch.profile_update", "userId", "messageId", "timestamp", "attributes": {...}, "events": [...]}`, with
attributes and events in the form in which Batch takes them. No mapping, filter or trigger applies to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from mapping.encode import wire_bytes
from mapping.identity import custom_id
from mapping.profile import (
    ArrayDelta,
    AttributeValue,
    DateString,
    MappingResult,
    ProfileEvent,
    ProfileUpdate,
    Rejected,
    Skipped,
    UrlString,
)
from mapping.timestamps import read_timestamp

RESOLVED_TYPE = "segbatch.profile_update"
"""None of Segment's types, so that other readers of the topic pass it by."""

_MALFORMED = Rejected(
    "malformed_update", "the record is marked as an update that was mapped already, but is none"
)


def resolved_event(
    user_id: str,
    message_id: str,
    timestamp: str,
    attributes: Mapping[str, Any],
    events: Iterable[bytes] = (),
) -> bytes:
    """The event that says this. `attributes` by their wire names (`date(x)`, `url(x)` or `x`), `events` as posted,
    `timestamp` in ISO 8601."""
    head = {
        "type": RESOLVED_TYPE,
        "userId": user_id,
        "messageId": message_id,
        "timestamp": timestamp,
        "attributes": attributes,
        "events": [orjson.Fragment(event) for event in events],
    }
    return orjson.dumps(head)


def read_resolved(event: dict[str, Any]) -> MappingResult:
    """The update that such an event asks for."""
    user = custom_id(event.get("userId"))
    attributes, events = event.get("attributes", {}), event.get("events", [])
    if isinstance(user, Skipped | Rejected) or type(attributes) is not dict or type(events) is not list:
        return _MALFORMED
    if not all(type(each) is dict and type(each.get("name")) is str for each in events):
        return _MALFORMED
    if not (attributes or events):
        return Skipped("nothing_to_send")
    moment = read_timestamp(event.get("timestamp"))
    return ProfileUpdate(
        user,
        read_wire_attributes(attributes),
        tuple(map(_event, events)),
        (),
        None if moment is None else moment[0],
    )


def read_wire_attributes(wire: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """Attributes by bare name, from those by wire name."""
    if ")" not in "".join(wire) and dict not in map(type, wire.values()):
        return dict(wire)
    attributes: dict[str, AttributeValue] = {}
    for name, value in wire.items():
        if name.startswith("date(") and type(value) is str:
            attributes[name[5:-1]] = DateString(value)
        elif name.startswith("url(") and type(value) is str:
            attributes[name[4:-1]] = UrlString(value)
        elif type(value) is dict:
            attributes[name] = ArrayDelta(tuple(value.get("$add", ())), tuple(value.get("$remove", ())))
        else:
            attributes[name] = value
    return attributes


def _event(wire: dict[str, Any]) -> ProfileEvent:
    moment = read_timestamp(wire.get("time"))
    return ProfileEvent(wire["name"], None if moment is None else moment[0], wire_bytes(wire))
