"""What was produced: every event has a number of its own, by which it is recognised in Batch and in the dead letters.

A track becomes an event with the attribute `number`. An identify sets the attribute `step` to its number, and one of
four slots, so that a merged update shows how far it goes and a lost slot is seen.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from tests.kafka import Record

SLOTS = 4
EVENT = "Chaos Happened"
LONGEST_GOOD_ID = 40
"""Chaos runs with a sandbox that refuses longer ids: a call with such an id is answered with 400."""


class Kind(Enum):
    """What a record is, and so what must become of it."""

    TRACK = "track"
    IDENTIFY = "identify"
    REFUSED = "refused"
    """A track that the mapping lets pass and Batch refuses for its user's id."""
    BROKEN = "broken"
    """Not JSON."""


@dataclass(slots=True)
class Sent:
    """One record on its way to Kafka. `at` is when Kafka confirmed it, seconds since 1970; None before, and no
    partition and offset."""

    number: int
    user: str
    kind: Kind
    at: float | None = None
    partition: int = -1
    offset: int = sys.maxsize


def record(sent: Sent) -> Record:
    """The Kafka record of an event."""
    if sent.kind is Kind.BROKEN:
        return Record(b"{broken %d" % sent.number, key=sent.user.encode())
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event: dict[str, Any] = {"messageId": f"chaos-{sent.number}", "userId": sent.user, "timestamp": now}
    if sent.kind is Kind.IDENTIFY:
        event |= {"type": "identify", "traits": {"step": sent.number, slot(sent.number): sent.number}}
    else:
        event |= {"type": "track", "event": EVENT, "properties": {"number": sent.number}}
    return Record(json.dumps(event).encode(), key=sent.user.encode())


def number_in(value: bytes | None) -> int | None:
    """The number of a record, from its value; None if it is not one of ours."""
    if value is None:
        return None
    try:
        if value.startswith(b"{broken "):
            return int(value.removeprefix(b"{broken "))
        return int(json.loads(value)["messageId"].removeprefix("chaos-"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def slot(number: int) -> str:
    """The second attribute that an identify of this number sets."""
    return f"slot_{number % SLOTS}"


@dataclass(slots=True)
class Story:
    """What one user did, by number, in order."""

    tracks: list[int] = field(default_factory=list)
    identifies: list[int] = field(default_factory=list)

    @property
    def attributes(self) -> dict[str, int]:
        """What the profile must hold in the end."""
        held: dict[str, int] = {}
        for number in self.identifies:
            held |= {"step": number, slot(number): number}
        return held


def stories(sent: Iterable[Sent]) -> dict[str, Story]:
    """By user: everything that Batch must get."""
    found: dict[str, Story] = {}
    for each in sent:
        if each.kind is Kind.TRACK:
            found.setdefault(each.user, Story()).tracks.append(each.number)
        elif each.kind is Kind.IDENTIFY:
            found.setdefault(each.user, Story()).identifies.append(each.number)
    return found
