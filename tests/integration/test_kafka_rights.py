"""The rights that docs/security.md names suffice, on a broker with Kafka's own authorizer; without one, it is named."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from sink.settlement import Refusal
from streams.ledger import Ledger
from streams.letter import letter_headers
from streams.records import Record as FetchedRecord
from tests.integration.backfills import Backfill
from tests.integration.local_batch import LocalBatch
from tests.integration.scene import Scene, identify
from tests.integration.workers import SEGBATCH, Worker, environment, wait_until
from tests.kafka import KafkaCluster, KafkaUnavailable, Record
from tests.kafka.find import required
from tests.kafka.jars import JarBroker, nodes, tools_work
from tests.streams.fakes import FakeMessage

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
BROKEN = b"no JSON"
WORKER, OPERATOR, REPARTITION = "segbatch", "segbatch-operator", "segbatch-repartition"
BACKFILL = "segbatch-backfill"
USERS = (WORKER, OPERATOR, REPARTITION, BACKFILL)
PASSWORD = "password-of-the-tests"
KINDS = {
    "--topic": ResourceType.TOPIC,
    "--group": ResourceType.GROUP,
    "--transactional-id": ResourceType.TRANSACTIONAL_ID,
}


class Right(NamedTuple):
    """What a line of the page grants."""

    user: str
    operation: str
    kind: str
    name: str
    pattern: str = "literal"


def documented_rights() -> list[Right]:
    found = []
    for line in PAGE.read_text().splitlines():
        words = shlex.split(line) if line.startswith("kafka-acls.sh") else []
        if words:
            said = dict(pairwise(words))
            (kind,) = KINDS.keys() & said.keys()
            user = said["--allow-principal"].removeprefix("User:")
            pattern = said.get("--resource-pattern-type", "literal")
            found.append(Right(user, said["--operation"], kind, said[kind], pattern))
    return found


RIGHTS = documented_rights()


class GuardedKafka:
    """A broker that knows users by password on one listener; on the other, for the tests, everything is allowed."""

    def __init__(self) -> None:
        node = nodes(1)[0]
        users = " ".join(f'user_{user}="{PASSWORD}"' for user in USERS)
        login = "org.apache.kafka.common.security.plain.PlainLoginModule"
        self.broker = JarBroker(
            {
                "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:SASL_PLAINTEXT",
                "sasl.enabled.mechanisms": "PLAIN",
                "listener.name.proxied.plain.sasl.jaas.config": f"{login} required {users};",
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": "User:ANONYMOUS",
                "allow.everyone.if.no.acl.found": "false",
            },
            node=replace(node, proxy_port=node.proxied_port),
        )
        self.brokers = f"127.0.0.1:{node.proxied_port}"
        self.broker.start()
        self._admin = AdminClient({"bootstrap.servers": self.broker.brokers, "log_level": 0})

    def grant(self, rights: Iterable[Right], names: dict[str, str]) -> None:
        """`names`: from a name on the page to that in the test."""
        bindings = [self._binding(right, names) for right in rights]
        for future in self._admin.create_acls(bindings).values():
            future.result(20)

    def _binding(self, right: Right, names: dict[str, str]) -> AclBinding:
        return AclBinding(
            KINDS[right.kind],
            names[right.name],
            ResourcePatternType[right.pattern.upper()],
            f"User:{right.user}",
            "*",
            AclOperation[right.operation],
            AclPermissionType.ALLOW,
        )


@pytest.fixture(scope="module")
def guarded() -> Iterator[GuardedKafka]:
    if not tools_work():
        pytest.skip("a broker with an authorizer is made from Kafka's jars: it takes Java and Maven")
    try:
        kafka = GuardedKafka()
    except KafkaUnavailable as error:
        if required():
            raise
        pytest.skip(f"no real Kafka: {error}")
    yield kafka
    kafka.broker.close()


class GuardedScene:
    """Topics, and commands that log in as one user."""

    def __init__(self, guarded: GuardedKafka, scene: Scene) -> None:
        self.guarded, self.scene = guarded, scene
        self.names = {
            "segment-events": scene.topic,
            "segment-events.dead-letter": scene.dead_letter_topic,
            "segbatch": scene.group,
            "segbatch.dead-letters": f"{scene.group}.dead-letters",
            "segbatch-repartition": f"{scene.group}-repartition",
            "segment-events.keyed": f"{scene.topic}.keyed",
        }

    def grant(self, rights: Iterable[Right]) -> None:
        self.guarded.grant(rights, self.names)

    def settings(self, user: str, **more: str) -> dict[str, str]:
        return {
            **self.scene.settings(),
            "KAFKA__BROKERS": self.guarded.brokers,
            "KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "KAFKA__SASL_MECHANISM": "PLAIN",
            "KAFKA__SASL_USERNAME": user,
            "KAFKA__SASL_PASSWORD": PASSWORD,
            **more,
        }

    def run(self, user: str, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SEGBATCH, *command],
            env=environment(self.settings(user)),
            capture_output=True,
            text=True,
            check=False,
        )

    def letters(self, *command: str) -> subprocess.CompletedProcess[str]:
        return self.run(OPERATOR, "dead-letters", *command)


@pytest.fixture
def stage(guarded: GuardedKafka, tmp_path: Path) -> Iterator[GuardedScene]:
    with KafkaCluster(guarded.broker) as kafka:
        scene = Scene(kafka, LocalBatch(max_custom_id_chars=20), tmp_path).create_topics(2)
        yield GuardedScene(guarded, scene)
        scene.close()


def test_the_page_grants_what_it_says() -> None:
    assert len(RIGHTS) == 16
    assert {right.user for right in RIGHTS} == {*USERS}


@pytest.mark.kafka
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_with_these_rights_and_no_more_everything_works(stage: GuardedScene, protocol: str) -> None:
    stage.grant(RIGHTS)
    scene = stage.scene
    check = json.loads(stage.run(WORKER, "check", "--json").stdout)
    assert [finding for finding in check["findings"] if finding["severity"] == "error"] == []
    worker = scene.start(stage.settings(WORKER, KAFKA__GROUP_PROTOCOL=protocol)).ready()
    scene.kafka.produce(
        scene.topic,
        [Record(identify("u1", plan="a"), b"u1"), *(Record(BROKEN, f"u{n}".encode()) for n in range(1, 4))],
    )
    scene.wait_until_drained()
    assert worker.readiness() == (200, {})
    assert worker.stop() == 0
    assert scene.batch.attributes() == {"u1": {"plan": "a"}}
    verified = stage.run(WORKER, "verify", "--settle", "0")
    assert verified.returncode == 0, verified.stderr
    assert "says nothing of user u1" in stage.run(WORKER, "membership", "u1").stdout

    assert json.loads(stage.letters("stats", "--json").stdout)["open"] == 3
    exported = stage.letters("export")
    assert (exported.returncode, len(exported.stdout.splitlines())) == (0, 3), exported.stderr
    replayed = stage.letters("replay", "--rate", "1000")
    assert replayed.returncode == 0, replayed.stderr
    purged = stage.letters("purge", "--user", "u2", "--yes")
    assert purged.returncode == 0, purged.stderr
    left = json.loads(stage.letters("stats", "--json").stdout)
    assert (left["letters"], left["replayed"]) == (2, 2)


@pytest.mark.kafka
def test_with_these_rights_and_no_more_repartition_works(stage: GuardedScene) -> None:
    stage.grant(RIGHTS)
    scene = stage.scene
    keyed = scene.kafka.create_topic(stage.names["segment-events.keyed"], 2)
    scene.kafka.produce(scene.topic, [Record(identify("u1", plan="a"))])

    process = Worker(stage.settings(REPARTITION), scene.directory, ("repartition",))
    scene.workers.append(process)
    wait_until(
        lambda: [each.key() for each in scene.kafka.read_all(keyed)] == [b"u1"], "the record is copied"
    )
    assert process.stop() == 0


@pytest.mark.kafka
def test_with_these_rights_and_no_more_a_backfill_repairs_and_writes_dead_letters(
    stage: GuardedScene, tmp_path: Path
) -> None:
    stage.grant(RIGHTS)
    scene = stage.scene
    history = tmp_path / "history.jsonl"
    history.write_bytes(identify("u1", plan="old") + b"\n" + identify("u" * 30, plan="old") + b"\n")

    running = Backfill(stage.settings(BACKFILL), tmp_path, str(history), "--settle", "3", "--json")
    wait_until(lambda: scene.batch.attributes() == {"u1": {"plan": "old"}}, "the history is sent")
    scene.kafka.produce(scene.topic, [Record(identify("u1", plan="new"), b"u1")])
    report = running.report()

    assert (report["accepted"], report["repairs"]) == (1, 1)
    assert report["dead_lettered"] == {"refused_by_batch": 1}
    assert len(scene.dead_letters()) == 1


@pytest.mark.kafka
@pytest.mark.parametrize("missing", [right for right in RIGHTS if right.user == WORKER], ids=str)
def test_check_names_the_right_that_the_worker_misses(stage: GuardedScene, missing: Right) -> None:
    stage.grant([right for right in RIGHTS if right != missing])
    done = stage.run(WORKER, "check", "--json")
    assert done.returncode == 1
    errors: list[dict[str, Any]] = [
        finding for finding in json.loads(done.stdout)["findings"] if finding["severity"] == "error"
    ]
    assert any(missing.operation in finding["remedy"] for finding in errors), errors
    assert any(stage.names[missing.name] in finding["check"] for finding in errors), errors


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("missing", "command", "message"),
    [
        (Right(OPERATOR, "READ", "--topic", "segment-events.dead-letter"), ["stats"], "authorization failed"),
        (
            Right(OPERATOR, "WRITE", "--topic", "segment-events"),
            ["replay"],
            "give this user WRITE on the source and the dead-letter topics",
        ),
        (
            Right(OPERATOR, "WRITE", "--topic", "segment-events.dead-letter"),
            ["replay"],
            "give this user WRITE on the source and the dead-letter topics",
        ),
        (
            Right(OPERATOR, "WRITE", "--transactional-id", "segbatch.dead-letters"),
            ["replay"],
            "give this user WRITE on the transactional id",
        ),
        (
            Right(OPERATOR, "DELETE", "--topic", "segment-events.dead-letter"),
            ["purge", "--user", "u1", "--yes"],
            "give this user DELETE on the topic",
        ),
    ],
)
def test_a_command_names_the_right_that_it_misses(
    stage: GuardedScene, missing: Right, command: list[str], message: str
) -> None:
    assert missing in RIGHTS
    scene = stage.scene
    scene.kafka.produce(scene.dead_letter_topic, [letter_of(scene.topic)])
    stage.grant(right for right in RIGHTS if right != missing)

    done = stage.letters(*command)

    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert scene.kafka.read_all(scene.topic) == []
    assert len(scene.kafka.read_all(scene.dead_letter_topic)) == 1


def letter_of(topic: str) -> Record:
    """A letter about a record of `u1` in partition 0."""
    message = FakeMessage(BROKEN, b"u1")
    record = FetchedRecord(Ledger(topic, 0, 0), message, 0)
    headers = letter_headers(record, Refusal("invalid_json", "d"), value_left_out=False)
    return Record(BROKEN, b"u1", [(name, value or b"") for name, value in headers], 0)
