"""`segbatch repartition` on a real Kafka: each record once, unchanged, keyed, in its partition's order."""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Message
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from tests.integration.workers import Worker, wait_until
from tests.kafka import KafkaCluster, Record

PARTITIONS = 4
USERS = 60
KILLS = 10


class Bench:
    """A source topic without keys, a keyed one, and processes that copy between them."""

    def __init__(self, kafka: KafkaCluster, directory: Path) -> None:
        self.kafka = kafka
        self.source = kafka.unique("unkeyed")
        self.target = f"{self.source}.keyed"
        self.group = kafka.unique("repartition")
        self.processes: list[Worker] = []
        self.directory = directory

    def create_topics(self) -> Bench:
        self.kafka.create_topic(self.source, PARTITIONS)
        self.kafka.create_topic(self.target, PARTITIONS)
        return self

    def start(self, **settings: str) -> Worker:
        own = {"KAFKA__BROKERS": self.kafka.brokers, **settings}
        if settings.get("KAFKA__GROUP_PROTOCOL") != "consumer":
            own["KAFKA__SESSION_TIMEOUT_S"] = "3"
        command = ("repartition", "--source", self.source, "--group", self.group)
        process = Worker(own, self.directory, command)
        self.processes.append(process)
        return process

    def wait_until_copied(self) -> None:
        def done() -> bool:
            ends = {place: end for place, end in self.kafka.end_offsets(self.source).items() if end}
            return self.kafka.committed(self.group, self.source) == ends

        wait_until(done, "everything copied", 60)

    def copied(self) -> int:
        """Offsets in the keyed topic: records, and markers of transactions."""
        return sum(self.kafka.end_offsets(self.target).values())

    def close(self) -> None:
        for process in self.processes:
            process.close()
            print(f"--- process\n{process.log()}")


