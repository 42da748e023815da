"""T2: kill -9 at random instants."""

from __future__ import annotations

from tests.chaos.evidence import Rules
from tests.chaos.feeder import Traffic
from tests.chaos.scenario import Scenario, Size
from tests.chaos.stage import Stage


def disturb(stage: Stage) -> None:
    """Kill any worker, start another in its place, wait a little, and again."""
    while not stage.over:
        stage.fleet.kill()
        stage.fleet.start()
        stage.pause(2, 6)
        if stage.random.random() < 0.5:
            # Every other time the group has come to rest before the next one.
            stage.fleet.wait_until_ready()


def rules(stage: Stage) -> Rules:
    stage.note_kills()
    # A worker that was killed has spent tokens that its heir cannot know of.
    return Rules(stage.size.at_least, refusals_429=2 * len(stage.fleet.killed))


SCENARIO = Scenario(
    name="kill",
    title="kill -9 at random instants",
    disturb=disturb,
    rules=rules,
    watched=True,
    sizes={
        "short": Size(20, {"kills": 3, "rebalances": 6}),
        "full": Size(40, {"kills": 6, "rebalances": 12}),
        "soak": Size(1_200, {"kills": 100, "rebalances": 200}, traffic=Traffic(per_s=800, users=10_000)),
    },
)
