"""The Kafka under the scenarios, and the proxies before it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.chaos.network import Network
from tests.kafka import KafkaCluster
from tests.kafka.broker import Broker
from tests.kafka.jars import JarBroker, nodes
from tests.kafka.several import SeveralBrokers


@dataclass(frozen=True, slots=True)
class Ground:
    """A running Kafka. `nodes` are its brokers, each of which can be stopped, killed and started."""

    kafka: KafkaCluster
    nodes: Sequence[JarBroker]
    network: Network

    def heal(self) -> None:
        """Everything runs and nothing is spoilt, as at the start, whatever a run that broke off left behind."""
        self.network.http.poison()
        self.network.kafka.poison()
        for node in self.nodes:
            if not node.running:
                node.start()

    def brokers(self, proxied: bool) -> str:
        """`bootstrap.servers` of the workers."""
        if not proxied:
            return self.kafka.brokers
        return ",".join(f"127.0.0.1:{port}" for port in self.network.kafka.ports)


@contextmanager
def open_ground(brokers: int, chances: random.Random) -> Iterator[Ground]:
    """Start one broker or several; all is gone at the end. Raises KafkaUnavailable."""
    network = Network(brokers, chances)
    try:
        ports = network.kafka.ports
        broker, found = _brokers(brokers, ports)
        network.kafka.lead_to([("127.0.0.1", each.node.proxied_port) for each in found])
        try:
            broker.start()
            yield Ground(KafkaCluster(broker), found, network)
        finally:
            broker.close()
    finally:
        network.close()


def _brokers(count: int, proxy_ports: Sequence[int]) -> tuple[Broker, list[JarBroker]]:
    if count == 1:
        broker = JarBroker(node=nodes(1, proxy_ports)[0])
        return broker, [broker]
    several = SeveralBrokers(count, proxy_ports)
    return several, several.nodes
