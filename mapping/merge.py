"""The parts that several mappings make of one event, merged into one update of each profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mapping.draft import Draft
from mapping.encode import EVENT_SIZE_LIMIT, TOO_LARGE, encode, event_body
from mapping.profile import (
    AttributeValue,
    FieldProblem,
    MappingResult,
    ProfileEvent,
    ProfileUpdate,
    ProfileUpdates,
    Rejected,
    Skipped,
)
from mapping.timestamps import Timestamp, read_timestamp


def merge(
    drafts: Sequence[Draft], timestamp: Any, message_id: Any, problems: list[FieldProblem]
) -> MappingResult:
    """One update of each profile that the drafts name. Of an attribute the last draft's value is sent; events stay in
    order. Adds to `problems`."""
    if len(drafts) == 1:
        return encode(drafts[0], timestamp, message_id, problems)
    known = message_id if type(message_id) is str and message_id else None
    moment = read_timestamp(timestamp)
    if moment is None and timestamp is not None:
        problems.append(FieldProblem("timestamp", "unreadable_timestamp"))
    by_profile: dict[str, list[Draft]] = {}
    for draft in drafts:
        by_profile.setdefault(draft.custom_id, []).append(draft)
    too_large = False
    updates = []
    for user, mine in by_profile.items():
        attributes: dict[str, AttributeValue] = {}
        for draft in mine:
            attributes.update(draft.attributes)
        events, left_out = _events(mine, moment)
        too_large = too_large or left_out
        if attributes or events:
            at_ms = None if moment is None else moment[0]
            updates.append(ProfileUpdate(user, attributes, events, (), at_ms, known if events else None))
    if not updates:
        if too_large:
            return Rejected("event_too_large", TOO_LARGE, tuple(problems))
        return Skipped("nothing_to_send", tuple(problems))
    if too_large:
        problems.append(FieldProblem("event", "event_too_large"))
    if len(updates) == 1:
        return updates[0]._replace(problems=tuple(problems))
    return ProfileUpdates(tuple(updates), tuple(problems))


def _events(drafts: Sequence[Draft], moment: Timestamp | None) -> tuple[tuple[ProfileEvent, ...], bool]:
    """The drafts' events, and whether one was too large to be among them."""
    at_ms, time = moment or (None, None)
    named = [draft for draft in drafts if draft.event is not None]
    bodies = [
        (draft.event or "", event_body(draft.event or "", time, draft.event_attributes)) for draft in named
    ]
    events = [ProfileEvent(name, at_ms, body) for name, body in bodies if len(body) <= EVENT_SIZE_LIMIT]
    return tuple(events), len(events) < len(named)
