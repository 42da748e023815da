"""A worker process on the embedded Kafka (librdkafka's own, hosted by this process): no Java, no Docker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from tests.integration.local_batch import LocalBatch
from tests.integration.scene import Scene, traffic
from tests.integration.workers import total_said
from tests.kafka import KafkaCluster
from tests.kafka.broker import ExternalBroker


class EmbeddedCluster(KafkaCluster):
    """It does not list all of a group's offsets: they have to be asked for one by one."""

    def committed(self, group: str, topic: str) -> dict[int, int]:
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": group})
        asked = [TopicPartition(topic, partition) for partition in self.partitions(topic)]
        answer = consumer.committed(asked, timeout=10)
        consumer.close()
        return {each.partition: each.offset for each in answer if each.offset >= 0}


RANGE = '{"partition.assignment.strategy": "range"}'


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Scene]:
    """A scene on a Kafka that lives as long as the producer here; topics come with their first record."""
    host = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "", "log_level": 0})
    brokers = host.list_topics(timeout=10).brokers.values()
    address = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
    scene = Scene(EmbeddedCluster(ExternalBroker(address)), LocalBatch(), tmp_path)
    yield scene
    scene.close()


def test_a_worker_delivers_everything_and_leaves(embedded: Scene) -> None:
    embedded.produce(traffic(1_500, users=300))
    worker = embedded.worker(KAFKA__LIBRDKAFKA=RANGE).ready()

    embedded.wait_until_drained()
    assert worker.readiness() == (200, {})
    assert worker.stop() == 0

    assert embedded.lag() == 0
    assert total_said([worker]) == embedded.expected.counts
    assert embedded.differences() == []
    assert embedded.faults_of_the_client() == {}
    assert sum(worker.summary["records"]["dead_lettered"].values()) == len(embedded.dead_letters())
    assert worker.not_json == []
