"""The dead-letter topic: records that cannot be delivered, unchanged, with what a person needs to know in headers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer

from sink.settlement import Refusal
from streams.letter import letter_headers
from streams.metrics import Metrics
from streams.records import Message, Record
from streams.samples import Samples

POLL_S = 0.02
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
LOOKUP_TIMEOUT_S = 10.0
LARGEST_MESSAGE = 64 * 1024 * 1024
PRODUCER: Mapping[str, str | int | bool] = {
    "enable.idempotence": True,
    "acks": "all",
    "partitioner": "murmur2_random",
    "compression.type": "lz4",
}
"""What all our producers have in common: the partitioner is that of Kafka's Java clients."""

log = structlog.get_logger("segbatch.dead_letters")


@dataclass(slots=True, eq=False)
class _Letter:
    """A letter on its way."""

    record: Record
    refusal: Refusal
    alone: bool = False
    """It is sent in a batch of its own: of a batch that is too large Kafka refuses every record."""
    with_value: bool = True
    wait_s: float = FIRST_WAIT_S
    """How long to wait before it is written again."""


class DeadLetterWriter:
    """Writes letters until Kafka confirms them. Everything runs on the event loop; `run` serves it."""

    def __init__(
        self,
        client: Mapping[str, str],
        topic_for: Callable[[str], str],
        metrics: Metrics,
        on_confirmed: Callable[[Record, Refusal], None],
        mappings_of: Callable[[Record], Iterable[str]] = lambda record: (),
    ) -> None:
        """`mappings_of` gives the names of the mappings that matched a record."""
        self._settings = {**PRODUCER, "message.max.bytes": LARGEST_MESSAGE, "linger.ms": 5, **client}
        self._producer = self._make_producer()
        self._one_by_one: Producer | None = None
        """Made when the first batch was too large."""
        self._topic_for = topic_for
        self._metrics = metrics
        self._on_confirmed = on_confirmed
        self._mappings_of = mappings_of
        self._samples = Samples()
        self._open: set[_Letter] = set()
        self._waiting: list[tuple[float, _Letter]] = []
        self._partitions: dict[str, int] = {}
        """How many each dead-letter topic has: a letter lies in the one of its record's number."""
        self._asking: dict[str, list[_Letter]] = {}
        """Letters that wait to know their topic's partitions."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = asyncio.Event()
        """A letter was closed or refused."""
        self.failure = ""
        """Why letters cannot be written at present; empty while they can."""

    @property
    def outstanding(self) -> int:
        """Letters that are not confirmed yet."""
        return len(self._open)

    def unconfirmed(self) -> Iterator[Record]:
        """The records of those letters."""
        return (letter.record for letter in self._open)

    def write(self, record: Record, refusal: Refusal) -> None:
        """Write a letter; `on_confirmed` is called when Kafka has it, however long that takes. Logged as a sample."""
        if count := self._samples.add(refusal.reason):
            log.warning(
                "dead letters",
                reason=refusal.reason,
                count=count,
                remedy=f"segbatch dead-letters list --reason {refusal.reason}",
            )
        letter = _Letter(record, refusal)
        self._open.add(letter)
        self._produce(letter)

    async def run(self) -> None:
        """Serve confirmations, and write again what failed."""
        while True:
            self._producer.poll(0)
            if self._one_by_one is not None:
                self._one_by_one.poll(0)
            now = time.monotonic()
            due = [letter for at, letter in self._waiting if at <= now]
            if due:
                self._waiting = [(at, letter) for at, letter in self._waiting if at > now]
            for letter in due:
                self._produce(letter)
            await asyncio.sleep(POLL_S)

    async def settled(self, concerns: Callable[[Record], bool], *, stopping: bool = False) -> None:
        """Wait until no letter is outstanding of a record that this concerns; while `stopping`, only as long as Kafka
        does not refuse them: a topic that is missing will not come, and records without a letter are read again."""
        while any(concerns(letter.record) for letter in self._open) and not (stopping and self.failure):
            self._closed.clear()
            await self._closed.wait()

    def _produce(self, letter: _Letter) -> None:
        record = letter.record
        if record.ledger.forgotten:
            self._close(letter)
            return
        topic = self._topic_for(record.ledger.topic)
        if topic not in self._partitions:
            self._ask_partitions(topic, letter)
            return
        same_number = record.ledger.partition < self._partitions[topic]
        place = {"partition": record.ledger.partition} if same_number else {}

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                self._failed(letter, error)
                return
            self.failure = ""
            self._close(letter)
            self._on_confirmed(record, letter.refusal)

        value = record.message.value()
        mappings = self._mappings_of(record)
        try:
            self._producer_for(letter).produce(
                topic,
                value=value if letter.with_value else None,
                key=record.message.key(),
                headers=letter_headers(
                    record, letter.refusal, mappings, value_left_out=not letter.with_value
                ),
                on_delivery=delivered,
                **place,
            )
        except KafkaException as error:
            self._failed(letter, error.args[0])
        except BufferError:
            self._waiting.append((time.monotonic() + POLL_S, letter))

    def _ask_partitions(self, topic: str, letter: _Letter) -> None:
        waiting = self._asking.setdefault(topic, [])
        waiting.append(letter)
        if len(waiting) == 1:
            task = asyncio.create_task(self._learn_partitions(topic))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _learn_partitions(self, topic: str) -> None:
        error: KafkaError | None = None
        try:
            found = await asyncio.to_thread(self._producer.list_topics, topic, LOOKUP_TIMEOUT_S)
            described = found.topics[topic]
            error = described.error
        except KafkaException as failed:
            error = failed.args[0]
        else:
            if error is None:
                self._partitions[topic] = len(described.partitions)
        for letter in self._asking.pop(topic):
            if error is None:
                self._produce(letter)
            else:
                self._failed(letter, error)

    def _failed(self, letter: _Letter, error: KafkaError) -> None:
        too_large = error.code() in (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE)
        if too_large and letter.with_value:
            letter.alone, letter.with_value = True, not letter.alone
            self._produce(letter)
            return
        self._partitions.pop(self._topic_for(letter.record.ledger.topic), None)
        self._metrics.dead_letter_failures.inc()
        if not self.failure:
            log.error(
                "dead letter refused by Kafka, trying again",
                topic=self._topic_for(letter.record.ledger.topic),
                error=error.name(),
                remedy="does the dead-letter topic exist, and may this user write to it?",
            )
        self.failure = error.name()
        self._closed.set()
        self._waiting.append((time.monotonic() + letter.wait_s, letter))
        letter.wait_s = min(LONGEST_WAIT_S, letter.wait_s * 2)

    def _producer_for(self, letter: _Letter) -> Producer:
        if not letter.alone:
            return self._producer
        if self._one_by_one is None:
            self._one_by_one = self._make_producer({"batch.num.messages": 1})
        return self._one_by_one

    def _make_producer(self, more: Mapping[str, int] | None = None) -> Producer:
        return Producer({**self._settings, **(more or {})}, logger=logging.getLogger("librdkafka"))

    def _close(self, letter: _Letter) -> None:
        self._open.discard(letter)
        if not self._open:
            self.failure = ""
        self._closed.set()
