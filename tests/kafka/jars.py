"""Apache Kafka from its own jars: fetched once with Maven, run with Java, in KRaft mode on loopback."""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.kafka.broker import TEST_SETTINGS, KafkaUnavailable, free_ports, wait_until_ready

POM = Path(__file__).with_name("pom.xml")
FETCH_TIMEOUT_S = 600
STOP_TIMEOUT_S = 20
CLUSTER_ID = "AAAAAAAAAAAAAAAAAAAAAQ"

LOG4J = """\
appender.out.type=Console
appender.out.name=OUT
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{HH:mm:ss.SSS} %p %m (%c{1})%n
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=OUT
"""

# Waits for its standard input to close, which happens however its parent ends, and then removes the broker.
WATCHDOG = 'read -r _; kill -9 -- "-$1"; rm -rf -- "$2"'


def tools_work() -> bool:
    """Whether `java` and `mvn` are there and run; a tool that is there but fails counts as absent."""
    return all(_succeeds(command) for command in (["java", "-version"], ["mvn", "-v"]))


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def cache_folder() -> Path:
    """Where the jars are kept: the user's cache folder, or `.kafka/` here if that is not writable."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(base) / "segbatch"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    local = POM.parents[2] / ".kafka"
    local.mkdir(exist_ok=True)
    return local


def fetch_jars() -> Path:
    """The folder of the jars that pom.xml asks for, fetched if they are not in the cache.

    Raises KafkaUnavailable with Maven's own words when they cannot be fetched.
    """
    cache = cache_folder()
    jars = cache / f"kafka-jars-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"
    with (cache / "kafka-jars.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not jars.is_dir():
            with tempfile.TemporaryDirectory(dir=cache, prefix="fetch-") as fetched:
                _copy_dependencies(Path(fetched))
                (Path(fetched) / "jars").rename(jars)
    return jars


def _copy_dependencies(folder: Path) -> None:
    # A copy of the pom: Maven writes beside the one it is given.
    shutil.copy(POM, folder / "pom.xml")
    command = ["mvn", "-q", "-B", "-f", str(folder / "pom.xml"), "dependency:copy-dependencies"]
    command += [f"-DoutputDirectory={folder / 'jars'}", "-DincludeScope=runtime"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=FETCH_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise KafkaUnavailable(f"mvn did not fetch Kafka's jars in {FETCH_TIMEOUT_S} s") from error
    if done.returncode != 0:
        words = "\n".join((done.stdout + done.stderr).strip().splitlines()[:5])
        raise KafkaUnavailable(f"mvn could not fetch Kafka's jars:\n{words}")


@dataclass(frozen=True, slots=True)
class Node:
    """A broker's place in its cluster; all are broker and controller. Ports are of the loopback interface."""

    id: int
    port: int
    controller_port: int
    voters: str
    """The controllers, as Kafka's `controller.quorum.voters`."""
    proxy_port: int = 0
    """A second listener, PROXIED, tells clients this port: that of a proxy before `proxied_port`. 0: there is none."""
    proxied_port: int = 0


def nodes(count: int, proxy_ports: Sequence[int] = ()) -> list[Node]:
    """The places in a cluster of so many brokers, on free ports; with `proxy_ports` each has a second listener."""
    ports = free_ports(3 * count)
    voters = ",".join(f"{i + 1}@127.0.0.1:{ports[3 * i + 1]}" for i in range(count))
    found = []
    for i in range(count):
        port, controller_port, proxied_port = ports[3 * i : 3 * i + 3]
        proxy_port = proxy_ports[i] if proxy_ports else 0
        found.append(Node(i + 1, port, controller_port, voters, proxy_port, proxied_port))
    return found


class JarBroker:
    """One broker in a process group of its own, with its data in a temporary folder.

    It ends with the Python process that made it, also when that one is killed.
    """

    owned = True

    def __init__(
        self, settings: Mapping[str, str] | None = None, heap_mb: int = 256, node: Node | None = None
    ) -> None:
        self._jars = fetch_jars()
        self._heap_mb = heap_mb
        self.node = node or nodes(1)[0]
        self._folder = Path(tempfile.mkdtemp(prefix="segbatch-kafka-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)
        self.brokers = f"127.0.0.1:{self.node.port}"
        self._write_settings(settings or {})
        self._format()

    def start(self) -> None:
        """Start it on its data and wait until it answers. Raises KafkaUnavailable with the log's end."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start it and do not wait: one of several answers when there is a quorum."""
        if self._process is not None:
            raise RuntimeError("the broker runs already")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._java(), "kafka.Kafka", str(self._properties)],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._watchdog = subprocess.Popen(
            ["sh", "-c", WATCHDOG, "sh", str(self._process.pid), str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait_until_ready(self) -> None:
        """Return when it answers. Raises KafkaUnavailable with the log's end."""
        process = self._process
        if process is None:
            raise RuntimeError("the broker does not run")
        try:
            wait_until_ready(self.brokers, died=lambda: process.poll() is not None)
        except KafkaUnavailable as error:
            self.kill()
            raise KafkaUnavailable(f"{error}\n{self._end_of_log()}") from error

    @property
    def running(self) -> bool:
        """Whether it was started and neither stopped nor killed since."""
        return self._process is not None

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
        atexit.unregister(self.close)

    def _end(self, how: signal.Signals) -> None:
        process, watchdog = self._process, self._watchdog
        self._process = self._watchdog = None
        # The watchdog first: once the broker is reaped, its number may belong to another process.
        if watchdog is not None:
            watchdog.kill()
            watchdog.communicate()
        if process is None:
            return
        if process.poll() is None:
            os.killpg(process.pid, how)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @property
    def _properties(self) -> Path:
        return self._folder / "server.properties"

    @property
    def log(self) -> Path:
        """What it wrote; gone with `close`."""
        return self._folder / "server.log"

    def _java(self) -> list[str]:
        java = ["java", "-Xms64m", f"-Xmx{self._heap_mb}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        log4j = f"-Dlog4j2.configurationFile={self._folder / 'log4j2.properties'}"
        return [*java, log4j, "-cp", f"{self._jars}/*"]

    def _write_settings(self, settings: Mapping[str, str]) -> None:
        node = self.node
        listeners = [f"PLAINTEXT://127.0.0.1:{node.port}", f"CONTROLLER://127.0.0.1:{node.controller_port}"]
        advertised = [f"PLAINTEXT://127.0.0.1:{node.port}"]
        if node.proxy_port:
            listeners.append(f"PROXIED://127.0.0.1:{node.proxied_port}")
            advertised.append(f"PROXIED://127.0.0.1:{node.proxy_port}")
        own = {
            "process.roles": "broker,controller",
            "node.id": str(node.id),
            "listeners": ",".join(listeners),
            "advertised.listeners": ",".join(advertised),
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.voters": node.voters,
            "log.dirs": str(self._folder / "data"),
        }
        lines = (f"{key}={value}\n" for key, value in {**TEST_SETTINGS, **own, **settings}.items())
        self._properties.write_text("".join(lines))
        (self._folder / "log4j2.properties").write_text(LOG4J)

    def _format(self) -> None:
        command = [*self._java(), "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"]
        done = subprocess.run(
            [*command, str(self._properties)],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            self.close()
            raise KafkaUnavailable(f"Kafka refused its settings:\n{done.stdout}{done.stderr}")

    def _end_of_log(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
