"""Segment events for tests, and what the mapping makes of them."""

from __future__ import annotations

from typing import Any

import orjson

from mapping.mapper import compile_mapper
from mapping.profile import MappingResult, ProfileUpdate
from mapping.settings import MappingSettings

TIMESTAMP = "2026-03-02T09:14:07.512Z"
TIMESTAMP_MS = 1_772_442_847_512


def identify(traits: Any = None, **fields: Any) -> dict[str, Any]:
    return {"type": "identify", "userId": "user-1", "timestamp": TIMESTAMP, "traits": traits} | fields


def track(properties: Any = None, **fields: Any) -> dict[str, Any]:
    event = {"type": "track", "userId": "user-1", "timestamp": TIMESTAMP, "event": "Order Completed"}
    return event | {"properties": properties} | fields


def mapped(event: Any, **settings: Any) -> MappingResult:
    """The meaning of an event, or of the bytes of one."""
    record = event if isinstance(event, bytes) else orjson.dumps(event)
    return compile_mapper(MappingSettings(**settings))(record)


def update_of(event: Any, **settings: Any) -> ProfileUpdate:
    result = mapped(event, **settings)
    assert isinstance(result, ProfileUpdate), result
    return result


def attributes_of(event: Any, **settings: Any) -> dict[str, Any]:
    return update_of(event, **settings).attributes


def posted_event(event: Any, **settings: Any) -> dict[str, Any]:
    """The one event of the update, as Batch gets it."""
    (sent,) = update_of(event, **settings).events
    body: dict[str, Any] = orjson.loads(sent.body)
    return body


def posted_attributes(properties: Any, **settings: Any) -> dict[str, Any]:
    """What an event with these properties has for attributes, as Batch gets it."""
    found: dict[str, Any] = posted_event(track(properties), **settings).get("attributes", {})
    return found


def problems_of(event: Any, **settings: Any) -> list[tuple[str, str]]:
    return [(problem.field, problem.reason) for problem in mapped(event, **settings).problems]
