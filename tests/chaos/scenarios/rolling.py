"""T3: rolling restarts, also in the middle of the rebalance that the restart before set off."""

from __future__ import annotations

from tests.chaos.feeder import Traffic
from tests.chaos.scenario import Scenario, Size
from tests.chaos.stage import Stage


def disturb(stage: Stage) -> None:
    """SIGTERM to one worker after the other, each replaced by a new one. Nothing may be lost, nothing repeated."""
    while not stage.over:
        leaving = stage.fleet.terminate(stage.fleet.up[0])
        if stage.random.random() < 0.5:
            leaving.exit_code()
        stage.fleet.start()
        if stage.random.random() < 0.5:
            stage.fleet.wait_until_ready()
        stage.pause(0.2, 2)


SCENARIO = Scenario(
    name="rolling",
    title="rolling SIGTERM, in mid-rebalance too",
    disturb=disturb,
    sizes={
        "short": Size(20, {"terminations": 5, "rebalances": 8}),
        "full": Size(36, {"terminations": 8, "rebalances": 20}),
        "soak": Size(600, {"terminations": 50, "rebalances": 150}, traffic=Traffic(per_s=800, users=10_000)),
    },
)
