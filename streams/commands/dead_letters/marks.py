"""What was done with the letters of a partition: marks, which lie in the dead-letter topic beside the letters.

A mark is written in the transaction that does what it says, and lives as long as the letters that it is about. A
consumer group's offsets would not do: they cannot say that some letters of many were replayed, and Kafka forgets them
a week after the last run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from streams.records import Message

MARK = "segbatch.mark"
"""The header that tells a mark from a letter; its value is the kind."""
_REPLAYED = b"replayed"
_PURGED = b"purged"


class Mark(NamedTuple):
    """A record that is no letter: key, value and headers."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


@dataclass(slots=True)
class Done:
    """What was done with the letters of one partition."""

    replayed: set[int] = field(default_factory=set)
    """Offsets of letters that were written back to their source topic."""
    moved_before: int = 0
    """Letters below this offset have a copy beyond, or were removed: they count no more, and are to be deleted."""

    def read(self, message: Message) -> None:
        """Take in a mark; a message that is none changes nothing."""
        kind = _kind(message)
        if kind is None:
            return
        said = orjson.loads(message.value() or b"{}")
        if kind == _REPLAYED:
            self.replayed.update(said["offsets"])
        else:
            self.moved_before = max(self.moved_before, said["before"])


def is_mark(message: Message) -> bool:
    """Whether the message is a mark and no letter."""
    return _kind(message) is not None


def replayed_mark(offsets: Iterable[int]) -> Mark:
    """The letters at these offsets of the partition were replayed."""
    listed = sorted(offsets)
    key = f"segbatch.replayed/{listed[0]}"
    return Mark(key.encode(), orjson.dumps({"offsets": listed}), [(MARK, _REPLAYED)])


def purged_mark(before: int) -> Mark:
    """The letters below this offset were moved to the partition's end, but for those that were to be removed."""
    return Mark(f"segbatch.purged/{before}".encode(), orjson.dumps({"before": before}), [(MARK, _PURGED)])


def _kind(message: Message) -> bytes | None:
    """A mark has this one header. A letter has many, whatever its record brought along."""
    headers = message.headers() or ()
    if len(headers) != 1 or headers[0][0] != MARK or headers[0][1] not in (_REPLAYED, _PURGED):
        return None
    return headers[0][1]
