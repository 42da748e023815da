"""What all ways to a broker share: the interface, the settings, the wait until it answers."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Protocol

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

KAFKA_VERSION = "4.1.0"
"""Of the container image; pom.xml names the same version for the jars."""

START_TIMEOUT_S = 90.0

TEST_SETTINGS: Mapping[str, str] = {
    "auto.create.topics.enable": "false",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    # Groups form and notice dead members at once, not after seconds.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "group.coordinator.rebalance.protocols": "classic,consumer",
    "group.consumer.heartbeat.interval.ms": "1000",
    "group.consumer.min.heartbeat.interval.ms": "500",
    "group.consumer.session.timeout.ms": "10000",
    "group.consumer.min.session.timeout.ms": "3000",
    # The transaction of a killed producer ends soon after its timeout.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
    # A killed broker is back when its registration expires: soon, yet a busy machine must not fence it.
    "broker.session.timeout.ms": "4000",
    "broker.heartbeat.interval.ms": "500",
    # Records may carry old times and stay, unless a topic has a retention; then it acts within a test, and so
    # does compaction.
    "log.retention.ms": "-1",
    "log.cleaner.dedupe.buffer.size": "2097152",
    "log.cleaner.backoff.ms": "500",
    "log.retention.check.interval.ms": "1000",
    "log.initial.task.delay.ms": "500",
}


class KafkaUnavailable(Exception):
    """No broker could be had; the message says why and what to do."""


class Broker(Protocol):
    """One running broker. `owned` says whether it is ours to stop and restart."""

    owned: bool

    @property
    def brokers(self) -> str:
        """`host:port`, several with commas."""
        ...

    def start(self) -> None: ...

    def stop(self) -> None:
        """Stop it cleanly, and keep its data."""

    def kill(self) -> None:
        """End it as a power cut would, and keep its data."""

    def close(self) -> None:
        """Stop it and remove whatever it left; nothing to do for a broker that is not ours."""


class ExternalBroker:
    """A Kafka somebody else runs (`SEGBATCH_TEST_KAFKA`)."""

    owned = False

    def __init__(self, brokers: str) -> None:
        self.brokers = brokers

    def start(self) -> None:
        raise RuntimeError("this broker is not ours to start")

    def stop(self) -> None:
        raise RuntimeError("this broker is not ours to stop")

    def kill(self) -> None:
        raise RuntimeError("this broker is not ours to kill")

    def close(self) -> None:
        """Leaves it as it is."""


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on now, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def wait_until_ready(
    brokers: str, timeout_s: float = START_TIMEOUT_S, died: Callable[[], bool] = lambda: False
) -> None:
    """Return when the broker answers a metadata request.

    Raises KafkaUnavailable when it does not within `timeout_s`, or when `died()` says that it never will.
    """
    admin = AdminClient({"bootstrap.servers": brokers, "log_level": 0})
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            if admin.list_topics(timeout=0.5).brokers:
                return
        except KafkaException as error:
            if time.monotonic() > deadline:
                raise KafkaUnavailable(f"no answer from {brokers} in {timeout_s:.0f} s: {error}") from error
        if died():
            raise KafkaUnavailable("the broker ended while it started")
