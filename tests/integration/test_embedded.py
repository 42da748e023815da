"""A worker process on the embedded Kafka: no Java, no Docker."""

from __future__ import annotations

from tests.integration.embedded import RANGE
from tests.integration.scene import Scene, traffic
from tests.integration.workers import total_said


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
