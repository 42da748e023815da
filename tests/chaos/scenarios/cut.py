"""T7: the connection is cut after Batch has applied the call, so that nobody can know."""

from __future__ import annotations

from tests.chaos.evidence import Rules
from tests.chaos.feeder import Traffic
from tests.chaos.scenario import Scenario, Size
from tests.chaos.stage import Stage

SHARE = 0.05


def disturb(stage: Stage) -> None:
    """One call in twenty: its events come once more for each cut, and no others."""
    stage.batch.fault("reset_after", share=SHARE, seed=stage.random.randrange(1_000))
    while not stage.over:
        stage.pause(0.5)


SCENARIO = Scenario(
    name="cut",
    title="connection cut after Batch applied the call",
    disturb=disturb,
    rules=lambda stage: Rules(stage.size.at_least, cut_calls_explain=True),
    protocols=("consumer",),
    sizes={
        "short": Size(15, {"cuts": 5}),
        "full": Size(30, {"cuts": 10}),
        "soak": Size(600, {"cuts": 200}, traffic=Traffic(per_s=800, users=10_000)),
    },
)
