"""A worker that is asked to stop hands over cleanly; one that is killed loses nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.integration.conftest import MakeScene
from tests.integration.scene import Scene, traffic
from tests.integration.workers import total_said, wait_until

SLOW_MS = 300


def test_sigterm_in_mid_flight_repeats_nothing(make_scene: MakeScene) -> None:
    scene = make_scene(latency_ms=SLOW_MS).create_topics()
    scene.produce(traffic(4_000, users=2_500))
    first = scene.worker().ready()
    wait_until(lambda: scene.batch.stats()["updates"] > 300, "delivery is under way")

    assert first.stop() == 0
    left = scene.lag()
    assert left > 0
    second = scene.worker().ready()
    scene.wait_until_drained()
    assert second.stop() == 0

    assert total_said([first, second]) == scene.expected.counts
    assert scene.differences() == []
    assert scene.faults_of_the_client() == {}


def test_several_handovers_under_load_repeat_nothing(make_scene: MakeScene) -> None:
    scene = make_scene(latency_ms=SLOW_MS).create_topics()
    producing = scene.produce_steadily(traffic(4_000, users=500), seconds=12)
    for _ in range(3):
        sent = scene.batch.stats()["updates"]
        worker = scene.worker().ready()
        wait_until(lambda sent=sent: scene.batch.stats()["updates"] > sent + 100, "delivery is under way")
        assert worker.stop() == 0
    last = scene.worker().ready()
    producing.join()
    scene.wait_until_drained()
    assert last.stop() == 0

    assert total_said(scene.workers) == scene.expected.counts
    assert scene.differences() == []
    assert scene.faults_of_the_client() == {}


def test_sigterm_while_batch_is_down_ends_at_once_and_loses_nothing(scene: Scene) -> None:
    scene.batch.fault("503")
    scene.produce(traffic(500, users=100))
    first = scene.worker().ready()
    wait_until(lambda: first.metric("segbatch_retries_total") > 3, "calls are tried again")

    started = datetime.now(UTC)
    assert first.stop() == 0
    assert datetime.now(UTC) - started < timedelta(seconds=8)
    scene.batch.fault("off")
    second = scene.worker().ready()
    scene.wait_until_drained()
    assert second.stop() == 0

    assert total_said([first, second]) == scene.expected.counts
    assert scene.differences() == []


def test_requests_that_outlast_the_shutdown_are_told_by_exit_code_3(scene: Scene) -> None:
    scene.batch.fault("slow", delay_ms=20_000)
    scene.produce(traffic(100, users=50))
    worker = scene.worker(SHUTDOWN_TIMEOUT_S="2").ready()
    wait_until(lambda: scene.batch.stats()["calls"] > 0, "a call is in flight")

    assert worker.stop() == 3
    assert worker.summary["records"]["accepted"] == 0
    assert scene.lag() > 0


def test_kill_loses_nothing_and_repeats_at_most_what_was_in_flight(make_scene: MakeScene) -> None:
    scene = make_scene(latency_ms=SLOW_MS).create_topics()
    session = {"KAFKA__SESSION_TIMEOUT_S": "6"}
    scene.produce(traffic(4_000, users=2_500))
    first = scene.worker(**session).ready()
    wait_until(lambda: scene.batch.stats()["updates"] > 300, "delivery is under way")

    first.kill()
    unsure_since = datetime.now(UTC) - timedelta(seconds=2 * SLOW_MS / 1000)
    last_calls = [call for call in scene.batch.calls() if datetime.fromisoformat(call["time"]) > unsure_since]
    second = scene.worker(**session).ready()
    scene.wait_until_drained()
    assert second.stop() == 0

    assert scene.repeats() <= sum(call["events"] for call in last_calls)
    stats = scene.batch.stats()["violations"]
    assert stats["repeated_in_call"] == 0
