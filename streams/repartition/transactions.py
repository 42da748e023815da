"""Kafka transactions of one producer: records and the offsets they came from, both or neither."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from streams.records import Message
from streams.repartition.keys import KeyOrigin, find_key

CALL_S = 5.0
GIVE_UP_AFTER_S = 60.0
"""So long a call is repeated while the brokers do not answer it."""


class Transactions:
    """One transaction after the other. Begins one with the first record."""

    def __init__(self, producer: Any, on_error: Callable[[KafkaError], None]) -> None:
        self._producer = producer
        self._on_error = on_error
        self._refusal: KafkaError | None = None
        """Why the brokers did not take a record of this transaction."""
        self.open = False
        self.copied: Counter[KeyOrigin] = Counter()
        """Records of this transaction, by where their key comes from."""
        self.bytes = 0
        """Of their values."""
        self.moved_at = time.monotonic()
        """When Kafka's client last returned from a call, be it with a failure."""

    def prepare(self) -> None:
        """Make ready, and end what an earlier producer of the same id left open. Raises KafkaException."""
        self._retried(self._producer.init_transactions)

    def send(self, target: str, records: Sequence[Message]) -> None:
        """Add records, in order, each with its own key or the one that is found in it. The producer's queue has no
        limit, so that it takes all of them; a transaction's size has."""
        self._begin()
        produce, confirmed = self._producer.produce, self._confirmed
        for record in records:
            value = record.value()
            key, origin = find_key(value)
            produce(
                target,
                value,
                record.key() if key is None else key,
                on_delivery=confirmed,
                timestamp=max(0, record.timestamp()[1]),
                headers=record.headers(),
            )
            self.copied[origin] += 1
            self.bytes += len(record)
        self._producer.poll(0)

    def commit(self, offsets: Sequence[TopicPartition], membership: Any) -> bool:
        """Commit the records with these offsets; False if the transaction was aborted, and its records have to be
        read again. Raises KafkaException if this producer cannot go on, or the brokers refuse a record."""
        self._begin()
        try:
            self._retried(
                lambda timeout: self._producer.send_offsets_to_transaction(list(offsets), membership, timeout)
            )
            self._retried(self._producer.commit_transaction)
        except KafkaException as error:
            if not error.args[0].txn_requires_abort():
                raise
            refusal = self._refusal
            self.abort()
            if refusal is not None:
                raise KafkaException(refusal) from error
            self._on_error(error.args[0])
            return False
        self._end()
        return True

    def abort(self) -> None:
        """Throw the transaction away. Raises KafkaException if this producer cannot go on."""
        self._retried(self._producer.abort_transaction)
        self._end()

    def _begin(self) -> None:
        if not self.open:
            self._producer.begin_transaction()
            self.open = True

    def _end(self) -> None:
        self.open = False
        self.copied = Counter()
        self.bytes = 0
        self._refusal = None

    def _confirmed(self, error: KafkaError | None, _: Any) -> None:
        if error is not None and self._refusal is None and error.code() != KafkaError._PURGE_QUEUE:
            self._refusal = error

    def _retried(self, call: Callable[[float], object]) -> None:
        """Repeat a call while its failure is one that passes."""
        give_up_at = time.monotonic() + GIVE_UP_AFTER_S
        while True:
            try:
                call(CALL_S)
            except KafkaException as error:
                if not error.args[0].retriable() or time.monotonic() > give_up_at:
                    raise
                self._on_error(error.args[0])
            else:
                return
            finally:
                self.moved_at = time.monotonic()
