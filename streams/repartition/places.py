"""Where the partitions of a group's member begin, and what is left of them. Calls wait for the brokers' answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from confluent_kafka import KafkaException, TopicPartition

LOOKUP_TIMEOUT_S = 10.0

Place = tuple[str, int]
"""Topic and partition."""
Start = Literal["earliest", "latest"] | datetime


def first_offsets(consumer: Any, partitions: Sequence[TopicPartition], start: Start) -> dict[Place, int]:
    """Where to read each partition from: what the group committed, else `start`. Raises KafkaException."""
    begun = {}
    for each in consumer.committed(list(partitions), timeout=LOOKUP_TIMEOUT_S):
        if each.error is not None:
            raise KafkaException(each.error)
        place = (each.topic, each.partition)
        begun[place] = each.offset if each.offset >= 0 else _first_offset(consumer, place, start)
    return begun


def low_offset(consumer: Any, place: Place) -> int:
    """The first offset that Kafka still has. Raises KafkaException."""
    low, _ = consumer.get_watermark_offsets(TopicPartition(*place), timeout=LOOKUP_TIMEOUT_S)
    return int(low)


def _first_offset(consumer: Any, place: Place, start: Start) -> int:
    low, high = consumer.get_watermark_offsets(TopicPartition(*place), timeout=LOOKUP_TIMEOUT_S)
    if start == "earliest":
        return int(low)
    if isinstance(start, datetime):
        at = start if start.tzinfo else start.replace(tzinfo=UTC)
        asked = TopicPartition(*place, int(at.timestamp() * 1000))
        found = consumer.offsets_for_times([asked], timeout=LOOKUP_TIMEOUT_S)
        if found[0].offset >= 0:
            return int(found[0].offset)
    return int(high)
