"""Batch in trouble: delivery waits as long as it takes, and goes on by itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.conftest import MakeScene
from tests.integration.scene import REST_API_KEY, Scene, header, identify, traffic
from tests.integration.workers import total_said, wait_until
from tests.kafka import Record

POLL_INTERVAL_S = 8
OUTAGE_S = 14
PARTITIONS = 6
SHORT_POLL_INTERVAL = {
    "KAFKA__MAX_POLL_INTERVAL_S": str(POLL_INTERVAL_S),
    "KAFKA__SESSION_TIMEOUT_S": "6",
    "DRAIN_TIMEOUT_S": "2",
}


@pytest.mark.parametrize("mode", ["503", "reset_before"])
def test_an_outage_longer_than_the_poll_interval(scene: Scene, mode: str) -> None:
    worker = scene.worker(**SHORT_POLL_INTERVAL, FLUSH__MAX_RECORDS="300").ready()
    scene.batch.fault(mode, seconds=OUTAGE_S)
    scene.produce(traffic(8_000, users=400))
    wait_until(lambda: worker.metric("segbatch_unread_records") > 0, "reading pauses", timeout_s=10)
    wait_until(lambda: worker.metric("segbatch_breaker_open") == 1, "the breaker opens", timeout_s=10)
    assert "batch.base_url" in worker.readiness()[1]["batch"]
    wait_until(lambda: scene.batch.stats()["updates"] > 0, "Batch takes calls again")
    assert worker.metric("segbatch_retries_total") > 0
    wait_until(lambda: worker.readiness() == (200, {}), "the breaker closes", timeout_s=5)

    scene.wait_until_drained()

    assert worker.metric("segbatch_rebalances_total", kind="assigned") == PARTITIONS
    assert worker.metric("segbatch_rebalances_total", kind="revoked") == 0
    assert worker.metric("segbatch_rebalances_total", kind="lost") == 0
    assert worker.stop() == 0
    assert total_said([worker]) == scene.expected.counts
    assert scene.differences() == []
    assert scene.faults_of_the_client() == {}


def test_memory_is_bounded_while_batch_takes_nothing(scene: Scene) -> None:
    scene.batch.fault("503")
    scene.produce(traffic(8_000, users=800))
    worker = scene.worker(FLUSH__MAX_RECORDS="300").ready()
    wait_until(lambda: worker.metric("segbatch_unread_records") > 0, "reading pauses", timeout_s=15)

    held = worker.metric("segbatch_pending_records")
    unread = worker.metric("segbatch_unread_records")

    assert 200 < held <= 300
    assert unread > 1_000
    wait_until(
        lambda: worker.readiness()[1].keys() == {"batch"}, "the worker says what is down", timeout_s=15
    )
    scene.batch.fault("off")
    scene.wait_until_drained()
    assert worker.stop() == 0
    assert scene.differences() == []


def test_through_an_outage_only_probes_of_one_update_reach_batch(scene: Scene) -> None:
    worker = scene.worker().ready()
    scene.batch.fault("503")
    scene.produce(traffic(4_000, users=1_000))
    wait_until(lambda: worker.metric("segbatch_breaker_open") == 1, "the breaker opens", timeout_s=15)
    tried = worker.metric("segbatch_calls_total", status="503")
    wait_until(
        lambda: worker.metric("segbatch_calls_total", status="503") >= tried + 3, "probes", timeout_s=20
    )
    assert worker.metric("segbatch_calls_total", status="503") == tried + 3
    scene.batch.fault("off")
    wait_until(lambda: worker.metric("segbatch_breaker_open") == 0, "the breaker closes", timeout_s=20)

    scene.wait_until_drained()

    assert next(call["updates"] for call in scene.batch.calls() if call["status"] == 202) == 1
    assert worker.logged("Batch takes no calls: only probes are sent until it does")
    assert worker.logged("resumed: Batch takes calls again")
    assert worker.stop() == 0
    assert scene.differences() == []


def test_what_batch_does_not_take_in_time_becomes_dead_letters_if_that_is_asked_for(scene: Scene) -> None:
    scene.batch.fault("503")
    scene.kafka.produce(scene.topic, [Record(identify(f"user-{n}", n=n), b"user") for n in range(5)])
    worker = scene.worker(DELIVERY__GIVE_UP_AFTER_S="3").ready()

    scene.wait_until_drained()

    assert {header(letter, "segbatch.reason") for letter in scene.dead_letters()} == {"gave_up"}
    assert {header(letter, "segbatch.http.status") for letter in scene.dead_letters()} == {"503"}
    assert worker.stop() == 0
    assert worker.summary["records"]["dead_lettered"] == {"gave_up": 5}


def test_refused_credentials_in_mid_run_stop_delivery_and_lose_nothing(scene: Scene) -> None:
    worker = scene.worker().ready()
    producing = scene.produce_steadily(traffic(2_500, users=400), seconds=10)
    wait_until(lambda: scene.batch.stats()["updates"] > 200, "delivery is under way")

    scene.batch.fault("401")
    wait_until(lambda: worker.readiness()[0] == 503, "the worker is not ready", timeout_s=10)
    _, problems = worker.readiness()
    assert "401" in problems["batch"]
    assert "batch.rest_api_key" in problems["batch"]
    assert worker.metric("segbatch_halted") == 1
    scene.batch.fault("off")
    wait_until(lambda: worker.readiness() == (200, {}), "delivery resumes by itself")

    producing.join()
    scene.wait_until_drained()
    assert worker.metric("segbatch_halted") == 0
    assert worker.stop() == 0
    assert total_said([worker]) == scene.expected.counts
    assert len(scene.dead_letters()) == sum(scene.expected.counts["dead_lettered"].values())
    assert scene.differences() == []


def test_wrong_credentials_at_the_start_are_read_again_until_they_are_right(
    make_scene: MakeScene, tmp_path: Path
) -> None:
    scene = make_scene(rest_api_key=REST_API_KEY).create_topics()
    secret = tmp_path / "key"
    secret.write_text("a-key-that-was-withdrawn\n")
    scene.produce(traffic(300, users=50))
    settings = scene.settings(BATCH__REST_API_KEY_FILE=str(secret))
    del settings["BATCH__REST_API_KEY"]
    worker = scene.start(settings).ready()

    wait_until(lambda: "batch" in worker.readiness()[1], "the worker is not ready")
    assert "batch.rest_api_key" in worker.readiness()[1]["batch"]
    assert scene.kafka.committed(scene.group, scene.topic) == {} or scene.lag() > 0
    assert scene.batch.stats()["updates"] == 0
    secret.write_text(f"{REST_API_KEY}\n")

    scene.wait_until_drained()
    assert worker.readiness() == (200, {})
    assert worker.stop() == 0
    assert total_said([worker]) == scene.expected.counts
    assert scene.differences() == []
    assert "a-key-that-was-withdrawn" not in json.dumps(worker.lines)


def test_a_call_that_was_applied_but_not_answered_is_repeated_whole_and_counted(scene: Scene) -> None:
    worker = scene.worker().ready()
    scene.batch.fault("reset_after", seconds=2)
    scene.produce(traffic(400, users=80))

    scene.wait_until_drained()

    assert worker.stop() == 0
    assert worker.summary["ambiguous"] > 0
    assert total_said([worker]) == scene.expected.counts
    assert scene.repeats() > 0
