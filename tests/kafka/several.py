"""A Kafka of several brokers on loopback, each of which can be stopped, killed and started alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.kafka.jars import JarBroker, nodes

SETTINGS: Mapping[str, str] = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    # After a broker was killed the others go on within seconds.
    "controller.quorum.fetch.timeout.ms": "1500",
    "controller.quorum.election.timeout.ms": "700",
}


class SeveralBrokers:
    """Three brokers or more, with every topic on three of them; one of three may be away. Satisfies `Broker`."""

    owned = True

    def __init__(self, count: int = 3, proxy_ports: Sequence[int] = (), heap_mb: int = 192) -> None:
        self.nodes: list[JarBroker] = []
        try:
            for node in nodes(count, proxy_ports):
                self.nodes.append(JarBroker(SETTINGS, heap_mb, node))
        except BaseException:
            self.close()
            raise

    @property
    def brokers(self) -> str:
        """All addresses, for `bootstrap.servers`."""
        return ",".join(node.brokers for node in self.nodes)

    def start(self) -> None:
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.wait_until_ready()

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    def kill(self) -> None:
        for node in self.nodes:
            node.kill()

    def close(self) -> None:
        for node in self.nodes:
            node.close()
