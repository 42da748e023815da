"""A worker process on the embedded Kafka (librdkafka's own, hosted by this process): no Java, no Docker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.integration.local_batch import LocalBatch
from tests.integration.scene import Scene, traffic
from tests.integration.workers import total
from tests.kafka import KafkaCluster
from tests.kafka.broker import ExternalBroker

RANGE = '{"partition.assignment.strategy": "range"}'


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Scene]:
    """A scene on a Kafka that lives as long as the producer here; topics come with their first record."""
    host = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "", "log_level": 0})
    brokers = host.list_topics(timeout=10).brokers.values()
    address = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
    scene = Scene(KafkaCluster(ExternalBroker(address)), LocalBatch(), tmp_path)
    yield scene
    scene.close()


def test_a_worker_delivers_everything_and_leaves(embedded: Scene) -> None:
    embedded.produce(traffic(1_500, users=300))
    worker = embedded.worker(KAFKA__LIBRDKAFKA=RANGE).ready()

    embedded.wait_until_drained()
    assert worker.readiness() == (200, {})
    assert worker.stop() == 0

    assert embedded.lag() == 0
    assert total([worker]) == embedded.expected.counts
    assert embedded.differences() == []
    assert embedded.faults_of_the_client() == {}
    assert sum(worker.summary["records"]["dead_lettered"].values()) == len(embedded.dead_letters())
    assert worker.not_json == []
