"""`segbatch check`: what it finds, and what it tells people to do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mapping.settings import MappingSettings
from sink.client import read_answer
from sink.sandbox import RunningSandbox, SandboxSettings, start_sandbox
from streams.commands import check_batch, check_kafka
from streams.commands.check_sample import Sample, judge
from streams.commands.findings import Finding
from streams.commands.meaning import Clock, posted_meaning
from tests.kafka import KafkaCluster, Record
from tests.streams.commands.helpers import EmbeddedKafka, Segbatch

KEYS = {"SEGBATCH_BATCH__REST_API_KEY": "right-key", "SEGBATCH_BATCH__PROJECT_KEY": "any-project"}
NOWHERE = {"SEGBATCH_KAFKA__BROKERS": "127.0.0.1:1", "SEGBATCH_KAFKA__TOPICS": "events"}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not answer at once will not."""
    monkeypatch.setattr(check_kafka, "REACH_S", 2.0)
    monkeypatch.setattr(check_kafka, "RIGHTS_S", 1.0)


@pytest.fixture
async def sandbox() -> AsyncIterator[RunningSandbox]:
    sandbox = await start_sandbox(SandboxSettings(port=0, rest_api_key="right-key"))
    yield sandbox
    await sandbox.stop()


def event(user: str | None = "u1", **more: Any) -> bytes:
    return json.dumps({"type": "identify", "userId": user, "traits": {"a": 1}, **more}).encode()


def engage(**integrations: bool) -> bytes:
    personas = {"computation_class": "audience", "computation_key": "vip"}
    return event(context={"personas": personas}, integrations=integrations)


def found_in(*records: tuple[bytes | None, bytes | None]) -> dict[str, Finding]:
    """By the first word of what was looked at."""
    sample = Sample()
    read = posted_meaning(MappingSettings(), Clock(1e12, "dead_letter"))
    for key, value in records:
        sample.add(key, value, read)
    return {finding.check.split()[0]: finding for finding in judge(sample, "events")}


def test_records_keyed_by_user_are_in_order() -> None:
    found = found_in((b"u1", event()), (b"7", event(user=7)), (None, event(user=None)))  # type: ignore[arg-type]

    assert found["keys"].severity == "ok"
    assert "all of the newest 2 records with a userId" in found["keys"].message
    assert found["records"].message == "Of the newest 3: 2 mapped, 1 skipped (no_user_id 1), 0 rejected."


def test_records_without_key_are_told_with_the_remedy() -> None:
    found = found_in((None, event()), (b"u1", event()))

    assert found["keys"].severity == "warning"
    assert found["keys"].message.startswith("1 of the newest 2 records with a userId have no key")
    assert "segbatch repartition" in found["keys"].remedy
    assert "set the key to userId" in found["keys"].remedy


def test_records_with_another_key_are_told() -> None:
    found = found_in((b"message-1", event()), (b"u1", event()))

    assert found["keys"].severity == "warning"
    assert found["keys"].message.startswith("1 of the newest 2 records with a userId have a key that is not")


def test_engage_events_that_integrations_would_skip_are_told_with_the_names_to_set() -> None:
    records = [(b"u1", engage(All=False, **{"My Warehouse": True}))] * 3 + [(b"u1", engage(All=True))]

    found = found_in(*records)

    assert found["integrations"].severity == "warning"
    assert found["integrations"].message.startswith("3 of 4 Engage events would be skipped")
    assert "'My Warehouse'" in found["integrations"].message
    assert "integrations.names" in found["integrations"].remedy


def test_engage_events_that_go_are_in_order() -> None:
    found = found_in((b"u1", engage(All=False, Kafka=True)))

    assert found["integrations"].severity == "ok"


def test_many_rejected_records_are_told_with_their_reasons() -> None:
    found = found_in((None, b"no JSON"), (b"u1", event()), (None, None))

    assert found["records"].severity == "warning"
    assert "1 skipped (tombstone 1), 1 rejected (invalid_json 1)" in found["records"].message


