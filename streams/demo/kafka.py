"""The demonstration's own view of Kafka: its topics, and the group's lag, read by an independent client."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from streams.cluster import SILENT
from streams.demo.embedded import ANSWER_S, GROUP_STRATEGY, SESSION_S, embedded_kafka
from streams.demo.failure import DemoFailed

PARTITIONS = 6
"""Of the topics that are made in a real cluster; the embedded one has 4."""

REACH_S = 5.0
"""How long the brokers may take to answer at first."""


class DemoKafka:
    """A cluster with the demonstration's topics. Calls block for their answers; they raise KafkaException."""

    def __init__(self, brokers: str, topic: str, *, embedded: bool) -> None:
        self.brokers = brokers
        self.topic = topic
        self.dead_letter_topic = f"{topic}.dead-letter"
        self.group = topic
        self.embedded = embedded
        self._admin = AdminClient({"bootstrap.servers": brokers}, logger=SILENT)
        self._reader = Consumer(
            {"bootstrap.servers": brokers, "group.id": self.group, "enable.auto.commit": False},
            logger=SILENT,
        )

    def reach(self) -> None:
        """Raises DemoFailed if no broker answers."""
        try:
            self._admin.list_topics(timeout=REACH_S)
        except KafkaException as error:
            reason = error.args[0].str()
            raise DemoFailed(f"Kafka cannot be reached at {self.brokers} ({reason})") from error

    def make_topics(self) -> None:
        """Make both topics: a real cluster is asked to, the embedded one makes what is asked for."""
        topics = (self.topic, self.dead_letter_topic)
        if self.embedded:
            for topic in topics:
                self._admin.list_topics(topic, timeout=ANSWER_S)
            return
        wanted = [NewTopic(topic, num_partitions=PARTITIONS, replication_factor=-1) for topic in topics]
        for made in self._admin.create_topics(wanted).values():
            made.result(ANSWER_S)

    def remove(self) -> None:
        """Leave a real cluster as it was found."""
        self._reader.close()
        if self.embedded:
            return
        removals = {
            **self._admin.delete_topics([self.topic, self.dead_letter_topic]),
            **self._admin.delete_consumer_groups([self.group]),
        }
        for removal in removals.values():
            with suppress(TimeoutError):
                removal.exception(ANSWER_S)

    def partitions(self) -> int:
        """How many partitions the source topic has."""
        return len(self._partitions(self.topic))

    def lag(self) -> int:
        """Records between what the group has committed and the ends of the source topic."""
        committed = self._reader.committed(self._partitions(self.topic), timeout=ANSWER_S)
        lag = 0
        for place in committed:
            first, end = self._reader.get_watermark_offsets(place, timeout=ANSWER_S)
            lag += end - (place.offset if place.offset >= 0 else first)
        return lag

    def dead_letters(self) -> int:
        """Records in the dead-letter topic."""
        ends = (self._reader.get_watermark_offsets(each) for each in self._partitions(self.dead_letter_topic))
        return sum(end - first for first, end in ends)

    def worker_environment(self, workers: int) -> dict[str, str]:
        """The environment that points so many `segbatch run` here."""
        environment = {
            "SEGBATCH_KAFKA__BROKERS": self.brokers,
            "SEGBATCH_KAFKA__TOPICS": self.topic,
            "SEGBATCH_KAFKA__GROUP": self.group,
        }
        if self.embedded:
            if workers > 1:
                environment["SEGBATCH_KAFKA__SESSION_TIMEOUT_S"] = str(SESSION_S)
            environment["SEGBATCH_KAFKA__LIBRDKAFKA"] = json.dumps(
                {"partition.assignment.strategy": GROUP_STRATEGY}
            )
        return environment

    def _partitions(self, topic: str) -> list[TopicPartition]:
        found = self._admin.list_topics(topic, timeout=ANSWER_S).topics[topic].partitions
        return [TopicPartition(topic, partition) for partition in found]


@contextmanager
def demo_kafka(brokers: str | None) -> Iterator[DemoKafka]:
    """The cluster at `brokers`, or an embedded one, with topics for one demonstration."""
    if brokers is None:
        with embedded_kafka() as address, _with_topics(address, "segment-events", embedded=True) as kafka:
            yield kafka
    else:
        with _with_topics(brokers, f"segbatch-demo-{uuid.uuid4().hex[:8]}", embedded=False) as kafka:
            yield kafka


@contextmanager
def _with_topics(brokers: str, topic: str, *, embedded: bool) -> Iterator[DemoKafka]:
    kafka = DemoKafka(brokers, topic, embedded=embedded)
    kafka.reach()
    try:
        kafka.make_topics()
        yield kafka
    finally:
        kafka.remove()
