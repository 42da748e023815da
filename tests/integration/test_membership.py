"""`segbatch membership` on a real Kafka, for a user and for an audience."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from streams.membership.partitions import partition_of
from tests.integration.workers import SEGBATCH, environment
from tests.kafka import KafkaCluster, Record
from tests.streams.membership.test_said_and_lasting import engage

PARTITIONS = 4
USERS = 40


def membership(kafka: KafkaCluster, topic: str, directory: Path, *options: str, code: int = 0) -> str:
    done = subprocess.run(
        [SEGBATCH, "membership", *options],
        env=environment({"KAFKA__BROKERS": kafka.brokers, "KAFKA__TOPICS": topic}),
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout or done.stderr


def in_json(kafka: KafkaCluster, topic: str, directory: Path, *options: str, code: int = 0) -> Any:
    return json.loads(membership(kafka, topic, directory, "--json", *options, code=code))


def said(user: int, member: bool, at: str, keyed: bool = True) -> Record:
    event = json.loads(engage(member, user=f"user-{user}")) | {
        "timestamp": at,
        "integrations": {"All": False, "Batch (Actions)": True},
    }
    return Record(json.dumps(event).encode(), f"user-{user}".encode() if keyed else None)


def test_a_user_of_a_keyed_topic_is_looked_for_in_one_partition(kafka: KafkaCluster, tmp_path: Path) -> None:
    topic = kafka.create_topic(kafka.unique("events"), PARTITIONS)
    kafka.produce(topic, [said(user, True, "2026-01-01T08:00:00Z") for user in range(USERS)])
    kafka.produce(topic, [said(7, False, "2026-01-02T08:00:00Z")])

    found = in_json(kafka, topic, tmp_path, "user-7")
    own = partition_of("user-7", PARTITIONS)
    assert found["partitions_read"] == {topic: [own]}
    [audience] = found["audiences"]
    assert audience | {"appended_at": None, "offset": None} == {
        "audience": "vip",
        "member": False,
        "said_at": "2026-01-02T08:00:00.000Z",
        "appended_at": None,
        "messages": 2,
        "topic": topic,
        "partition": own,
        "offset": None,
        "not_delivered": None,
    }
    everywhere = in_json(kafka, topic, tmp_path, "user-7", "--all-partitions")
    assert everywhere["partitions_read"] == {topic: list(range(PARTITIONS))}
    assert everywhere["audiences"] == found["audiences"]
    words = membership(kafka, topic, tmp_path, "user-8")
    assert "vip  is in   said 2026-01-01 08:00:00 UTC" in words
    assert f"(partition {partition_of('user-8', PARTITIONS)}, where this user's events are)" in words


def test_a_user_of_a_topic_without_keys_is_looked_for_everywhere(kafka: KafkaCluster, tmp_path: Path) -> None:
    topic = kafka.create_topic(kafka.unique("events"), PARTITIONS)
    late = said(1, False, "2026-01-02T08:00:00Z", keyed=False)._replace(partition=0)
    early = said(1, True, "2026-01-01T08:00:00Z", keyed=False)._replace(partition=3)
    kafka.produce(topic, [late, early])

    found = in_json(kafka, topic, tmp_path, "user-1")
    assert found["partitions_read"] == {topic: list(range(PARTITIONS))}
    assert [each["member"] for each in found["audiences"]] == [False]


def test_an_audience(kafka: KafkaCluster, tmp_path: Path) -> None:
    topic = kafka.create_topic(kafka.unique("events"), PARTITIONS)
    kafka.produce(topic, [said(user, True, "2026-01-01T08:00:00Z") for user in range(USERS)])
    kafka.produce(topic, [said(user, False, "2026-01-03T09:30:00Z") for user in range(10)])
    kafka.produce(topic, [Record(engage(True, user=None)), Record(b"no JSON"), Record(None, b"user-1")])

    found = in_json(kafka, topic, tmp_path, "--audience", "vip")
    assert found == {
        "audience": "vip",
        "complete": True,
        "partitions_read": {topic: list(range(PARTITIONS))},
        "true": 30,
        "false": 10,
        "last_change": "2026-01-03T09:30:00.000Z",
        "messages": 51,
        "without_user_id": 1,
        "not_delivered": {},
    }
    words = membership(kafka, topic, tmp_path, "--audience", "vip")
    assert "in            30 users" in words
    assert "last change   2026-01-03 09:30:00 UTC" in words
    assert "no userId     1 messages" in words


def test_a_range(kafka: KafkaCluster, tmp_path: Path) -> None:
    topic = kafka.create_topic(kafka.unique("events"), PARTITIONS)
    first, second = 1_767_225_600_000, 1_767_312_000_000
    kafka.produce(topic, [said(1, True, "2026-01-01T00:00:00Z")._replace(timestamp_ms=first)])
    kafka.produce(topic, [said(1, False, "2026-01-02T00:00:00Z")._replace(timestamp_ms=second)])

    def member(*options: str) -> list[bool]:
        return [each["member"] for each in in_json(kafka, topic, tmp_path, "user-1", *options)["audiences"]]

    assert member() == [False]
    assert member("--to", "2026-01-01T12:00:00Z") == [True]
    assert member("--from", "2026-01-01T12:00:00Z") == [False]


def test_nothing_said_is_told_with_what_to_do(kafka: KafkaCluster, tmp_path: Path) -> None:
    topic = kafka.create_topic(kafka.unique("events"), PARTITIONS)
    kafka.produce(topic, [said(1, True, "2026-01-01T00:00:00Z")])

    assert "says nothing of user user-2" in membership(kafka, topic, tmp_path, "user-2", code=1)
    told = membership(kafka, topic, tmp_path, "--audience", "vips", code=1)
    assert "Did you mean vip?" in told
    assert "name a user, or --audience" in membership(kafka, topic, tmp_path, code=2)
    assert "topic no-such-topic" in membership(kafka, "no-such-topic", tmp_path, "user-1", code=1)


def test_what_the_worker_would_not_deliver_is_told(kafka: KafkaCluster, tmp_path: Path) -> None:
    topic = kafka.create_topic(kafka.unique("events"), PARTITIONS)
    event = json.loads(engage(True)) | {"integrations": {"All": False, "Other": True}}
    kafka.produce(topic, [Record(json.dumps(event).encode(), b"user-1")])

    words = membership(kafka, topic, tmp_path, "user-1")
    assert "segbatch does not deliver it: filtered_by_integrations" in words