@pytest.mark.parametrize(
    ("status", "body", "severity", "said"),
    [
        (
            404,
            b'{"error_code": "NOT_FOUND", "error_message": "no such export"}',
            "ok",
            "takes the credentials",
        ),
        (200, b'{"id": "x"}', "error", "which Batch does not document"),
        (401, b'{"error_code": "AUTHENTICATION_INVALID"}', "error", "batch.rest_api_key"),
        (403, b"{}", "error", "batch.project_key"),
        (404, b"<html>", "warning", "batch.base_url"),
        (404, b'{"error_code": "ROUTE_NOT_FOUND"}', "error", "batch.api_version"),
        (302, b"", "error", "batch.base_url"),
        (503, b"", "warning", "Check again later"),
    ],
)
def test_batchs_answer_tells_which_setting_is_wrong(
    status: int, body: bytes, severity: str, said: str
) -> None:
    answer = read_answer(status, {}, body)

    finding = check_batch.judge(answer, "https://api.batch.com")

    assert finding.severity == severity
    assert said in f"{finding.message} {finding.remedy}"


async def checked(segbatch: Segbatch, *arguments: str, **environment: str) -> tuple[int, dict[str, Any]]:
    """Exit code and findings; in a thread, because the sandbox lives on this one."""
    result = await asyncio.to_thread(segbatch, "check", "--json", *arguments, **environment)
    assert result.stderr == ""
    return result.exit_code, {finding["check"]: finding for finding in json.loads(result.stdout)["findings"]}


async def test_right_credentials_pass_and_make_no_profile(
    segbatch: Segbatch, sandbox: RunningSandbox
) -> None:
    status, findings = await checked(
        segbatch, "--batch", **NOWHERE, **KEYS, SEGBATCH_BATCH__BASE_URL=sandbox.url
    )

    assert findings["batch"]["severity"] == "ok"
    assert (sandbox.profiles(), sandbox.stats()["calls"]) == ([], 0)
    assert findings["kafka"]["severity"] == "error"
    assert "Connection refused" in findings["kafka"]["message"]
    assert "kafka.brokers" in findings["kafka"]["remedy"]
    assert status == 1


async def test_wrong_credentials_are_an_error_beside_the_others(
    segbatch: Segbatch, sandbox: RunningSandbox
) -> None:
    environment = {**NOWHERE, **KEYS, "SEGBATCH_BATCH__REST_API_KEY": "wrong-key"}

    status, findings = await checked(segbatch, "--batch", **environment, SEGBATCH_BATCH__BASE_URL=sandbox.url)

    assert status == 1
    assert findings["batch"]["severity"] == "error"
    assert "batch.rest_api_key" in findings["batch"]["remedy"]
    assert findings["kafka"]["severity"] == "error"
    assert "wrong-key" not in json.dumps(findings)


def test_a_rate_above_what_batch_documents_is_a_warning(segbatch: Segbatch) -> None:
    result = segbatch(
        "check", **NOWHERE, **KEYS, SEGBATCH_BATCH__RATE_PER_S="300.5", SEGBATCH_BATCH__BURST="1000"
    )

    text = " ".join(result.stdout.split())
    assert (
        "batch.rate_per_s = 300.5 (environment SEGBATCH_BATCH__RATE_PER_S) is above what Batch documents"
        in text
    )
    assert "batch.burst" not in text
    assert "1 error, 1 warning." in text


def test_json_has_the_problems_of_the_configuration(segbatch: Segbatch) -> None:
    result = segbatch("check", "--json", SEGBATCH_FLUSH__LINGER_MS="soon")

    shown = json.loads(result.stdout)
    assert result.exit_code == 78
    assert shown["ok"] is False
    assert {finding["message"].split()[0].rstrip(":") for finding in shown["findings"]} == {
        "flush.linger_ms",
        "kafka.brokers",
        "kafka.topics",
        "batch.rest_api_key",
        "batch.project_key",
    }
    assert all(finding["remedy"] for finding in shown["findings"])


