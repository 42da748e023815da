"""Copies records to the keyed topic, in Kafka transactions: records and offsets are committed together, or neither.

One Copier is one member of the consumer group with one transactional producer, on one thread. When something ends its
producer, it is thrown away, and a new one begins where the last committed transaction ended. A member that was thought
dead and comes back is refused by its group membership, which travels with the offsets (KIP-447).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from streams.records import Message
from streams.repartition.metrics import RepartitionMetrics
from streams.repartition.places import Place, first_offsets, low_offset
from streams.repartition.transactions import Transactions

FETCH_RECORDS = 2_000
FETCH_S = 0.1
COMMIT_EVERY_S = 0.2
"""How long readers of the keyed topic wait for a record at most, besides the commit itself."""
LARGEST_TRANSACTION_BYTES = 16 * 1024 * 1024
"""Of values: what is on its way to the brokers fits into memory, whatever their speed."""
UNREAD_EVERY_S = 2.0

log = structlog.get_logger("segbatch.repartition")


class Copier:
    """A member of the group, on one thread. Others may read `moved_at`."""

    def __init__(
        self,
        consumer: Any,
        producer: Any,
        target_of: Callable[[str], str],
        metrics: RepartitionMetrics,
        *,
        start: Any,
        incremental: bool,
        on_assigned: Callable[[], None],
        on_error: Callable[[KafkaError], None],
    ) -> None:
        self._consumer = consumer
        self._transactions = Transactions(producer, on_error)
        self._target_of = target_of
        self._metrics = metrics
        self._start = start
        self._incremental = incremental
        self._on_assigned = on_assigned
        self._on_error = on_error
        self._next: dict[Place, int] = {}
        """Up to where each of our partitions was copied."""
        self._committed: dict[Place, int] = {}
        """Up to where it was committed, or where we began to read it."""
        self._anew: set[Place] = set()
        """Partitions that must be fetched again from `_next`: what was fetched of them is void."""
        self._assigned_now: set[Place] = set()
        self._commit_at = 0.0
        self._unread_at = 0.0
        self._fetched_at = time.monotonic()

    @property
    def moved_at(self) -> float:
        """When Kafka's client last returned from a call, in monotonic seconds."""
        return max(self._fetched_at, self._transactions.moved_at)

    def run(self, sources: Sequence[str], stopped: Callable[[], bool]) -> None:
        """Copy until `stopped`, commit, and leave the group. Raises KafkaException when this producer cannot go on;
        then nothing of what was not committed is to be seen by readers of committed records."""
        try:
            self._transactions.prepare()
            self._consumer.subscribe(
                list(sources), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
            )
            while not stopped():
                self._fetched_at = time.monotonic()
                self._copy(self._fetched())
                now = time.monotonic()
                if self._transactions.bytes >= LARGEST_TRANSACTION_BYTES or now >= self._commit_at:
                    self._commit()
                    self._commit_at = now + COMMIT_EVERY_S
                if now >= self._unread_at:
                    self._show_unread()
                    self._unread_at = now + UNREAD_EVERY_S
            self._commit()
        except BaseException:
            self._next.clear()
            raise
        finally:
            self._consumer.close()

    def _fetched(self) -> list[Message]:
        """What was fetched of partitions that are ours. A fetch may span a rebalance: what it brings of partitions
        that were assigned, or of which a transaction was aborted, in it, is fetched again."""
        messages = self._consumer.consume(FETCH_RECORDS, FETCH_S)
        void = self._anew | {
            place for place in self._assigned_now if any(_place(message) == place for message in messages)
        }
        self._assigned_now.clear()
        if not void:
            return list(messages)
        self._anew = set()
        self._read_on(void & self._next.keys())
        return [message for message in messages if _place(message) not in void]

    def _read_on(self, places: Iterable[Place]) -> None:
        """Fetch these from `_next` on. They are assigned anew, because seeking is refused to a partition whose
        fetching failed."""
        anew = [TopicPartition(*place, self._next[place]) for place in places]
        if not anew:
            return
        if self._incremental:
            self._consumer.incremental_unassign(anew)
            self._consumer.incremental_assign(anew)
        else:
            self._consumer.assign([TopicPartition(*place, offset) for place, offset in self._next.items()])

    def _copy(self, messages: Sequence[Message]) -> None:
        for (place, failed), group in groupby(messages, _origin):
            if failed:
                for message in group:
                    self._on_error_message(place, message)
            elif place in self._next:
                self._send(place, list(group))

    def _send(self, place: Place, records: Sequence[Message]) -> None:
        self._transactions.send(self._target_of(place[0]), records)
        self._next[place] = records[-1].offset() + 1

    def _on_error_message(self, place: Place, message: Message) -> None:
        error = message.error()
        if error.code() == KafkaError._PARTITION_EOF:
            if place in self._next:
                self._next[place] = max(self._next[place], message.offset())
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            if place in self._next:
                self._skip_what_is_gone(place)
        elif error.fatal():
            raise KafkaException(error)
        else:
            self._on_error(error)

    def _skip_what_is_gone(self, place: Place) -> None:
        """The next record does not exist: retention passed us, or the topic was made anew. Read on from the
        partition's start; what was passed is counted and logged as lost."""
        low = low_offset(self._consumer, place)
        lost = low - self._next[place]
        if lost > 0:
            self._metrics.lost_records.labels(place[0], str(place[1])).inc(lost)
            log.error(
                "records lost: Kafka's retention deleted them before they were read",
                topic=place[0],
                partition=place[1],
                offsets=lost,
                remedy="raise the topic's retention, and see why repartition is behind",
            )
        elif lost < 0:
            log.error(
                "partition is shorter than what was read: reading it from its start",
                topic=place[0],
                partition=place[1],
            )
        self._next[place] = low
        self._anew.add(place)

    def _commit(self) -> None:
        """Commit what was copied with its offsets. Raises KafkaException if the producer cannot go on."""
        offsets = [
            TopicPartition(*place, offset)
            for place, offset in self._next.items()
            if offset != self._committed[place]
        ]
        if not offsets:
            return
        copied = self._transactions.copied
        if self._transactions.commit(offsets, self._consumer.consumer_group_metadata()):
            self._metrics.committed(copied)
            self._committed = dict(self._next)
        else:
            self._go_back()

    def _go_back(self) -> None:
        """A transaction was aborted: read what was in it again."""
        self._metrics.transactions.labels("aborted").inc()
        self._anew |= {place for place, offset in self._next.items() if offset != self._committed[place]}
        self._next = dict(self._committed)

    def _assigned(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        begun = first_offsets(consumer, partitions, self._start) if partitions else {}
        self._next |= begun
        self._committed |= begun
        self._assigned_now |= begun.keys()
        places = [TopicPartition(*place, offset) for place, offset in begun.items()]
        if self._incremental:
            consumer.incremental_assign(places)
        else:
            consumer.assign(places)
        self._count("assigned", partitions)
        self._on_assigned()

    def _revoked(self, _: Any, partitions: Sequence[TopicPartition]) -> None:
        """Commit while we are still members, then give them up."""
        if self._next:
            self._commit()
        self._give_up("revoked", partitions)

    def _lost(self, _: Any, partitions: Sequence[TopicPartition]) -> None:
        """They belong to others already: what was copied of them is theirs to copy."""
        if self._transactions.open and self._next:
            self._transactions.abort()
            self._go_back()
        self._give_up("lost", partitions)

    def _give_up(self, kind: str, partitions: Sequence[TopicPartition]) -> None:
        for place in _places(partitions):
            self._next.pop(place, None)
            self._committed.pop(place, None)
            self._anew.discard(place)
            self._metrics.unread.remove(place[0], str(place[1]))
        self._count(kind, partitions)

    def _count(self, kind: str, partitions: Sequence[TopicPartition]) -> None:
        self._metrics.rebalances.labels(kind).inc(len(partitions))
        names = sorted(f"{topic}[{partition}]" for topic, partition in _places(partitions))
        log.info(f"partitions {kind}", partitions=names)

    def _show_unread(self) -> None:
        for (topic, partition), committed in self._committed.items():
            ends = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), cached=True)
            if ends is not None and ends[1] >= 0:
                self._metrics.unread.labels(topic, str(partition)).set(max(0, ends[1] - committed))


def _place(message: Message) -> Place:
    return message.topic(), message.partition()


def _origin(message: Message) -> tuple[Place, bool]:
    return _place(message), message.error() is not None


def _places(partitions: Iterable[TopicPartition]) -> list[Place]:
    return [(partition.topic, partition.partition) for partition in partitions]
