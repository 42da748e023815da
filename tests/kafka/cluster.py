"""What tests do with a broker: topics, records, and what groups have committed, by a client of its own."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, NamedTuple

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from tests.kafka.broker import Broker, wait_until_ready

ADMIN_TIMEOUT_S = 20.0
BROKERS_DEFAULT = -1

_NOT_LOADED = (
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
)

DeliveryCallback = Callable[[KafkaError | None, Message], None]


class Record(NamedTuple):
    """A record to produce. Without `partition`, Kafka's usual murmur2 of the key chooses it."""

    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()
    partition: int | None = None
    timestamp_ms: int | None = None


class KafkaCluster:
    """A running Kafka and an independent admin client. Every call waits for its answer (blocking)."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._admin = AdminClient({"bootstrap.servers": broker.brokers, "log_level": 0})
        self._topics: list[str] = []

    def __enter__(self) -> KafkaCluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the topics made here from a Kafka that goes on running."""
        if not self._broker.owned and self._topics:
            for future in self._admin.delete_topics(self._topics).values():
                future.exception(ADMIN_TIMEOUT_S)

    @property
    def brokers(self) -> str:
        """`host:port`, for `bootstrap.servers`."""
        return self._broker.brokers

    @property
    def owned(self) -> bool:
        """Whether the broker is ours: only then can it be stopped, killed and started."""
        return self._broker.owned

    def stop(self) -> None:
        self._broker.stop()

    def kill(self) -> None:
        self._broker.kill()

    def start(self) -> None:
        """Start a stopped or killed broker again, with its data and address, and wait until it answers."""
        self._broker.start()

    def restart(self) -> None:
        self.stop()
        self.start()

    def wait_until_ready(self) -> None:
        wait_until_ready(self.brokers)

    @staticmethod
    def unique(prefix: str) -> str:
        """A name for a topic or group that no other test has."""
        return f"{prefix}-{uuid.uuid4().hex[:10]}"

    def create_topic(self, name: str, partitions: int = 6, **config: str) -> str:
        """Make a topic and return its name; `retention_ms="1000"` sets `retention.ms`."""
        topic = NewTopic(
            name, num_partitions=partitions, replication_factor=BROKERS_DEFAULT, config=_dotted(config)
        )
        self._admin.create_topics([topic])[name].result(ADMIN_TIMEOUT_S)
        self._topics.append(name)
        self._wait_for_topic(name, partitions)
        return name

    def under_replicated(self) -> int:
        """Partitions of which a replica is not in sync now."""
        topics = self._admin.list_topics(timeout=ADMIN_TIMEOUT_S).topics
        return sum(
            len(partition.isrs) < len(partition.replicas)
            for topic in topics.values()
            for partition in topic.partitions.values()
        )

    def delete_topic(self, name: str) -> None:
        self._admin.delete_topics([name])[name].result(ADMIN_TIMEOUT_S)
        self._topics.remove(name)

    def producer(self, **settings: Any) -> Producer:
        """An idempotent producer; `settings` are librdkafka's with `_` for `.`."""
        own = {"bootstrap.servers": self.brokers, "enable.idempotence": True, "partitioner": "murmur2_random"}
        return Producer({**own, "linger.ms": 5, "log_level": 0, **_dotted(settings)})

    def produce(self, topic: str, records: Iterable[Record], **settings: Any) -> int:
        """Produce and wait until all are confirmed; returns how many. E.g. `compression_type="zstd"`."""
        return _send(self.producer(**settings), topic, records)

    def produce_transaction(self, topic: str, records: Iterable[Record], commit: bool = True) -> int:
        """Produce in one transaction, which is then committed, or aborted; returns how many."""
        producer = self.producer(transactional_id=self.unique("tx"))
        producer.init_transactions(ADMIN_TIMEOUT_S)
        producer.begin_transaction()
        count = _send(producer, topic, records)
        if commit:
            producer.commit_transaction(ADMIN_TIMEOUT_S)
        else:
            producer.abort_transaction(ADMIN_TIMEOUT_S)
        return count

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        """Delete the partition's records below this offset, as retention does."""
        for future in self._admin.delete_records([TopicPartition(topic, partition, before)]).values():
            future.result(ADMIN_TIMEOUT_S)

    def read_all(self, topic: str) -> list[Message]:
        """Every committed record of the topic as of now, by partition, then offset."""
        partitions = self.partitions(topic)
        consumer = Consumer(
            {
                "bootstrap.servers": self.brokers,
                "group.id": self.unique("reader"),
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
            }
        )
        try:
            consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
            messages = _read_to_ends(consumer, len(partitions))
        finally:
            consumer.close()
        return sorted(messages, key=lambda message: (message.partition(), message.offset()))

    def partitions(self, topic: str) -> list[int]:
        return sorted(self._admin.list_topics(topic, timeout=ADMIN_TIMEOUT_S).topics[topic].partitions)

    def begin_offsets(self, topic: str) -> dict[int, int]:
        """By partition: the first offset there is."""
        return self._offsets(topic, OffsetSpec.earliest())

    def end_offsets(self, topic: str) -> dict[int, int]:
        """By partition: the offset after the last committed record or transaction marker."""
        return self._offsets(topic, OffsetSpec.latest())

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """By partition: what the group committed. Partitions without a commit are left out."""
        request = [ConsumerGroupTopicPartitions(group)]
        answer = _when_loaded(lambda: self._admin.list_consumer_group_offsets(request)[group])
        return {
            each.partition: each.offset
            for each in answer.topic_partitions
            if each.topic == topic and each.offset >= 0
        }

    def lag(self, group: str, topic: str) -> int:
        """How far the group is from the topic's end, in offsets; without a commit, from its beginning."""
        begins, committed = self.begin_offsets(topic), self.committed(group, topic)
        ends = self.end_offsets(topic)
        return sum(
            max(0, end - max(begins[partition], committed.get(partition, 0)))
            for partition, end in ends.items()
        )

    def assignments(self, group: str) -> dict[str, frozenset[tuple[str, int]]]:
        """By member id: the (topic, partition)s that the group's coordinator has given to it."""
        description = _when_loaded(lambda: self._admin.describe_consumer_groups([group])[group])
        return {
            member.member_id: frozenset(
                (each.topic, each.partition) for each in member.assignment.topic_partitions
            )
            for member in description.members
        }

    def group_state(self, group: str) -> str:
        """`STABLE`, `PREPARING_REBALANCING` and so on, as the group's coordinator says now."""
        answer = self._admin.describe_consumer_groups([group], request_timeout=ADMIN_TIMEOUT_S)[group]
        return str(_result(answer).state.name)

    def _offsets(self, topic: str, spec: OffsetSpec) -> dict[int, int]:
        wanted = {TopicPartition(topic, partition): spec for partition in self.partitions(topic)}
        futures = self._admin.list_offsets(wanted, isolation_level=IsolationLevel.READ_COMMITTED)
        return {each.partition: _result(future).offset for each, future in futures.items()}

    def _wait_for_topic(self, name: str, partitions: int) -> None:
        deadline = time.monotonic() + ADMIN_TIMEOUT_S
        while time.monotonic() < deadline:
            found = self._admin.list_topics(name, timeout=ADMIN_TIMEOUT_S).topics[name].partitions
            if len(found) == partitions and all(each.leader >= 0 for each in found.values()):
                return
        raise TimeoutError(f"topic {name} has no leaders after {ADMIN_TIMEOUT_S:.0f} s")


