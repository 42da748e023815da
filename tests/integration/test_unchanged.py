"""Attributes that Batch has from us are not sent again, on a real Kafka."""

from __future__ import annotations

from tests.integration.scene import Scene, identify
from tests.integration.workers import total
from tests.kafka import Record

USERS = 300


def say(scene: Scene, **traits: object) -> None:
    """Everybody is identified once more."""
    users = [f"user-{number}" for number in range(USERS)]
    scene.kafka.produce(scene.topic, [Record(identify(user, **traits), user.encode()) for user in users])


def test_a_sync_that_repeats_what_batch_has_costs_no_updates_and_is_committed(scene: Scene) -> None:
    worker = scene.worker().ready()
    for plan in ("gold", "gold", "silver", "silver", "gold"):
        say(scene, plan=plan, city="Lyon")
        scene.wait_until_drained()
    stats = scene.batch.stats()
    assert stats["updates"] == 3 * USERS
    assert worker.stop() == 0
    assert total([worker]) == {
        "accepted": 3 * USERS,
        "skipped": {"unchanged": 2 * USERS},
        "dead_lettered": {},
    }
    assert {profile["attributes"]["plan"] for profile in scene.batch.profiles()} == {"gold"}


def test_it_can_be_switched_off(scene: Scene) -> None:
    worker = scene.worker(UNCHANGED__SUPPRESS="false").ready()
    for _ in range(2):
        say(scene, plan="gold")
        scene.wait_until_drained()
    assert scene.batch.stats()["updates"] == 2 * USERS
    assert worker.stop() == 0


def test_a_new_owner_sends_what_the_last_one_had_sent(scene: Scene) -> None:
    for _ in range(2):
        worker = scene.worker().ready()
        say(scene, plan="gold")
        scene.wait_until_drained()
        assert worker.stop() == 0
    assert scene.batch.stats()["updates"] == 2 * USERS
