"""A dead letter's headers: how they are written, and how they are read again.

The record's own headers come first, then Kafka Connect's names, so that existing viewers understand the letter, then
ours. No header of ours holds a value of the record.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast, get_args

from sink.settlement import Part, Refusal
from streams.backfill.headers import BACKFILL, NO_PARTITION
from streams.records import Headers, Message, Record
from streams.replay_headers import PART, PROFILE, without_replay_headers
from streams.settlement import NO_TIMESTAMP

CONNECT = "__connect.errors."
OURS = "segbatch."
MAPPING = f"{OURS}mapping"
FIRST = f"{CONNECT}topic"
"""The header with which what we add begins."""
ALREADY_REPLAYED = f"{OURS}was.replayed"
"""Added to a letter that is moved (by `purge`) after it was replayed."""


def letter_headers(
    record: Record, refusal: Refusal, mappings: Iterable[str] = (), *, value_left_out: bool
) -> Headers:
    """The headers of the letter of this record. `mappings`: names of the mappings that matched it."""
    kind, appended_ms = record.message.timestamp()
    own = record.message.headers() or ()
    connect = {
        "topic": record.ledger.topic,
        "partition": str(record.ledger.partition),
        "offset": str(record.offset),
        "connector.name": "segbatch",
        "task.id": "0",
        "stage": "TASK_PUT" if refusal.http_status else "VALUE_CONVERTER",
        "class.name": "segbatch",
        "exception.class.name": refusal.reason,
        "exception.message": refusal.detail,
    }
    ours = {
        "reason": refusal.reason,
        "detail": refusal.detail,
        "part": refusal.part,
        "profile": refusal.profile,
        "http.status": refusal.http_status,
        "batch.message": refusal.batch_message,
        "attempts": str(refusal.attempts),
        "failed.at": iso_time(time.time()),
        "record.at": iso_time(appended_ms / 1000) if kind != NO_TIMESTAMP else "",
        "delivered": "true" if refusal.delivered else "false",
        "value.left.out": "true" if value_left_out else "",
    }
    return [
        *(own if record.replay is None else without_replay_headers(own)),
        *((f"{CONNECT}{name}", value.encode()) for name, value in connect.items()),
        *((f"{OURS}{name}", value.encode()) for name, value in ours.items() if value),
        *((MAPPING, name.encode()) for name in mappings),
    ]


@dataclass(frozen=True, slots=True)
class Letter:
    """What a dead letter's headers say."""

    topic: str
    """Where the record lies: its source topic, partition and offset."""
    partition: int
    offset: int
    reason: str
    detail: str
    part: Part
    profile: str
    """Of which profile the part is, as `profile_hash`; empty: of every profile that the record speaks of."""
    mappings: tuple[str, ...]
    http_status: str
    batch_message: str
    attempts: int
    failed_at: str
    """ISO 8601, UTC, as `record_at`; empty if the header is missing."""
    record_at: str
    """When the record was appended."""
    delivered: bool
    value_left_out: bool
    replayed: bool
    """It was replayed before it was moved to where it lies."""
    own: tuple[tuple[str, bytes | None], ...]
    """The record's own headers."""

    @property
    def backfill(self) -> str:
        """The id of the backfill whose update it holds, which never was a record of the topic; empty for a record."""
        if self.partition != NO_PARTITION:
            return ""
        return (dict(self.own).get(BACKFILL) or b"").decode(errors="replace")


def read_letter(message: Message) -> Letter | None:
    """None if the record is no dead letter of ours. A record may have been a letter before, and have such headers of
    its own: what we add begins with the last header of the name FIRST."""
    headers: Sequence[tuple[str, bytes | None]] = message.headers() or ()
    start = max((index for index, (name, _) in enumerate(headers) if name == FIRST), default=None)
    if start is None:
        return None
    added = [(name, (value or b"").decode(errors="replace")) for name, value in headers[start:]]
    texts = dict(added)
    try:
        partition, offset = int(texts[f"{CONNECT}partition"]), int(texts[f"{CONNECT}offset"])
        reason = texts[f"{OURS}reason"]
    except (KeyError, ValueError):
        return None
    attempts = texts.get(f"{OURS}attempts", "")
    part = texts.get(PART, "")
    return Letter(
        topic=texts[FIRST],
        partition=partition,
        offset=offset,
        reason=reason,
        detail=texts.get(f"{OURS}detail", ""),
        part=cast(Part, part) if part in get_args(Part) else "record",
        profile=texts.get(PROFILE, ""),
        mappings=tuple(value for name, value in added if name == MAPPING),
        http_status=texts.get(f"{OURS}http.status", ""),
        batch_message=texts.get(f"{OURS}batch.message", ""),
        attempts=int(attempts) if attempts.isdecimal() else 0,
        failed_at=texts.get(f"{OURS}failed.at", ""),
        record_at=texts.get(f"{OURS}record.at", ""),
        delivered=texts.get(f"{OURS}delivered") == "true",
        value_left_out=texts.get(f"{OURS}value.left.out") == "true",
        replayed=texts.get(ALREADY_REPLAYED) == "true",
        own=tuple(headers[:start]),
    )


def iso_time(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601, UTC, with milliseconds: `2026-03-02T09:14:07.512Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
