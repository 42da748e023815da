"""`segbatch produce`: what lies in the topic afterwards."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from secrets import token_hex

import pytest

from streams.commands import produce
from tests.kafka import KafkaCluster
from tests.streams.commands.helpers import EmbeddedKafka, Segbatch, Start, json_lines


def test_lines_are_sent_unchanged_and_keyed_by_user_id(segbatch: Segbatch, embedded: EmbeddedKafka) -> None:
    lines = {
        b'{"userId": "u1",  "a": 1}': b"u1",
        b'{"userId":12.0}': b"12",
        b'{"userId":123456789012345678901234567890}': b"123456789012345678901234567890",
        b'{"anonymousId":"a1"}': None,
        b'{"userId":""}': None,
        b'{"userId":true}': None,
        b"no JSON": None,
        b'["userId"]': None,
    }
    joined = b"\n\n".join(lines) + b"\r\n"

    result = segbatch("produce", input=joined, **settings(embedded, "keys"))

    assert result.exit_code == 0, result.output
    assert {record.value(): record.key() for record in embedded.records("keys")} == lines
    assert result.stdout.startswith("8 records sent to keys (5 without a key, 2 not a JSON object) in ")


def test_a_users_lines_stay_in_order_in_one_partition(segbatch: Segbatch, embedded: EmbeddedKafka) -> None:
    Path("events.jsonl").write_text(json_lines(*({"userId": f"u{n % 3}", "n": n} for n in range(300))))

    result = segbatch("produce", "events.jsonl", "--topic", "order", **settings(embedded, "elsewhere"))

    assert result.exit_code == 0, result.output
    for user in range(3):
        records = [r for r in embedded.records("order") if r.key() == f"u{user}".encode()]
        assert len({record.partition() for record in records}) == 1
        assert [json.loads(record.value())["n"] for record in records] == list(range(user, 300, 3))


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_what_was_read_is_delivered_when_interrupted(
    start: Start, embedded: EmbeddedKafka, stop: signal.Signals
) -> None:
    process = start("produce", **settings(embedded, stop.name))
    process.stdin.write(json_lines({"userId": "u1"}, {"userId": "u2"}))
    process.stdin.flush()
    while len(embedded.records(stop.name)) < 2:
        assert process.poll() is None

    process.send_signal(stop)
    process.wait(20)
    out, err = process.communicate()

    assert (process.returncode, err) == (0, "")
    assert out.startswith(f"2 records sent to {stop.name} in ")


def test_a_record_that_kafka_refuses_is_told_with_the_reason(segbatch: Segbatch, kafka: KafkaCluster) -> None:
    topic = kafka.create_topic(kafka.unique("produce"), partitions=1)
    large = token_hex(2_000_000)
    lines = json_lines({"userId": "u1"}, {"userId": "u2", "large": large}, {"userId": "u3"})

    result = segbatch(
        "produce", input=lines, SEGBATCH_KAFKA__BROKERS=kafka.brokers, SEGBATCH_KAFKA__TOPICS=topic
    )

    assert result.exit_code == 1
    assert {record.key() for record in kafka.read_all(topic)} == {b"u1", b"u3"}
    assert f"2 of 3 records sent to {topic}" in result.stdout
    assert "1 not delivered: Broker: Message size too large" in result.stderr


def test_brokers_that_do_not_answer_are_told_with_the_reason(
    segbatch: Segbatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(produce, "REACH_S", 0.5)
    result = segbatch(
        "produce", input="{}", SEGBATCH_KAFKA__BROKERS="127.0.0.1:1", SEGBATCH_KAFKA__TOPICS="events"
    )

    assert result.exit_code == 1
    assert "no broker answers at 127.0.0.1:1" in result.stderr
    assert "Correct kafka.brokers" in result.stderr
    assert "Connection refused" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_what_is_needed_is_brokers_and_a_topic(segbatch: Segbatch) -> None:
    result = segbatch("produce", input="")

    assert result.exit_code == 78
    assert "kafka.brokers: is required" in result.stderr
    assert "kafka.topics: is required" in result.stderr
    assert "rest_api_key" not in result.stderr
    assert "project_key" not in result.stderr


def test_a_name_that_is_none_of_a_topic_is_told(segbatch: Segbatch, embedded: EmbeddedKafka) -> None:
    result = segbatch("produce", "--topic", "a topic", input="", **settings(embedded, "events"))

    assert result.exit_code == 2
    assert "'a topic' is not a name that Kafka allows" in result.stderr


def settings(embedded: EmbeddedKafka, topic: str) -> dict[str, str]:
    return {"SEGBATCH_KAFKA__BROKERS": embedded.brokers, "SEGBATCH_KAFKA__TOPICS": topic}
