"""Apache Kafka's own container image, through testcontainers."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from tests.kafka.broker import KAFKA_VERSION, TEST_SETTINGS, KafkaUnavailable, free_ports, wait_until_ready

IMAGE = f"apache/kafka:{KAFKA_VERSION}"
PORT_IN_CONTAINER = 9092


def docker_works() -> bool:
    """Whether a Docker engine answers; a client without an engine counts as absent."""
    try:
        done = subprocess.run(
            ["docker", "info", "--format", "{{.ServerVersion}}"],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and bool(done.stdout.strip())


class ContainerBroker:
    """One broker in a container, which testcontainers removes however this process ends."""

    owned = True

    def __init__(self, settings: Mapping[str, str] | None = None, heap_mb: int = 256) -> None:
        # The address that the broker advertises has to be known before it starts: hence a fixed port.
        [port] = free_ports(1)
        self.brokers = f"{DockerClient().host()}:{port}"
        merged = {**TEST_SETTINGS, **(settings or {}), **self._own_settings()}
        environment = {f"KAFKA_{key.upper().replace('.', '_')}": value for key, value in merged.items()}
        environment["KAFKA_HEAP_OPTS"] = f"-Xms64m -Xmx{heap_mb}m"
        self._container = DockerContainer(IMAGE, env=environment).with_bind_ports(PORT_IN_CONTAINER, port)
        self._made = False

    def start(self) -> None:
        """Start it on its data and wait until it answers. Raises KafkaUnavailable."""
        if self._made:
            self._container.get_wrapped_container().start()
        else:
            self._container.start()
            self._made = True
        try:
            wait_until_ready(self.brokers)
        except KafkaUnavailable as error:
            log = self._container.get_wrapped_container().logs(tail=15).decode(errors="replace")
            raise KafkaUnavailable(f"{error}\n{log}") from error

    def stop(self) -> None:
        self._container.get_wrapped_container().stop()

    def kill(self) -> None:
        self._container.get_wrapped_container().kill()

    def close(self) -> None:
        self._container.stop()

    def _own_settings(self) -> dict[str, str]:
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "listeners": f"PLAINTEXT://:{PORT_IN_CONTAINER},CONTROLLER://:9093",
            "advertised.listeners": f"PLAINTEXT://{self.brokers}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.voters": "1@localhost:9093",
        }
