"""The key that a record gets: who it is about."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from mapping.numbers import number_text
from mapping.profile import FieldProblem, Rejected, Skipped
from mapping.read import read_record

KeyOrigin = Literal["user_id", "anonymous_id", "none"]
"""Where the key comes from; `none` if the record names nobody and keeps the key it came with, be it none."""


class FoundKey(NamedTuple):
    """A record's key, as UTF-8."""

    key: bytes | None
    origin: KeyOrigin


NOBODY = FoundKey(None, "none")


def find_key(value: bytes | None) -> FoundKey:
    """The event's userId, a number as the mapping writes it; without one its anonymousId (Segment, "Identities":
    every event has one of them). NOBODY for a tombstone, for what is no JSON object, and for empty ids."""
    found = read_record(map_event=_key_of_event, record=value)
    return NOBODY if isinstance(found, Skipped | Rejected) else found


def _key_of_event(event: dict[str, Any], _: list[FieldProblem]) -> FoundKey:
    user_id = event.get("userId")
    if type(user_id) is str and user_id:
        return FoundKey(user_id.encode(), "user_id")
    if isinstance(user_id, int | float) and not isinstance(user_id, bool):
        return FoundKey(number_text(user_id).encode(), "user_id")
    anonymous_id = event.get("anonymousId")
    if isinstance(anonymous_id, str) and anonymous_id:
        return FoundKey(anonymous_id.encode(), "anonymous_id")
    return NOBODY
