"""A worker that stands still: paused by a person, or halted because too much would become dead letters."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.conftest import MakeScene
from tests.integration.scene import Scene, identify, traffic
from tests.integration.workers import Worker, wait_until
from tests.kafka import Record

BROKEN = b"{"
PARTITIONS = 2
SWITCH = "delivery:\n  enabled: {}\n"
LIMIT = "dead_letter:\n  max_consecutive: {}\n"


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_paused_worker_reads_nothing_and_keeps_its_partitions_until_it_goes_on(
    scene: Scene, tmp_path: Path, protocol: str
) -> None:
    switch = tmp_path / "segbatch.yaml"
    switch.write_text(SWITCH.format("true"))
    worker = scene.worker(KAFKA__GROUP_PROTOCOL=protocol).ready()
    scene.produce(traffic(500, users=100))
    scene.wait_until_drained()
    switch.write_text(SWITCH.format("false"))
    worker.hang_up()
    wait_until(lambda: worker.readiness()[1].keys() == {"paused"}, "the worker is paused", timeout_s=5)
    calls = scene.batch.stats()["calls"]

    scene.produce(traffic(1_000, users=100, seed=2))

    wait_until(lambda: worker.metric("segbatch_unread_records") >= 900, "the records wait in Kafka")
    assert scene.batch.stats()["calls"] == calls
    switch.write_text(SWITCH.format("true"))
    worker.hang_up()
    wait_until(lambda: worker.readiness() == (200, {}), "the worker goes on", timeout_s=5)
    scene.wait_until_drained()
    assert worker.metric("segbatch_rebalances_total", kind="revoked") == 0
    assert worker.stop() == 0
    assert scene.differences() == []


def test_a_worker_that_starts_paused_reads_nothing(scene: Scene) -> None:
    scene.produce(traffic(300, users=50))
    worker = scene.worker(DELIVERY__ENABLED="false").ready()
    wait_until(lambda: worker.metric("segbatch_unread_records") == 300, "the ends are known")
    assert worker.metric("segbatch_pending_records") == 0
    assert scene.batch.stats()["calls"] == 0
    assert worker.stop() == 0


def halted(scene: Scene, setting: str) -> Worker:
    """A worker that was halted by this limit."""
    worker = scene.worker(DEAD_LETTER__MAX_CONSECUTIVE="50").ready()
    wait_until(lambda: worker.metric("segbatch_dead_letter_limit_reached") == 1, "the worker halts")
    assert setting in worker.readiness()[1]["dead_letters"]
    assert setting in str(
        worker.logged("halted: too many dead letters; nothing more is read, sent or dead-lettered")
    )
    return worker


def test_too_many_dead_letters_in_a_row_halt_the_worker_and_are_read_again_after_a_restart(
    make_scene: MakeScene,
) -> None:
    scene = make_scene().create_topics(PARTITIONS)
    scene.kafka.produce(scene.topic, [Record(BROKEN, b"user-1", partition=1) for _ in range(200)])
    worker = halted(scene, "dead_letter.max_consecutive")

    wait_until(lambda: len(scene.dead_letters()) == 50, "letters up to the limit are written")
    scene.kafka.produce(scene.topic, [Record(identify("user-2", plan="gold"), b"user-2", partition=0)])
    wait_until(lambda: worker.metric("segbatch_unread_records") >= 1, "nothing more is read")
    wait_until(
        lambda: scene.kafka.committed(scene.group, scene.topic).get(1) == 50, "the commit stands there"
    )
    assert scene.batch.stats()["calls"] == 0
    assert worker.running
    assert worker.stop() == 0
    assert scene.kafka.committed(scene.group, scene.topic)[1] == 50

    mended = scene.worker(DEAD_LETTER__MAX_CONSECUTIVE="1000").ready()
    scene.wait_until_drained()
    assert mended.stop() == 0
    assert len(scene.dead_letters()) == 200
    assert scene.batch.attributes() == {"user-2": {"plan": "gold"}}


def test_a_limit_that_is_raised_in_the_file_holds_after_sighup(make_scene: MakeScene, tmp_path: Path) -> None:
    settings = tmp_path / "segbatch.yaml"
    settings.write_text(LIMIT.format(50))
    scene = make_scene().create_topics(PARTITIONS)
    scene.kafka.produce(scene.topic, [Record(BROKEN, b"user-1", partition=1) for _ in range(200)])
    worker = scene.worker().ready()
    wait_until(lambda: worker.metric("segbatch_dead_letter_limit_reached") == 1, "the worker halts")
    settings.write_text(LIMIT.format(1000))

    worker.hang_up()

    scene.wait_until_drained()
    assert worker.readiness() == (200, {})
    assert worker.stop() == 0
    assert len(scene.dead_letters()) == 200


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_after_sighup_a_halted_worker_reads_its_records_again(make_scene: MakeScene, protocol: str) -> None:
    scene = make_scene().create_topics(PARTITIONS)
    records = [Record(BROKEN, b"user-1", partition=1) for _ in range(120)]
    records.append(Record(identify("user-1", plan="gold"), b"user-1", partition=1))
    scene.kafka.produce(scene.topic, records)
    worker = scene.worker(DEAD_LETTER__MAX_CONSECUTIVE="50", KAFKA__GROUP_PROTOCOL=protocol).ready()
    for expected in (50, 100):
        wait_until(lambda wanted=expected: len(scene.dead_letters()) == wanted, f"{expected} letters")
        assert worker.metric("segbatch_dead_letter_limit_reached") == 1
        worker.hang_up()

    scene.wait_until_drained()

    assert worker.readiness() == (200, {})
    assert worker.stop() == 0
    assert len(scene.dead_letters()) == 120
    assert scene.batch.attributes() == {"user-1": {"plan": "gold"}}
