"""When the group's commits were confirmed, from Kafka's own log of them (`__consumer_offsets`)."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections import defaultdict

from tests.kafka import KafkaCluster

COMMITS_TOPIC = "__consumer_offsets"
OFFSET_COMMIT = (0, 1)
"""Versions of the keys of commits; other keys are about groups."""


class Commits:
    """Of one group, by partition of its topic: when each commit was written (seconds since 1970)."""

    def __init__(self, times: dict[int, list[float]]) -> None:
        self._times = times

    def last_before(self, partition: int, at: float) -> float:
        """The last commit of the partition before `at`; 0.0 if there was none."""
        times = self._times.get(partition, [])
        place = bisect_right(times, at)
        return times[place - 1] if place else 0.0


def read_commits(kafka: KafkaCluster, group: str) -> Commits:
    """Every commit of the group up to now."""
    times: defaultdict[int, list[float]] = defaultdict(list)
    for message in kafka.read_all(COMMITS_TOPIC):
        committed = committed_partition(message.key() or b"", group)
        if committed is not None:
            times[committed].append(message.timestamp()[1] / 1000)
    return Commits({partition: sorted(found) for partition, found in times.items()})


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
