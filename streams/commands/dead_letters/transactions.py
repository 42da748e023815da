"""Kafka transactions: what a command writes and what it says that it has done come to be together, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from streams.cluster import SILENT
from streams.commands.options import EXIT_FAILED, fail
from streams.dead_letters import LARGEST_MESSAGE, PRODUCER
from streams.settings import Settings, client_settings

BEGIN_S = 30.0
COMMIT_S = 60.0
_OVERRULED = ("message.timeout.ms", "delivery.timeout.ms", "transaction.timeout.ms")
_OF_ONE_RECORD = (
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.INVALID_MSG_SIZE,
    KafkaError.INVALID_RECORD,
    KafkaError._UNKNOWN_PARTITION,
)
"""Errors that tell nothing of the other records."""
_PURGED = (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT)


class RecordRefused(Exception):
    """Kafka does not take a record of the transaction, which was aborted: none of it was written."""

    def __init__(self, error: KafkaError) -> None:
        super().__init__(error.str())


class Transactions:
    """The transactions of one command at a time: who begins ends what another was about to write."""

    def __init__(self, settings: Settings, timeout_s: float) -> None:
        """Ends the command with the reason if it may not. A transaction that is not ended within `timeout_s`, because
        the command was killed, is aborted by Kafka; until then it holds up readers of what lies behind it."""
        self._id = f"{settings.kafka.group}.dead-letters"
        self._error: KafkaError | None = None
        client = {
            name: value for name, value in client_settings(settings.kafka).items() if name not in _OVERRULED
        }
        producer: dict[str, Any] = {
            **PRODUCER,
            "message.max.bytes": LARGEST_MESSAGE,
            **client,
            "linger.ms": 5,
            "transactional.id": self._id,
            "transaction.timeout.ms": round(timeout_s * 1000),
        }
        try:
            self._producer = Producer(producer, logger=SILENT)
            self._producer.init_transactions(BEGIN_S)
        except KafkaException as error:
            self._fail(error.args[0])

    def begin(self) -> None:
        """Begin a transaction."""
        self._error = None
        try:
            self._producer.begin_transaction()
        except KafkaException as error:
            self._fail(error.args[0])

    def write(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes | None]],
        timestamp_ms: int | None = None,
    ) -> None:
        """Add a record. Raises RecordRefused; waits while the producer's queue is full."""
        time = {} if timestamp_ms is None else {"timestamp": timestamp_ms}
        while True:
            try:
                self._producer.produce(
                    topic,
                    value,
                    key,
                    partition,
                    headers=list(headers),
                    on_delivery=self._confirmed,
                    **time,
                )
            except BufferError:
                self._wait(lambda: self._producer.poll(0.1))
            except KafkaException as error:
                self._give_up(error.args[0])
            else:
                self._wait(lambda: self._producer.poll(0))
                return

    def commit(self) -> None:
        """What was added is there for readers of committed records when this returns. Raises RecordRefused."""
        self._wait(lambda: self._producer.flush(COMMIT_S))
        if self._error is not None:
            self._give_up(self._error)
        while True:
            try:
                self._producer.commit_transaction(COMMIT_S)
            except KafkaException as error:
                if not error.args[0].retriable():
                    self._give_up(self._error or error.args[0])
            else:
                return

    def _wait(self, serve: Callable[[], object]) -> None:
        """Serve confirmations. An error that ends the producer is raised while that is done, and by a confirmation
        that comes with it as a SystemError with that cause."""
        try:
            serve()
        except (KafkaException, SystemError) as error:
            cause = error if isinstance(error, KafkaException) else error.__cause__
            if not isinstance(cause, KafkaException):
                raise
            self._fail(cause.args[0])

    def _confirmed(self, error: KafkaError | None, _: Message) -> None:
        # What was purged went down with something else, which the commit tells.
        if error is not None and self._error is None and error.code() not in _PURGED:
            self._error = error

    def _give_up(self, error: KafkaError) -> None:
        if error.code() not in _OF_ONE_RECORD:
            self._fail(error)
        try:
            self._producer.abort_transaction(COMMIT_S)
        except KafkaException as failed:
            self._fail(failed.args[0])
        raise RecordRefused(error)

    def _fail(self, error: KafkaError) -> NoReturn:
        if error.code() in (
            KafkaError._FENCED,
            KafkaError.INVALID_PRODUCER_EPOCH,
            KafkaError.PRODUCER_FENCED,
        ):
            fail("dead-letters: another replay or purge has begun, and this one ends", EXIT_FAILED)
        remedy = ""
        if error.code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            remedy = f": give this user WRITE on the transactional id {self._id}"
        elif error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            remedy = ": give this user WRITE on the source and the dead-letter topics"
        fail(f"dead-letters: Kafka does not take the transaction: {error.str()}{remedy}", EXIT_FAILED)
