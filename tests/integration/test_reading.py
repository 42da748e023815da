"""What lies in a topic beside plain records: transactions, compression, records without key, deleted records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from streams.demo.records import Produced, accepted
from tests.integration.conftest import MakeScene
from tests.integration.scene import Scene, identify, numbered, traffic
from tests.integration.workers import total, total_said, wait_until
from tests.kafka import Record


def _sound(numbers: Iterable[int], plan: str = "gold") -> list[Produced]:
    return [
        Produced(
            f"user-{number}".encode(),
            identify(f"user-{number}", plan=plan),
            accepted(f"user-{number}", {"plan": plan}),
        )
        for number in numbers
    ]


def _transact(scene: Scene, records: list[Produced], *, commit: bool) -> None:
    scene.kafka.produce_transaction(
        scene.topic, [Record(each.value, each.key) for each in records], commit=commit
    )
    if commit:
        scene.produced += records


def test_aborted_records_are_never_delivered_and_lag_reaches_zero_past_the_markers(scene: Scene) -> None:
    worker = scene.worker().ready()
    _transact(scene, _sound(range(40)), commit=True)
    _transact(scene, _sound(range(20, 60), plan="aborted"), commit=False)
    scene.produce(_sound(range(60, 70)))
    _transact(scene, _sound(range(10), plan="silver"), commit=True)
    _transact(scene, _sound(range(70, 80), plan="aborted"), commit=False)

    scene.wait_until_drained()

    assert scene.kafka.committed(scene.group, scene.topic) == scene.kafka.end_offsets(scene.topic)
    assert worker.stop() == 0
    assert total([worker]) == {"accepted": 60, "skipped": {}, "dead_lettered": {}}
    assert scene.differences() == []


def test_an_open_transaction_holds_back_its_partitions_until_it_ends(scene: Scene) -> None:
    producer = scene.kafka.producer(transactional_id=scene.kafka.unique("tx"))
    producer.init_transactions(20)
    producer.begin_transaction()
    opened = _sound(range(30))
    for each in opened:
        producer.produce(scene.topic, each.value, key=each.key)
    producer.flush(20)
    worker = scene.worker().ready()
    wait_until(lambda: scene.kafka.committed(scene.group, scene.topic) or scene.lag() == 0, "nothing to read")
    assert scene.batch.stats()["updates"] == 0

    producer.commit_transaction(20)
    scene.produced += opened

    scene.wait_until_drained()
    assert worker.stop() == 0
    assert scene.differences() == []


def test_every_compression_is_read(scene: Scene) -> None:
    records = traffic(400, users=60)
    for place, codec in enumerate(("gzip", "snappy", "lz4", "zstd")):
        scene.produce(records[place * 100 : place * 100 + 100], compression_type=codec, linger_ms=100)
    worker = scene.worker().ready()

    scene.wait_until_drained()

    assert worker.stop() == 0
    assert total_said([worker]) == scene.expected.counts
    assert scene.differences() == []


def test_without_keys_the_newest_event_of_a_user_wins_within_a_worker(scene: Scene) -> None:
    now = datetime.now(UTC)
    newer = [
        Record(identify(user, now.isoformat(), plan="new", newer=number), partition=number % 6)
        for user, number in numbered(30)
    ]
    older = [
        Record(
            identify(user, (now - timedelta(minutes=5)).isoformat(), plan="old", older=number),
            partition=(number + 1) % 6,
        )
        for user, number in numbered(30)
    ]
    worker = scene.worker().ready()
    scene.kafka.produce(scene.topic, newer)
    scene.wait_until_drained()
    scene.kafka.produce(scene.topic, older)
    scene.wait_until_drained()

    assert scene.batch.attributes() == {
        user: {"plan": "new", "newer": number, "older": number} for user, number in numbered(30)
    }
    assert worker.metric("segbatch_unkeyed_records_total") == 60
    assert worker.stop() == 0


def _delete_up_to(scene: Scene, offset: int) -> None:
    admin = AdminClient({"bootstrap.servers": scene.kafka.brokers})
    for future in admin.delete_records([TopicPartition(scene.topic, 0, offset)]).values():
        future.result(20)


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_records_that_retention_deleted_are_counted_and_delivery_goes_on_after_them(
    make_scene: MakeScene, protocol: str
) -> None:
    scene = make_scene().create_topics(partitions=1)
    first = scene.worker(KAFKA__GROUP_PROTOCOL=protocol).ready()
    scene.produce(_sound(range(100)))
    scene.wait_until_drained()
    assert first.stop() == 0
    scene.kafka.produce(scene.topic, [Record(each.value, each.key) for each in _sound(range(100, 250))])
    _delete_up_to(scene, 250)
    scene.produce(_sound(range(250, 300)))

    second = scene.worker(KAFKA__GROUP_PROTOCOL=protocol).ready()
    scene.wait_until_drained()
    scene.produce(_sound(range(300, 350)))
    scene.wait_until_drained()

    assert second.metric("segbatch_lost_to_retention_total", topic=scene.topic, partition="0") == 150
    logged = [line for line in second.lines if line.get("level") == "error"]
    assert [(line["first_lost"], line["offsets"]) for line in logged] == [(100, 150)]
    assert second.stop() == 0
    assert scene.differences() == []


@pytest.mark.parametrize("kept", [50, 0], ids=["some records left", "none left"])
def test_a_group_without_commits_does_not_count_what_it_never_could_read(
    make_scene: MakeScene, kept: int
) -> None:
    scene = make_scene().create_topics(partitions=1)
    scene.kafka.produce(scene.topic, [Record(each.value, each.key) for each in _sound(range(20))])
    _delete_up_to(scene, 20)
    scene.produce(_sound(range(20, 20 + kept)))

    worker = scene.worker().ready()
    wait_until(lambda: scene.lag() == 0 and worker.metric("segbatch_updates_total") == kept, "all is read")

    assert worker.metric("segbatch_lost_to_retention_total") == 0
    assert worker.stop() == 0
    assert scene.differences() == []


def test_start_latest_leaves_what_was_there_before_a_new_group(scene: Scene) -> None:
    scene.kafka.produce(scene.topic, [Record(each.value, each.key) for each in _sound(range(60), "before")])
    worker = scene.worker(KAFKA__START="latest").ready()
    scene.produce(_sound(range(30, 90), "after"))

    wait_until(lambda: len(scene.batch.profiles()) >= 60, "what came after is delivered")

    assert worker.stop() == 0
    assert total([worker]) == {"accepted": 60, "skipped": {}, "dead_lettered": {}}
    assert scene.differences() == []


def test_start_at_a_time_reads_what_was_appended_from_then_on(scene: Scene) -> None:
    start = datetime.now(UTC).replace(microsecond=0)
    for records, age in ((_sound(range(60), "before"), 1), (_sound(range(60), "after"), 0)):
        at = round((start - timedelta(minutes=age)).timestamp() * 1000)
        scene.kafka.produce(scene.topic, [Record(each.value, each.key, timestamp_ms=at) for each in records])
    scene.produced = _sound(range(60), "after")
    worker = scene.worker(KAFKA__START=start.isoformat().replace("+00:00", "Z")).ready()

    scene.wait_until_drained()

    assert worker.stop() == 0
    assert total([worker]) == {"accepted": 60, "skipped": {}, "dead_lettered": {}}
    assert scene.differences() == []


def test_a_group_that_has_committed_starts_there_whatever_the_setting_says(scene: Scene) -> None:
    scene.produce(_sound(range(40)))
    first = scene.worker().ready()
    scene.wait_until_drained()
    assert first.stop() == 0
    scene.produce(_sound(range(40, 80)))

    second = scene.worker(KAFKA__START="latest").ready()
    scene.wait_until_drained()

    assert second.stop() == 0
    assert total([second])["accepted"] == 40
    assert scene.differences() == []
