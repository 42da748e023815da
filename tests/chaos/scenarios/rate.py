"""T10: workers join and leave while more waits than Batch takes: its limit is used up, and never passed."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tests.chaos.evidence import Call, read_call
from tests.chaos.feeder import Traffic, user
from tests.chaos.oracle import Kind
from tests.chaos.scenario import Scenario, Size
from tests.chaos.stage import Stage

CONFIGURED = 297.0
"""The default of batch.rate_per_s."""
LEAST = 0.97 * CONFIGURED
MEMBERSHIPS = (1, 2, 4, 8, 4, 1)
SETTLED_S = 3.0
WAITING = 3_000
"""Enough that no partition runs empty after the first burst."""
MORE_THAN_BATCH_TAKES = Traffic(per_s=340, new_users=True, identifies=0)


def prepare(stage: Stage) -> None:
    """Work for the first burst, and some more."""
    stage.feeder.send_all(Kind.TRACK, map(user, range(WAITING)))


def disturb(stage: Stage) -> None:
    """Change the membership, let it settle, measure; and again."""
    for count in MEMBERSHIPS:
        _become(stage, count)
        stage.pause(SETTLED_S)
        since = time.time()
        stage.pause(stage.size.seconds / len(MEMBERSHIPS))
        rate = accepted_per_s([call for call in map(read_call, stage.batch.calls()) if call.at >= since])
        stage.seen["memberships"] += 1
        if rate < LEAST:
            stage.trouble.append(
                f"{count} workers: {rate:.1f} updates a second, and at least {LEAST:.1f} needed"
            )


def _become(stage: Stage, count: int) -> None:
    fleet = stage.fleet
    leaving = [fleet.terminate() for _ in range(len(fleet.up) - count)]
    for worker in leaving:
        worker.exit_code()
    fleet.start(max(0, count - len(fleet.up)))
    fleet.wait_until_ready()


def accepted_per_s(calls: Sequence[Call]) -> float:
    """Updates accepted a second, from the first call to the last."""
    accepted = [call for call in calls if call.status == 202]
    seconds = accepted[-1].at - accepted[0].at if accepted else 0.0
    return sum(call.updates for call in accepted[1:]) / seconds if seconds else 0.0


SEEN = {"memberships": len(MEMBERSHIPS), "rebalances": 15}

SCENARIO = Scenario(
    name="rate",
    title="1, 2, 4, 8, 4, 1 workers at Batch's limit",
    disturb=disturb,
    prepare=prepare,
    protocols=("consumer",),
    sizes={
        "full": Size(60, SEEN, workers=1, partitions=16, traffic=MORE_THAN_BATCH_TAKES),
        "soak": Size(3_600, SEEN, workers=1, partitions=16, traffic=MORE_THAN_BATCH_TAKES),
    },
)
