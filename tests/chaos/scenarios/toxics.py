"""T6: a bad network, on the way to Batch and on the way to Kafka, one toxic at a time and in pairs."""

from __future__ import annotations

import time
from collections.abc import Mapping

from tests.chaos.evidence import Rules
from tests.chaos.feeder import Traffic
from tests.chaos.scenario import Scenario, Size
from tests.chaos.stage import Stage
from tests.chaos.toxics import (
    Bandwidth,
    Down,
    Latency,
    LimitData,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
    name_of,
)

REQUEST_TIMEOUT_S = 5
REST_S = 0.5
MOST_CALLS = 1.2
FAILED_CALLS = 6
"""That one toxic on the way to Batch may cost, beside: two of each worker."""
PAIRS = 4

TO_BATCH: tuple[Toxic, ...] = (
    Latency(ms=800, jitter_ms=400),
    Bandwidth(kb_per_s=15, direction="up"),
    SlowClose(ms=1_000),
    Timeout(ms=1_000),
    ResetPeer(ms=300),
    Slicer(bytes=50, us=200),
    LimitData(bytes=2_000, direction="up"),
    Down(),
)
TO_KAFKA: tuple[Toxic, ...] = (
    Latency(ms=300, jitter_ms=200),
    Bandwidth(kb_per_s=60),
    SlowClose(ms=1_000),
    Timeout(ms=1_500),
    ResetPeer(ms=700),
    Slicer(bytes=500, us=200),
    LimitData(bytes=30_000),
    Down(),
)


def disturb(stage: Stage) -> None:
    """Each toxic on each leg alone, then pairs of one on each leg, in a random order."""
    alone: list[Mapping[str, Toxic]] = [{"http": toxic} for toxic in TO_BATCH]
    alone += [{"kafka": toxic} for toxic in TO_KAFKA]
    stage.random.shuffle(alone)
    pairs = [
        {"http": stage.random.choice(TO_BATCH), "kafka": stage.random.choice(TO_KAFKA)} for _ in range(PAIRS)
    ]
    spells = [*alone, *pairs]
    for spell in spells:
        _cast(stage, spell, stage.size.seconds / len(spells))


def _cast(stage: Stage, spell: Mapping[str, Toxic], seconds: float) -> None:
    legs = {"http": stage.network.http, "kafka": stage.network.kafka}
    since = time.time()
    for leg, toxic in spell.items():
        legs[leg].poison(toxic)
        stage.seen["toxics"] += 1
        stage.seen[f"{name_of(toxic)} on {leg}"] += 1
    stage.pause(max(1.0, seconds - REST_S))
    for leg in spell:
        legs[leg].poison()
    if "http" in spell:
        # Answers that were lost: a call that was under way at the end may wait for its own until the timeout.
        stage.note_incident(since, time.time() + REQUEST_TIMEOUT_S)
    stage.pause(REST_S)


def rules(stage: Stage) -> Rules:
    stage.note_losses(stage.began_at)
    return Rules(
        stage.size.at_least,
        ambiguous_answers=stage.fleet.ambiguous_answers(),
        # Nobody can know what a worker spent that lost its partitions.
        refusals_429=2 * len({lost.at for lost in stage.fleet.losses()}),
        overlaps_allowed=True,
        most_calls=MOST_CALLS,
        spare_calls=FAILED_CALLS * (len(TO_BATCH) + PAIRS),
    )


SCENARIO = Scenario(
    name="toxics",
    title="bad network to Batch and to Kafka",
    disturb=disturb,
    rules=rules,
    proxied=True,
    session_s=45,
    settings={"BATCH__REQUEST_TIMEOUT_S": str(REQUEST_TIMEOUT_S)},
    sizes={
        "full": Size(64, {"toxics": 20, "cuts": 15}),
        "soak": Size(1_200, {"toxics": 20, "cuts": 30}, traffic=Traffic(per_s=600, users=10_000)),
    },
)
