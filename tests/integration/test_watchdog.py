"""A call that never ends: the worker says that it is not alive, and what waits."""

from __future__ import annotations

from tests.integration.conftest import MakeScene
from tests.integration.scene import Scene, identify
from tests.integration.workers import wait_until
from tests.kafka import Record

HOUR_MS = 3_600_000


def track(user: str, message_id: str) -> bytes:
    event = f'{{"type": "track", "event": "Signed Up", "userId": "{user}", "messageId": "{message_id}"}}'
    return event.encode()


def test_a_partition_whose_call_is_held_is_stuck_and_a_worker_that_waits_for_batch_is_not(
    make_scene: MakeScene,
) -> None:
    scene = make_scene().create_topics(2)
    scene.batch.fault("slow", delay_ms=HOUR_MS)
    settings = {"WATCHDOG_S": "3", "BATCH__REQUEST_TIMEOUT_S": "3600", "SHUTDOWN_TIMEOUT_S": "2"}
    worker = scene.worker(**settings).ready()
    scene.kafka.produce(scene.topic, [Record(identify("user-1", plan="gold"), b"user-1", partition=1)])

    wait_until(lambda: "stuck" in worker.liveness()[1], "the worker says that it is stuck", timeout_s=20)

    status, problems = worker.liveness()
    assert status == 503
    assert f"{scene.topic}[1]" in problems["stuck"]
    (line,) = worker.logged(
        "a partition is stuck: none of its records was completed, and nothing explains it"
    )
    assert line["waits_for"] == {"answer": 1}
    assert line["calls"] == [{"stage": "answer", "updates": 1, "posted": 1}]
    assert "gold" not in str(worker.lines)

    scene.batch.fault("off")
    waiting = make_scene().create_topics(2)
    waiting.batch.fault("503")
    patient = waiting.worker(WATCHDOG_S="1").ready()
    waiting.kafka.produce(waiting.topic, [Record(identify("user-1", plan="gold"), b"user-1")])
    wait_until(lambda: patient.metric("segbatch_retries_total") >= 4, "calls are tried again")
    assert patient.liveness() == (200, {})


def test_events_that_a_producer_sends_twice_reach_batch_once(scene: Scene) -> None:
    worker = scene.worker().ready()
    first = [Record(track(f"user-{n}", f"m-{n}"), f"user-{n}".encode()) for n in range(50)]
    scene.kafka.produce(scene.topic, [*first, *first[:20]])
    scene.wait_until_drained()
    scene.kafka.produce(scene.topic, first[20:40])
    scene.wait_until_drained()

    assert sum(len(profile["events"]) for profile in scene.batch.profiles()) == 50
    assert worker.stop() == 0
    assert worker.summary["records"]["skipped"] == {"duplicate": 40}
