"""Attributes that Batch has from us are not sent again, on a real Kafka."""

from __future__ import annotations

import json
import urllib.request

from mapping.resolved import resolved_event
from sink.client import Credentials
from streams.backfill.headers import repair_headers
from tests.integration.scene import PROJECT_KEY, REST_API_KEY, Scene, identify
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


def test_a_repair_mends_what_a_late_call_of_a_backfill_overwrote(scene: Scene) -> None:
    """What the live stream repeats meanwhile is not sent: the worker does not see the backfill's call."""
    worker = scene.worker().ready()
    live = Record(identify("user-1", plan="gold"), b"user-1")
    scene.kafka.produce(scene.topic, [live])
    scene.wait_until_drained()

    overwrite(scene, "user-1", plan="of old")
    scene.kafka.produce(scene.topic, [live])
    scene.wait_until_drained()
    assert [profile["attributes"] for profile in scene.batch.profiles()] == [{"plan": "of old"}]

    repair = resolved_event("user-1", "b:user-1:1", "2026-03-02T09:14:07.512Z", {"plan": "gold"})
    scene.kafka.produce(scene.topic, [Record(repair, b"user-1", repair_headers("b", 1))])
    scene.wait_until_drained()
    assert [profile["attributes"] for profile in scene.batch.profiles()] == [{"plan": "gold"}]
    assert worker.stop() == 0
    assert total([worker]) == {"accepted": 2, "skipped": {"unchanged": 1}, "dead_lettered": {}}


def overwrite(scene: Scene, user: str, **attributes: object) -> None:
    """As a call of a backfill that is applied late."""
    body = [{"identifiers": {"custom_id": user}, "attributes": attributes}]
    request = urllib.request.Request(
        f"{scene.batch.url}/2.11/profiles/mass-update",
        json.dumps(body).encode(),
        Credentials(REST_API_KEY, PROJECT_KEY).headers(),
    )
    assert urllib.request.urlopen(request).status == 202
