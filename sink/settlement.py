"""What delivery tells the rest of the program: the end of records, and what there is to count."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from mapping.profile import ProfileUpdate
from sink.breaker import Opening
from sink.coalescer import PendingUpdate, Record

Part: TypeAlias = Literal["record", "event", "attributes"]
"""What of a record is meant: all of it, its event, or what it sets on the profile."""


def profile_hash(custom_id: str) -> str:
    """What stands for a profile where its id must not: BLAKE2b of the id, 8 bytes as 16 hex digits, which
    `printf %s ID | b2sum -l 64` prints too."""
    return hashlib.blake2b(custom_id.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a part of a record goes to the dead letters."""

    reason: str
    """A short snake_case word of a closed list."""
    detail: str
    """A sentence for a person: masked, without values of the record."""
    http_status: str = ""
    batch_message: str = ""
    """Masked."""
    attempts: int = 0
    delivered: bool = False
    """The record was accepted by Batch, which refused an event of it: the letter is a copy."""
    part: Part = "record"
    """What was refused, and is not settled by anything else."""
    profile: str = ""
    """Of which profile it was refused, as `profile_hash`; empty: of every profile that the record speaks of."""


class Settlement(Protocol):
    """Where records end. Every call stands for one part of each record."""

    def accepted(self, updates: Sequence[PendingUpdate]) -> None:
        """Batch took these updates."""
        ...

    def skipped(self, record: Record, reason: str) -> None:
        """Nothing was left of the part that could be sent."""
        ...

    def dead_letter(self, record: Record, refusal: Refusal) -> None:
        """The part is done when the letter is confirmed."""
        ...

    def is_live(self, record: Record) -> bool:
        """Whether the record's partition is still ours to send for."""
        ...

    def home(self, update: PendingUpdate) -> int | None:
        """The number of the assignment of the partition that alone brings records of this profile, and brought all of
        these; None if others may bring some too."""
        ...

    def says_again(self, update: PendingUpdate) -> bool:
        """Whether a record of it has to be sent even if it says what Batch has: a repair, or a replayed letter."""
        ...

    def rebuild(self, record: Record, custom_id: str) -> ProfileUpdate:
        """What the record says of this profile, mapped once more."""
        ...


class Observer(Protocol):
    """What there is to count and to log about calls."""

    def call_answered(self, status: str, seconds: float) -> None:
        """A call ended with this HTTP status, or `timeout`, `connection_lost`, `connection_failed`."""
        ...

    def call_retried(self, status: str, message: str, wait_s: float, attempts: int) -> None:
        """A call will be tried again. `message` is masked."""
        ...

    def answer_ambiguous(self) -> None:
        """A call may have been applied although it was not confirmed."""
        ...

    def field_refused(self, reason: str, field: str, message: str) -> None:
        """A field, or an event, was changed or refused. `message` is masked."""
        ...

    def breaker_turned(self, opening: Opening | None) -> None:
        """Batch takes nothing, and this is why; or, if None, takes calls again."""
        ...
