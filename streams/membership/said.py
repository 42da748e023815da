"""What one record says of an audience (Segment, "Engage destinations")."""

from __future__ import annotations

from typing import Any, NamedTuple

from mapping.engage import read_membership
from mapping.identity import custom_id
from mapping.profile import FieldProblem, Rejected, Skipped
from mapping.read import read_record
from mapping.timestamps import read_timestamp

ENGAGE = b'"personas"'
"""Engage's events have this key in their context; the others need no decoding."""


class Said(NamedTuple):
    """A membership that an event says."""

    user_id: str | None
    """None if the event has no userId that Batch could take: it reaches no profile."""
    audience: str
    member: bool
    at_ms: int | None
    """The event's `timestamp`, milliseconds since 1970; None if it has none that can be read."""


def said_by(value: bytes | None) -> Said | None:
    """The membership that a record's value says; None if it says none."""
    if value is None or ENGAGE not in value:
        return None
    found = read_record(_said, value)
    return found if isinstance(found, Said) else None


def _said(event: dict[str, Any], _: list[FieldProblem]) -> Said | None:
    context = event.get("context")
    holder = event.get("properties" if event.get("type") == "track" else "traits")
    if not isinstance(context, dict) or not isinstance(holder, dict):
        return None
    membership = read_membership(context.get("personas"), holder)
    if membership is None:
        return None
    user = custom_id(event.get("userId"))
    moment = read_timestamp(event.get("timestamp"))
    return Said(
        None if isinstance(user, Skipped | Rejected) else user,
        membership.key,
        membership.member,
        None if moment is None else moment[0],
    )
