"""An embedded Kafka: the mock cluster of librdkafka, served by this process to all others of this machine.

It is Kafka enough for producers, consumer groups and commits (librdkafka, "test.mock.num.brokers"), needs neither
Java nor Docker, and is gone with the process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import Producer

from streams.cluster import SILENT

ANSWER_S = 10.0

MOST_EVENTS = 80_000
"""It keeps about 5 MB a partition, compressed as they came, and drops what is older."""

GROUP_STRATEGY = "range"
"""The strategy that shares its partitions reliably; `cooperative-sticky` may leave a member without any."""

SESSION_S = 6
"""Session of a group of several: when a member comes or goes, it waits so long, less a second, and refuses
commits meanwhile."""


@contextmanager
def embedded_kafka() -> Iterator[str]:
    """Serve a cluster of one broker inside the block; gives its address, `host:port`."""
    host = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": ""}, logger=SILENT)
    broker = next(iter(host.list_topics(timeout=ANSWER_S).brokers.values()))
    yield f"{broker.host}:{broker.port}"
    host.flush(0)
