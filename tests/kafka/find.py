"""Where the tests' Kafka comes from: one that runs already, else Docker, else Apache Kafka's jars."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tests.kafka.broker import Broker, ExternalBroker, KafkaUnavailable, wait_until_ready
from tests.kafka.cluster import KafkaCluster
from tests.kafka.container import ContainerBroker, docker_works
from tests.kafka.jars import JarBroker, tools_work

BROKERS_VARIABLE = "SEGBATCH_TEST_KAFKA"
REQUIRED_VARIABLE = "SEGBATCH_TEST_KAFKA_REQUIRED"
NONE_FOUND = f"none found (set {BROKERS_VARIABLE}, or install Docker, or Java and Maven)"

MakeBroker = Callable[[Mapping[str, str], int], Broker]


def ways() -> list[tuple[str, MakeBroker]]:
    """The ways to a broker of our own that this machine has the tools for, best first."""
    found: list[tuple[str, MakeBroker]] = []
    if docker_works():
        found.append(("docker", ContainerBroker))
    if tools_work():
        found.append(("jars", JarBroker))
    return found


def where() -> str:
    """`external`, `docker`, `jars` or `none`: what would be tried first."""
    if os.environ.get(BROKERS_VARIABLE):
        return "external"
    return next((name for name, _ in ways()), "none")


def required() -> bool:
    """Whether a missing Kafka is a failure (in CI, and when one was named) and not a reason to skip tests."""
    return bool(os.environ.get(BROKERS_VARIABLE)) or os.environ.get(REQUIRED_VARIABLE, "") not in ("", "0")


def start_broker(settings: Mapping[str, str] | None = None, heap_mb: int = 256) -> Broker:
    """A broker that answers. `settings` (broker settings by Kafka's own names) are for a broker of our own.

    Raises KafkaUnavailable if there is no way to one, or if every way failed.
    """
    if brokers := os.environ.get(BROKERS_VARIABLE):
        wait_until_ready(brokers, timeout_s=30)
        return ExternalBroker(brokers)
    failures = []
    for name, make in ways():
        try:
            return _started(make, settings or {}, heap_mb)
        except KafkaUnavailable as error:
            failures.append(f"{name}: {error}")
        except Exception as error:  # what testcontainers and Docker raise has no common class
            failures.append(f"{name}: {type(error).__name__}: {error}")
    raise KafkaUnavailable("; ".join(failures) or NONE_FOUND)


def _started(make: MakeBroker, settings: Mapping[str, str], heap_mb: int) -> Broker:
    """A second broker is tried if the first does not start: another process may have taken its port."""
    for last_attempt in (False, True):
        broker = make(settings, heap_mb)
        try:
            broker.start()
            return broker
        except KafkaUnavailable:
            broker.close()
            if last_attempt:
                raise
        except BaseException:
            broker.close()
            raise
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def real_kafka(settings: Mapping[str, str] | None = None, heap_mb: int = 256) -> Iterator[KafkaCluster]:
    """A Kafka with the helpers of KafkaCluster, gone at the end if it is ours. Raises KafkaUnavailable."""
    broker = start_broker(settings, heap_mb)
    try:
        with KafkaCluster(broker) as cluster:
            yield cluster
    finally:
        broker.close()