def _dotted(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key.replace("_", "."): value for key, value in settings.items()}


def _result(future: Future[Any]) -> Any:
    return future.result(ADMIN_TIMEOUT_S)


def _when_loaded(ask: Callable[[], Future[Any]]) -> Any:
    """The answer of the group's coordinator, which a broker that has just started does not have at once."""
    deadline = time.monotonic() + ADMIN_TIMEOUT_S
    while True:
        try:
            return _result(ask())
        except KafkaException as error:
            if error.args[0].code() not in _NOT_LOADED or time.monotonic() > deadline:
                raise


def _send(producer: Producer, topic: str, records: Iterable[Record]) -> int:
    failures: list[KafkaError] = []

    def confirmed(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error)

    count = 0
    for record in records:
        _enqueue(producer, topic, record, confirmed)
        count += 1
    left = producer.flush(ADMIN_TIMEOUT_S)
    if failures or left:
        raise KafkaException(failures[0] if failures else KafkaError(KafkaError._MSG_TIMED_OUT))
    return count


def _enqueue(producer: Producer, topic: str, record: Record, confirmed: DeliveryCallback) -> None:
    options: dict[str, Any] = {"key": record.key, "headers": list(record.headers), "on_delivery": confirmed}
    if record.partition is not None:
        options["partition"] = record.partition
    if record.timestamp_ms is not None:
        options["timestamp"] = record.timestamp_ms
    while True:
        try:
            producer.produce(topic, record.value, **options)
        except BufferError:
            producer.poll(0.1)
        else:
            producer.poll(0)
            return


def _read_to_ends(consumer: Consumer, partitions: int) -> list[Message]:
    messages: list[Message] = []
    ended: set[int] = set()
    deadline = time.monotonic() + ADMIN_TIMEOUT_S
    while len(ended) < partitions:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{partitions - len(ended)} partitions were not read to their end")
        for message in consumer.consume(1000, 0.2):
            error = message.error()
            if error is None:
                messages.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                ended.add(message.partition())
            else:
                raise KafkaException(error)
    return messages
