"""T9: records that Batch refuses, alone among good ones, scattered, and two hundred in a row; and records that are
not JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, log2
from typing import Any

from tests.chaos.evidence import Rules
from tests.chaos.feeder import Traffic, refused_user, user
from tests.chaos.oracle import Kind
from tests.chaos.scenario import Scenario, Size
from tests.chaos.stage import Stage
from tests.integration.workers import wait_until

CALL = 200
"""Updates in a full call."""
FIRST_USER = 900_000
"""The users of the first call have no other events."""


def prepare(stage: Stage) -> None:
    """One call's worth, one of it bad, waits for the worker."""
    users = [user(FIRST_USER + i) for i in range(CALL - 1)]
    stage.feeder.send_all(Kind.TRACK, users[: CALL // 2])
    stage.feeder.send_all(Kind.REFUSED, [refused_user(FIRST_USER)])
    stage.feeder.send_all(Kind.TRACK, users[CALL // 2 :])


def disturb(stage: Stage) -> None:
    """The usual traffic with its bad share, and in the middle of it a call that is bad from end to end."""
    stage.pause(stage.size.seconds / 2)
    stage.feeder.send_all(Kind.REFUSED, [refused_user(FIRST_USER + 1 + i) for i in range(CALL)])
    stage.pause(stage.size.seconds / 2)
    _judge_search(stage, wait_until_refused_alone(stage))


def _judge_search(stage: Stage, calls: Sequence[Mapping[str, Any]]) -> None:
    """To find one bad update among 200 takes 17 calls: the first, and two halves on each of eight levels."""
    together = next(call["ids"] for call in calls if refused_user(FIRST_USER) in call["ids"])
    if len(together) < CALL // 2:
        stage.trouble.append(f"invalid: the bad update was first sent among {len(together)} only")
    used = sum(not set(together).isdisjoint(call["ids"]) for call in calls)
    most = 1 + 2 * ceil(log2(len(together)))
    if used > most:
        stage.trouble.append(f"one bad update among {len(together)} took {used} calls, and {most} would do")


def wait_until_refused_alone(stage: Stage) -> list[dict[str, Any]]:
    """The calls so far, when the bad update of the first call has been found."""
    alone = [refused_user(FIRST_USER)]
    wait_until(
        lambda: any(call["ids"] == alone for call in stage.batch.calls()), "the bad update was sent alone", 60
    )
    return stage.batch.calls()


def rules(stage: Stage) -> Rules:
    return Rules(stage.size.at_least, letters_of=frozenset({Kind.REFUSED.value, Kind.BROKEN.value}))


BAD = Traffic(per_s=200, refused=0.01, broken=0.005)

SCENARIO = Scenario(
    name="poison",
    title="poison: 1 %, one in 200, 200 of 200",
    prepare=prepare,
    disturb=disturb,
    rules=rules,
    protocols=("consumer",),
    settings={"FLUSH__LINGER_MS": "1000"},
    sizes={
        "full": Size(25, {"400": 200}, workers=1, traffic=BAD),
        "soak": Size(
            600,
            {"400": 2_000},
            workers=1,
            traffic=Traffic(per_s=400, users=10_000, refused=0.01, broken=0.005),
        ),
    },
)
