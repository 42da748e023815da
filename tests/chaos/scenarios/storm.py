"""T4: a storm of rebalances: workers come and go faster than the group can settle."""

from __future__ import annotations

from tests.chaos.evidence import Rules
from tests.chaos.feeder import Traffic
from tests.chaos.scenario import Scenario, Size
from tests.chaos.stage import Stage

MOST_WORKERS = 7
RESUMED_S = 30.0


def disturb(stage: Stage) -> None:
    """Start one or ask one to stop, at random, about once a second; two stay in the end."""
    fleet = stage.fleet
    while not stage.over:
        if len(fleet.up) < 2 or (len(fleet.up) < MOST_WORKERS and stage.random.random() < 0.5):
            fleet.start()
        else:
            fleet.terminate()
        stage.pause(0.5, 1.5)
    fleet.start(max(0, 2 - len(fleet.up)))


SCENARIO = Scenario(
    name="storm",
    title="rebalance storm",
    disturb=disturb,
    rules=lambda stage: Rules(stage.size.at_least, resumed_s=RESUMED_S),
    sizes={
        "full": Size(28, {"starts": 8, "terminations": 8, "rebalances": 15}, workers=4, partitions=24),
        "soak": Size(
            600,
            {"starts": 200, "terminations": 200, "rebalances": 800},
            workers=6,
            partitions=80,
            traffic=Traffic(per_s=800, users=10_000),
        ),
    },
)
