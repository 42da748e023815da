"""T8: Batch refuses everything for a while, in every way it has; then the REST API key is replaced."""

from __future__ import annotations

from tests.chaos.feeder import Traffic
from tests.chaos.scenario import Scenario, Size
from tests.chaos.stage import Stage
from tests.integration.workers import Worker, wait_until

REFUSALS = {
    "429": {"mode": "429"},
    "500": {"mode": "500", "share": 0.7},
    "503": {"mode": "503", "retry_after_s": 1},
    "502": {"mode": "bad_gateway"},
}
"""By the status that the workers see."""
BETWEEN_S = 2.0
RECOVERED_S = 90.0
NEW_KEY = "key-after-the-replacement"


def disturb(stage: Stage) -> None:
    """Each refusal for a part of the time and until it was met often enough, then until all have got over it; and 401
    until the new key is in the workers' secret."""
    for status, refusal in REFUSALS.items():
        stage.batch.fault(**refusal)
        stage.pause(stage.size.seconds / len(REFUSALS))
        _wait_until_met(stage, status, refusal["mode"])
        stage.batch.fault("off")
        wait_until(lambda: all(map(_delivers, stage.fleet.up)), "every worker delivers again", RECOVERED_S)
        stage.pause(BETWEEN_S)
    _replace_key(stage)


def _replace_key(stage: Stage) -> None:
    stage.batch.replace_rest_api_key(NEW_KEY)
    wait_until(lambda: all(map(_is_halted, stage.fleet.up)), "every worker says that its key is refused")
    stage.pause(BETWEEN_S)
    (stage.folder / "rest_api_key").write_text(NEW_KEY)
    wait_until(lambda: all(map(_is_ready, stage.fleet.up)), "every worker has found the new key", RECOVERED_S)
    stage.seen["key replacements"] += 1


def _is_halted(worker: Worker) -> bool:
    status, problems = worker.readiness()
    return status == 503 and "401" in problems.get("batch", "")


def _wait_until_met(stage: Stage, status: str, mode: object) -> None:
    """Until that fault of the sandbox has hit as many calls as the run needs to prove something."""
    least = stage.size.at_least.get(status, 0)
    wait_until(
        lambda: stage.batch.stats()["faults"].get(mode, 0) >= least,
        f"{least} calls met {status}",
        RECOVERED_S,
    )


def _delivers(worker: Worker) -> bool:
    return worker.metric("segbatch_breaker_open") == 0


def _is_ready(worker: Worker) -> bool:
    return worker.readiness()[0] == 200


SCENARIO = Scenario(
    name="answers",
    title="429, 500, 503 and 502 for seconds each, 401 with a key change",
    disturb=disturb,
    protocols=("classic",),
    sizes={
        "short": Size(8, {"429": 2, "500": 1, "503": 1, "401": 3, "key replacements": 1}),
        "full": Size(16, {"429": 5, "500": 5, "503": 5, "502": 5, "401": 3, "key replacements": 1}),
        "soak": Size(
            3_600,
            {"429": 50, "500": 50, "503": 50, "502": 50, "401": 3, "key replacements": 1},
            traffic=Traffic(per_s=400, users=10_000),
        ),
    },
)