def test_the_embedded_cluster_is_checked_without_making_a_topic(
    segbatch: Segbatch, embedded: EmbeddedKafka
) -> None:
    embedded.producer.produce("checked", event(), key="u1")
    embedded.producer.flush()

    result = segbatch(
        "check", SEGBATCH_KAFKA__BROKERS=embedded.brokers, SEGBATCH_KAFKA__TOPICS="checked", **KEYS
    )

    assert result.exit_code == 1
    assert "checked.dead-letter" not in embedded.producer.list_topics(timeout=10).topics
    lines = result.stdout.splitlines()
    assert any(line.startswith("error    dead letters checked.dead-letter") for line in lines)
    assert any(line.startswith("ok       keys checked") for line in lines)
    assert lines[-1] == "1 error, 0 warnings."


def test_a_mapping_that_hardly_means_what_it_says_is_a_warning(segbatch: Segbatch) -> None:
    Path("mappings.yaml").write_text("- name: A\n  mapping: {identifiers: {custom_id: kiosk}}\n")

    result = segbatch("check", "--json", **NOWHERE, **KEYS)

    (found,) = (each for each in json.loads(result.stdout)["findings"] if each["severity"] == "warning")
    assert found == {
        "check": "mapping 'A', mapping.identifiers.custom_id",
        "severity": "warning",
        "message": "It is the same for every event: all users would be written to one profile "
        "(file mappings.yaml:2:38).",
        "remedy": 'For the event\'s value write {"@path": "$.userId"}.',
    }


def test_a_good_set_up_on_real_kafka_passes_and_nothing_is_committed(
    segbatch: Segbatch, kafka: KafkaCluster
) -> None:
    topic = kafka.create_topic(kafka.unique("checked"), partitions=3)
    kafka.create_topic(f"{topic}.dead-letter", partitions=3)
    kafka.produce(topic, [Record(event(user=f"u{n}"), key=f"u{n}".encode()) for n in range(500)])
    group = kafka.unique("group")
    environment = {"SEGBATCH_KAFKA__BROKERS": kafka.brokers, "SEGBATCH_KAFKA__GROUP": group, **KEYS}

    result = segbatch("check", SEGBATCH_KAFKA__TOPICS=topic, **environment)

    assert result.exit_code == 0, result.output
    assert "3 partitions in all: each carries 99 profile updates a second of 297" in squeezed(result.stdout)
    assert "It has 3 partitions, and we may write it." in squeezed(result.stdout)
    assert result.stdout.splitlines()[-1] == "Everything is in order."
    assert kafka.committed(group, topic) == {}
    assert kafka.assignments(group) == {}
    assert kafka.read_all(f"{topic}.dead-letter") == []


def test_every_problem_of_real_kafka_is_told_at_once(segbatch: Segbatch, kafka: KafkaCluster) -> None:
    topic = kafka.create_topic(kafka.unique("checked"), partitions=3)
    kafka.create_topic(f"{topic}.dead-letter", partitions=1)
    missing = kafka.unique("missing")

    result = segbatch(
        "check",
        SEGBATCH_KAFKA__BROKERS=kafka.brokers,
        SEGBATCH_KAFKA__TOPICS=f"{topic},{missing}",
        **KEYS,
    )

    text = squeezed(result.stdout)
    assert result.exit_code == 1
    assert f"error topic {missing} It does not exist" in text
    assert f"dead letters {missing}.dead-letter It does not exist" in text
    assert f"warning dead letters {topic}.dead-letter It has 1 partition, its source 3." in text
    assert f"warning records {topic} There are none to look at" in text
    assert "across topics only within a worker" in text


def squeezed(text: str) -> str:
    return " ".join(text.split())
