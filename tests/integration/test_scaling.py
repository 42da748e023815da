"""Workers join and leave under load: every event arrives once, in order, and no limit of Batch is touched.

`SEGBATCH_TEST_EVENTS=100000` makes it a long run.
"""

from __future__ import annotations

import os

import pytest

from tests.integration.scene import Scene, traffic
from tests.integration.workers import total_said, wait_until

EVENTS = int(os.environ.get("SEGBATCH_TEST_EVENTS", "7000"))
USERS = max(900, EVENTS // 20)
SECONDS = max(20.0, EVENTS / 1_600)
DRAINED_S = 50.0 + EVENTS / 1_000


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_one_worker_then_three_then_one(scene: Scene, protocol: str) -> None:
    stays = scene.worker(KAFKA__GROUP_PROTOCOL=protocol).ready()
    producing = scene.produce_steadily(traffic(EVENTS, USERS), SECONDS)
    wait_until(lambda: scene.batch.stats()["updates"] > 500, "the first worker delivers")

    guests = [scene.worker(KAFKA__GROUP_PROTOCOL=protocol) for _ in range(2)]
    for worker in guests:
        worker.ready()
    wait_until(
        lambda: all(worker.metric("segbatch_updates_total") > 50 for worker in guests),
        "all three deliver",
    )
    for worker in guests:
        worker.terminate()
    assert [worker.exit_code() for worker in guests] == [0, 0]
    producing.join()
    scene.wait_until_drained(DRAINED_S)
    assert stays.stop() == 0

    assert scene.differences() == []
    assert total_said(scene.workers) == scene.expected.counts
    assert scene.faults_of_the_client() == {}
    assert scene.lag() == 0
