"""Which partitions have a user's events: one, if the topic is keyed by userId in Kafka's usual way; else any."""

from __future__ import annotations

from collections.abc import Mapping

from aiokafka.partitioner import DefaultPartitioner
from confluent_kafka import Consumer

from streams.backfill.kafka_range import read_span
from streams.commands.produce import key_of

LOOKED_AT = 50
"""Records at the beginning and at the end of each partition's range."""


def partition_of(user_id: str, partitions: int) -> int:
    """Where Kafka's Java client, and Segment's, put a record with this key (murmur2)."""
    numbers = list(range(partitions))
    found: int = DefaultPartitioner()(user_id.encode(), numbers, numbers)
    return found


def is_keyed(consumer: Consumer, topic: str, spans: Mapping[int, tuple[int, int]]) -> bool:
    """Whether all records looked at, of users, have the userId for a key, and lie where that key leads: then one
    user's events lie in one partition. No, if there are none."""
    looked_at = 0
    heads = {p: (begin, min(end, begin + LOOKED_AT)) for p, (begin, end) in spans.items()}
    tails = {p: (max(begin, end - LOOKED_AT), end) for p, (begin, end) in spans.items()}
    for part in (heads, tails):
        positions = {partition: begin for partition, (begin, _) in part.items()}
        ends = {partition: end for partition, (_, end) in part.items()}
        for messages in read_span(consumer, topic, positions, ends, lambda: False):
            for message in messages:
                user = key_of(message.value() or b"{}")
                if not isinstance(user, bytes):
                    continue
                looked_at += 1
                if message.key() != user:
                    return False
                if message.partition() != partition_of(user.decode(), len(spans)):
                    return False
    return looked_at > 0
