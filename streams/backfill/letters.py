"""Where updates go that Batch refuses: the dead-letter topic, or a file of the state folder where there is no Kafka.

A letter's value is the update in the form that the workers take from the source topic, so that it can be replayed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from mapping.profile import ProfileUpdate
from mapping.resolved import resolved_event
from sink.encoding import encode_attributes
from sink.settlement import Refusal
from streams.backfill.headers import BACKFILL, NO_PARTITION
from streams.dead_letters import DeadLetterWriter
from streams.ledger import Ledger
from streams.letter import iso_time
from streams.records import Headers, Record
from streams.settlement import NO_TIMESTAMP

Confirmed = Callable[["LetterRecord", Refusal], None]


class _Message(NamedTuple):
    """What a letter's record would be in the source topic."""

    of_topic: str
    of_key: bytes
    of_value: bytes
    of_headers: Headers

    def topic(self) -> str:
        return self.of_topic

    def partition(self) -> int:
        return NO_PARTITION

    def offset(self) -> int:
        return NO_PARTITION

    def key(self) -> bytes | None:
        return self.of_key

    def value(self) -> bytes | None:
        return self.of_value

    def headers(self) -> Headers | None:
        return self.of_headers

    def timestamp(self) -> tuple[int, int]:
        return NO_TIMESTAMP, 0

    def error(self) -> Any:
        return None

    def __len__(self) -> int:
        return len(self.of_value)


class LetterRecord(Record):
    """An update of a folded profile as a record that a letter can be of. `subject`: whom to tell when it is written."""

    __slots__ = ("subject",)

    def __init__(self, backfill: str, topic: str, custom_id: str, value: bytes, subject: object) -> None:
        headers: Headers = [(BACKFILL, backfill.encode())]
        ledger = Ledger(topic, NO_PARTITION, 0)
        super().__init__(ledger, _Message(topic, custom_id.encode(), value, headers), NO_PARTITION)
        self.subject = subject


def letter_of(backfill: str, topic: str, update: ProfileUpdate, subject: object) -> LetterRecord:
    """The record whose value is the update, as an event of its own."""
    custom_id = update.custom_id
    value = resolved_event(
        custom_id,
        f"{backfill}:{custom_id}",
        iso_time(time.time()),
        encode_attributes(update.attributes),
        (event.body for event in update.events),
    )
    return LetterRecord(backfill, topic, custom_id, value, subject)


class LetterFile:
    """Letters as JSON lines, readable by their owner only: they hold personal data."""

    def __init__(self, path: Path, on_confirmed: Confirmed) -> None:
        self._path = path
        self._on_confirmed = on_confirmed

    def write(self, record: LetterRecord, refusal: Refusal) -> None:
        """Add a letter; it is on disk when this returns."""
        line = {
            "reason": refusal.reason,
            "detail": refusal.detail,
            "httpStatus": refusal.http_status,
            "batchMessage": refusal.batch_message,
            "delivered": refusal.delivered,
            "event": orjson.Fragment(record.message.value() or b"null"),
        }
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with open(handle, "ab") as file:
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            file.flush()
            os.fsync(file.fileno())
        self._on_confirmed(record, refusal)


Letters = LetterFile | DeadLetterWriter
