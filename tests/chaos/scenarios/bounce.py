"""T5: brokers stop and start again, cleanly and as in a power cut, one after the other: the controller and the group's
coordinator are among them."""

from __future__ import annotations

from tests.chaos.evidence import Rules
from tests.chaos.feeder import Traffic
from tests.chaos.scenario import Scenario, Size
from tests.chaos.stage import Stage
from tests.integration.workers import wait_until

IN_SYNC_S = 90.0


def disturb(stage: Stage) -> None:
    """Every broker, each way, in a random order; again if there is time. The next one falls when all are in sync."""
    first = True
    while first or not stage.over:
        bounces = [(node, clean) for node in stage.nodes for clean in (True, False)]
        stage.random.shuffle(bounces)
        for node, clean in bounces:
            if stage.over and not first:
                break
            if clean:
                node.stop()
            else:
                node.kill()
            stage.seen["clean bounces" if clean else "hard bounces"] += 1
            stage.pause(0, 3)
            node.start()
            wait_until(lambda: stage.kafka.under_replicated() == 0, "all replicas are in sync", IN_SYNC_S)
        first = False


def rules(stage: Stage) -> Rules:
    stage.note_losses(stage.began_at)
    return Rules(stage.size.at_least)


SCENARIO = Scenario(
    name="bounce",
    title="broker bounce, clean and hard, of three",
    disturb=disturb,
    rules=rules,
    brokers=3,
    session_s=45,
    sizes={
        "full": Size(40, {"clean bounces": 3, "hard bounces": 3}),
        "soak": Size(
            600, {"clean bounces": 15, "hard bounces": 15}, traffic=Traffic(per_s=800, users=10_000)
        ),
    },
)
