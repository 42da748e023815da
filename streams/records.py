"""Kafka records on their way through the worker."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import IntEnum
from typing import Any, NamedTuple, Protocol

from mapping.mapper import MapRecord
from streams.ledger import Ledger
from streams.replay_headers import Replay

_NOTHING_SUPERSEDED: Mapping[str, Collection[str]] = {}
Headers = list[tuple[str, bytes | None]]


class Message(Protocol):
    """What is read of confluent_kafka.Message."""

    def topic(self) -> str: ...
    def partition(self) -> int: ...
    def offset(self) -> int: ...
    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def headers(self) -> Headers | None: ...
    def timestamp(self) -> tuple[int, int]: ...
    def error(self) -> Any: ...
    def __len__(self) -> int: ...


class Ending(IntEnum):
    """How a part of a record ended; a record's outcome is the worst of its parts'."""

    SKIPPED = 0
    ACCEPTED = 1
    DEAD_LETTERED = 2


class Record:
    """A fetched record with its place in the ledger, until all its parts are settled."""

    __slots__ = (
        "bytes",
        "ending",
        "late_profiles",
        "ledger",
        "map_record",
        "message",
        "offset",
        "order",
        "parts",
        "reason",
        "repair",
        "replay",
        "superseded",
    )

    def __init__(self, ledger: Ledger, message: Message, offset: int) -> None:
        self.ledger = ledger
        self.message = message
        self.offset = offset
        self.bytes = len(message)
        """The value's size: about the memory that the message takes."""
        self.order = 0
        """Its place among all records of the worker, set by the coalescer."""
        self.parts = 1
        """Parts that are not settled yet: an update each, or a dead letter."""
        self.ending = Ending.SKIPPED
        self.reason = ""
        """Why it was skipped or dead-lettered."""
        self.late_profiles: Collection[str] = ()
        """By custom_id: profiles whose events of it went their own way, being late; the rest goes without."""
        self.replay: Replay | None = None
        """Set if it is a dead letter that was replayed."""
        self.repair = False
        """A backfill wrote it, to say once more what Batch may have lost."""
        self.superseded: Mapping[str, Collection[str]] = _NOTHING_SUPERSEDED
        """By custom_id: attributes that an event with a later timestamp has set; the record goes without them."""
        self.map_record: MapRecord | None = None
        """What mapped it: mappings may change while it waits."""

    @property
    def place(self) -> tuple[str, int]:
        """Its topic and partition."""
        return self.ledger.topic, self.ledger.partition


class Chunk(NamedTuple):
    """The records of one fetch from one partition."""

    ledger: Ledger
    records: list[Record]
