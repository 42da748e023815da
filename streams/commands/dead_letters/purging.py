"""Removes a user's letters from a partition: the others move to its end, and everything before is deleted."""

from __future__ import annotations

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from streams.commands.dead_letters.marks import purged_mark
from streams.commands.dead_letters.topics import REACH_S, Place, Topics, offset_of
from streams.commands.dead_letters.transactions import Transactions
from streams.commands.dead_letters.users import IsUsers
from streams.letter import ALREADY_REPLAYED, read_letter
from streams.settlement import NO_TIMESTAMP

TRANSACTION_TIMEOUT_S = 600.0
"""A partition moves in one transaction. Kafka's own limit is 15 minutes (transaction.max.timeout.ms)."""


def move_others(transactions: Transactions, topics: Topics, place: Place, is_users: IsUsers) -> int:
    """Write everything that counts in the partition, but the user's letters, to its end, and that what lies before
    counts no more: all of it, or nothing. How many were moved. Raises RecordRefused."""
    transactions.begin()
    moved = 0
    for message in topics.others_than_marks(place):
        if is_users(message):
            continue
        headers = list(message.headers() or ())
        if offset_of(message) in topics.done[place].replayed and read_letter(message) is not None:
            headers.append((ALREADY_REPLAYED, b"true"))
        kind, written_ms = message.timestamp()
        when = written_ms if kind != NO_TIMESTAMP else None
        transactions.write(*place, message.key(), message.value(), headers, when)
        moved += 1
    mark = purged_mark(topics.spans[place].high)
    transactions.write(*place, mark.key, mark.value, mark.headers)
    transactions.commit()
    return moved


def delete_before(admin: AdminClient, place: Place, offset: int) -> None:
    """Delete the partition's records below the offset. Raises KafkaException."""
    partition = TopicPartition(*place, offset)
    (future,) = admin.delete_records([partition], request_timeout=REACH_S).values()
    future.result(REACH_S * 2)
