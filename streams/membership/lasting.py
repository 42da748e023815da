"""The last that was said: within a partition the later record counts, between partitions the later event."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from streams.membership.said import Said

_PARTITION_BITS = 20


class Place(NamedTuple):
    """Where a record lies."""

    topic: str
    partition: int
    offset: int
    appended_ms: int
    """When Kafka got it, or its producer made it: milliseconds since 1970."""


class Last(NamedTuple):
    """What was said last of a user in an audience."""

    member: bool
    at_ms: int
    """The event's time; the record's, if the event has none."""
    place: Place
    not_delivered: str | None
    """Why segbatch does not deliver it; None if it does."""


@dataclass(slots=True)
class OfUser:
    """A user's audiences."""

    last: dict[str, Last] = field(default_factory=dict)
    messages: Counter[str] = field(default_factory=Counter)
    """By audience."""

    def add(self, said: Said, place: Place, not_delivered: str | None) -> None:
        """One message of the user."""
        self.messages[said.audience] += 1
        at_ms = place.appended_ms if said.at_ms is None else said.at_ms
        before = self.last.get(said.audience)
        if before is None or place[:2] == before.place[:2] or at_ms >= before.at_ms:
            self.last[said.audience] = Last(said.member, at_ms, place, not_delivered)


@dataclass(slots=True)
class OfAudience:
    """An audience's users. A user takes about 150 bytes."""

    messages: int = 0
    without_user: int = 0
    not_delivered: Counter[str] = field(default_factory=Counter)
    """Messages that segbatch does not deliver, by reason."""
    changed_ms: int | None = None
    """The latest event that said something new of its user."""
    _users: dict[str, int] = field(default_factory=dict)
    """By userId, packed: the event's time, the partition, and whether the user is a member."""

    def add(self, said: Said, place: Place, not_delivered: str | None) -> None:
        """One message of the audience."""
        self.messages += 1
        if said.user_id is None:
            self.without_user += 1
            return
        if not_delivered is not None:
            self.not_delivered[not_delivered] += 1
        at_ms = max(0, place.appended_ms if said.at_ms is None else said.at_ms)
        before = self._users.get(said.user_id)
        if before is not None:
            partition = before >> 1 & ((1 << _PARTITION_BITS) - 1)
            if partition != place.partition and at_ms < before >> (_PARTITION_BITS + 1):
                return
        if before is None or bool(before & 1) != said.member:
            self.changed_ms = at_ms if self.changed_ms is None else max(self.changed_ms, at_ms)
        self._users[said.user_id] = (at_ms << _PARTITION_BITS | place.partition) << 1 | said.member

    def members(self) -> int:
        """Users of whom the last word was true."""
        return sum(packed & 1 for packed in self._users.values())

    def left(self) -> int:
        """Users of whom the last word was false."""
        return len(self._users) - self.members()