@pytest.fixture
def bench(kafka: KafkaCluster, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(kafka, tmp_path)
    yield made
    made.close()


def event(user: int, partition: int, number: int) -> Record:
    """A record that says where it lies, and its number in the partition."""
    value = {"properties": {"userId": "no"}, "userId": f"user-{user}", "place": [partition, number]}
    return Record(json.dumps(value).encode(), partition=partition)


class Load(threading.Thread):
    """Produces without keys until it is told to end."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(daemon=True)
        self._bench = bench
        self._end = threading.Event()
        self.records: list[Record] = []

    def run(self) -> None:
        number = 0
        while not self._end.wait(0.05):
            made = [
                event((number + i * 7) % USERS, i % PARTITIONS, number + i // PARTITIONS) for i in range(100)
            ]
            number += 100 // PARTITIONS
            self.records += made
            self._bench.kafka.produce(self._bench.source, made)

    def end(self) -> list[Record]:
        self._end.set()
        self.join(30)
        return self.records


def assert_each_once_and_in_order(records: list[Record], copies: list[Message]) -> None:
    assert Counter(copy.value() for copy in copies) == Counter(record.value for record in records)
    partitions = defaultdict(set)
    numbers = defaultdict(list)
    for copy in copies:
        value = json.loads(copy.value())
        assert copy.key() == value["userId"].encode()
        partitions[copy.key()].add(copy.partition())
        partition, number = value["place"]
        numbers[copy.key(), partition].append(number)
    assert all(len(found) == 1 for found in partitions.values()), "a user's records lie in one partition"
    assert all(found == sorted(found) for found in numbers.values()), "in the source partition's order"


def test_a_record_goes_over_unchanged_with_the_users_key(bench: Bench) -> None:
    bench.create_topics()
    headers = [("trace", b"t-1"), ("trace", b"t-2"), ("empty", b"")]
    records = [
        Record(b'{"userId": "u-1"}', None, headers, 0, 1_700_000_000_123),
        Record(b'{"anonymousId": "a-1"}', b"old", (), 1, 1_700_000_000_456),
        Record(b"no JSON", b"kept", headers, 2, 1_700_000_000_789),
        Record(None, b"tombstone", (), 3, 1_700_000_000_000),
        Record(b"[]", None, (), 3, 1_700_000_000_001),
    ]
    bench.kafka.produce(bench.source, records)
    process = bench.start()

    bench.wait_until_copied()

    copies = {copy.value(): copy for copy in bench.kafka.read_all(bench.target)}
    assert {record.value: copies[record.value].key() for record in records} == {
        b'{"userId": "u-1"}': b"u-1",
        b'{"anonymousId": "a-1"}': b"a-1",
        b"no JSON": b"kept",
        None: b"tombstone",
        b"[]": None,
    }
    for record in records:
        copy = copies[record.value]
        assert (copy.headers() or []) == list(record.headers)
        assert copy.timestamp()[1] == record.timestamp_ms
    assert process.readiness() == (200, {})
    wait_until(lambda: process.metric("segbatch_unread_records") == 0, "nothing unread")
    assert process.metric("segbatch_repartitioned_records_total", key="user_id") == 1
    assert process.stop() == 0
    assert process.summary["records"] == {"anonymous_id": 1, "none": 3, "user_id": 1}


def test_ten_kills_under_load(bench: Bench) -> None:
    """Of three processes, two with static membership: their restart ends what they left open at once. What the third
    left open ends with its transaction's time."""
    bench.create_topics()
    short = {"KAFKA__LIBRDKAFKA": '{"transaction.timeout.ms": "2000"}'}
    settings = [{**short, "KAFKA__INSTANCE_ID": "a"}, {**short, "KAFKA__INSTANCE_ID": "b"}, short]
    running = [bench.start(**each) for each in settings]
    for process in running:
        process.ready()
    load = Load(bench)
    load.start()

    for kill in range(KILLS):
        seen = bench.copied()
        wait_until(lambda: bench.copied() > seen + 200, "copying goes on")  # noqa: B023
        running[kill % 3].kill()
        running[kill % 3] = bench.start(**settings[kill % 3])
    records = load.end()
    bench.wait_until_copied()

    assert len(records) > 1000
    assert_each_once_and_in_order(records, bench.kafka.read_all(bench.target))
    assert [process.stop() for process in running] == [0, 0, 0]


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_processes_come_and_go(bench: Bench, protocol: str) -> None:
    bench.create_topics()
    settings = {"KAFKA__GROUP_PROTOCOL": protocol}
    load = Load(bench)
    first = bench.start(**settings).ready()
    load.start()
    others = [bench.start(**settings).ready() for _ in range(2)]
    wait_until(lambda: bench.copied() > 500, "copying goes on")
    assert first.stop() == 0
    seen = bench.copied()
    wait_until(lambda: bench.copied() > seen + 500, "the others go on")
    records = load.end()
    bench.wait_until_copied()

    assert [process.stop() for process in others] == [0, 0]
    assert_each_once_and_in_order(records, bench.kafka.read_all(bench.target))
    done = [process.summary["records"].get("user_id", 0) for process in (first, *others)]
    assert sum(done) == len(records)


def test_a_broker_that_restarts_is_waited_for(bench: Bench) -> None:
    if not bench.kafka.owned:
        pytest.skip("this Kafka cannot be restarted")
    bench.create_topics()
    first = [event(number % USERS, number % PARTITIONS, number) for number in range(400)]
    bench.kafka.produce(bench.source, first)
    process = bench.start().ready()
    bench.wait_until_copied()

    bench.kafka.restart()
    second = [event(number % USERS, number % PARTITIONS, number) for number in range(400, 800)]
    bench.kafka.produce(bench.source, second)
    wait_until(lambda: len(bench.kafka.read_all(bench.target)) >= 800, "the rest is copied", 60)

    assert_each_once_and_in_order(first + second, bench.kafka.read_all(bench.target))
    assert process.stop() == 0


def test_a_record_too_large_for_the_keyed_topic_is_told_and_goes_when_there_is_room(bench: Bench) -> None:
    bench.kafka.create_topic(bench.source, PARTITIONS)
    bench.kafka.create_topic(bench.target, PARTITIONS, max_message_bytes="2000", compression_type="producer")
    large = json.dumps({"userId": "user-1", "noise": "".join(chr(33 + i * 7919 % 90) for i in range(9000))})
    records = [event(1, 0, 0), Record(large.encode(), partition=0), event(1, 0, 2)]
    bench.kafka.produce(bench.source, records)
    process = bench.start(KAFKA__LIBRDKAFKA='{"compression.type": "none"}').ready()

    wait_until(lambda: "MSG_SIZE_TOO_LARGE" in process.readiness()[1].get("kafka", ""), "the problem is told")
    assert "max.message.bytes" in process.readiness()[1]["kafka"]
    _set_topic(bench.kafka, bench.target, "max.message.bytes", "1000000")
    bench.wait_until_copied()

    values = [copy.value() for copy in bench.kafka.read_all(bench.target)]
    assert values == [record.value for record in records]
    assert process.stop() == 0


@pytest.mark.parametrize(
    ("missing", "remedy"),
    [("source", "create it, or correct --source or kafka.topics"), ("target", "or correct --target")],
)
def test_a_topic_that_is_missing_at_the_start_ends_the_process(
    bench: Bench, missing: str, remedy: str
) -> None:
    there, not_there = (bench.source, bench.target) if missing == "target" else (bench.target, bench.source)
    bench.kafka.create_topic(there, PARTITIONS)
    process = bench.start()
    assert process.exit_code() == 1
    (told,) = process.not_json
    assert told.startswith(f"segbatch: repartition: topic {not_there}: Broker: Unknown topic or partition: ")
    assert told.endswith(f"{remedy}\n")


def test_brokers_that_do_not_answer_at_the_start_are_named_and_waited_for(bench: Bench) -> None:
    process = bench.start(KAFKA__BROKERS="127.0.0.1:1,127.0.0.1:2")
    told = process.wait_for("repartition is interrupted, and begins anew")["reason"]
    assert told.startswith("no broker answers at 127.0.0.1:1, 127.0.0.1:2: ")
    assert "Connection refused" in told
    assert "Correct kafka.brokers and kafka.security_protocol" in told
    assert process.running


def test_what_retention_took_is_counted(bench: Bench) -> None:
    bench.create_topics()
    bench.kafka.produce(bench.source, [event(1, 0, number) for number in range(10)])
    process = bench.start().ready()
    bench.wait_until_copied()
    assert process.stop() == 0
    bench.kafka.produce(bench.source, [event(1, 0, number) for number in range(10, 20)])
    bench.kafka.delete_records(bench.source, 0, 15)

    process = bench.start().ready()
    bench.wait_until_copied()

    assert process.metric("segbatch_lost_to_retention_total") == 5
    copies = [json.loads(copy.value())["place"][1] for copy in bench.kafka.read_all(bench.target)]
    assert copies == [*range(10), *range(15, 20)]
    assert process.stop() == 0


def test_settings_that_cannot_work_are_told_at_once(bench: Bench) -> None:
    process = Worker({"KAFKA__BROKERS": "127.0.0.1:1"}, bench.directory, ("repartition",))
    bench.processes.append(process)
    assert process.exit_code() == 78
    assert "SEGBATCH_KAFKA__TOPICS" in "".join(process.not_json)

    command = ("repartition", "--source", "a", "--source", "b!", "--target", "a")
    process = Worker({"KAFKA__BROKERS": "127.0.0.1:1"}, bench.directory, command)
    bench.processes.append(process)
    assert process.exit_code() == 78
    told = "".join(process.not_json)
    assert "'b!' is not a name that Kafka allows" in told
    assert "--target: a is read as well" in told


def test_settings_that_kafkas_client_refuses_end_the_process(bench: Bench) -> None:
    certificates = bench.directory / "ca.pem"
    certificates.write_text("no certificate")
    process = bench.start(KAFKA__SECURITY_PROTOCOL="SSL", KAFKA__SSL_CA_LOCATION=str(certificates))

    assert process.exit_code() == 78
    assert "Kafka's client refuses the settings" in "".join(process.not_json)


def _set_topic(kafka: KafkaCluster, topic: str, name: str, value: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.brokers})
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(20)
