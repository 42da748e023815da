"""What the group committed and when Kafka confirmed it, from Kafka's own log of commits (`__consumer_offsets`)."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from streams.commit_metadata import DONE, decode
from tests.kafka import KafkaCluster

COMMITS_TOPIC = "__consumer_offsets"
OFFSET_COMMIT = (0, 1)
"""Versions of the keys of commits; other keys are about groups."""
PLAIN, COMPACT = 3, 4
"""Versions of the values: since Kafka 2.1, and with compact strings since 4.1."""


class Settled(NamedTuple):
    """What a commit says is done: all before `offset`, and where `done[i]` is 1 also the record at offset + i."""

    offset: int
    done: bytes

    def holds(self, offset: int) -> bool:
        """Whether the next owner of the partition will pass over the record at `offset`."""
        beyond = offset - self.offset
        return beyond < 0 or (beyond < len(self.done) and self.done[beyond] == DONE)


NOTHING = Settled(0, b"")


class Commit(NamedTuple):
    """`at`: when Kafka wrote it, seconds since 1970. It may have been sent earlier: a client of the classic protocol
    that joins a group waits for the answer, and what it sent after that waits behind it."""

    at: float
    settled: Settled


class Commits:
    """Of one group, by partition of its topic, in order."""

    def __init__(self, by_partition: Mapping[int, Sequence[Commit]]) -> None:
        self.by_partition = by_partition

    def last_before(self, partition: int, at: float) -> Commit:
        """The last commit of the partition before `at`; one of nothing, at 0.0, if there was none."""
        commits = self.by_partition.get(partition, ())
        place = bisect_right(commits, at, key=lambda commit: commit.at)
        return commits[place - 1] if place else Commit(0.0, NOTHING)


def read_commits(kafka: KafkaCluster, group: str) -> Commits:
    """Every commit of the group up to now."""
    found: defaultdict[int, list[Commit]] = defaultdict(list)
    for message in kafka.read_all(COMMITS_TOPIC):
        partition, value = committed_partition(message.key() or b"", group), message.value()
        if partition is not None and value is not None:
            found[partition].append(Commit(message.timestamp()[1] / 1000, read_settled(value)))
    return Commits({partition: sorted(commits) for partition, commits in found.items()})


def committed_partition(key: bytes, group: str) -> int | None:
    """The partition that a record of the commit log is about; None if it is not a commit of this group.

    The key is: version (int16), group, topic (strings: int16 length and UTF-8), partition (int32).
    """
    if len(key) < 2 or struct.unpack_from(">h", key)[0] not in OFFSET_COMMIT:
        return None
    place, words = 2, []
    for _ in range(2):
        (length,) = struct.unpack_from(">h", key, place)
        words.append(key[place + 2 : place + 2 + length].decode())
        place += 2 + length
    return int(struct.unpack_from(">i", key, place)[0]) if words[0] == group else None


def read_settled(value: bytes) -> Settled:
    """What a commit says, from its record's value: version (int16), offset (int64), the leader's epoch (int32),
    metadata (string), and times."""
    version, offset, _ = struct.unpack_from(">hqi", value)
    if version not in (PLAIN, COMPACT):
        raise ValueError(f"this Kafka writes commits in version {version}, which is not known here")
    rest = value[struct.calcsize(">hqi") :]
    metadata = decode(_string(rest) if version == PLAIN else _compact_string(rest))
    return Settled(offset, metadata.done if metadata else b"")


def _string(data: bytes) -> str:
    (length,) = struct.unpack_from(">h", data)
    return data[2 : 2 + length].decode()


def _compact_string(data: bytes) -> str:
    """Its length + 1 comes first, seven bits a byte, the lowest first; the eighth says that more follow."""
    size = next(place for place, byte in enumerate(data) if byte < 0x80) + 1
    length = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(data[:size])) - 1
    return data[size : size + length].decode()
