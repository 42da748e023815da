"""What a scenario is: a disturbance, how long and how hard, and what it may cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.chaos.evidence import Rules
from tests.chaos.feeder import Traffic
from tests.chaos.stage import Stage

Scale = Literal["short", "full", "soak"]
"""`short` in CI, `full` in `make chaos`, `soak` in `make soak`."""

Protocol = Literal["classic", "consumer"]
BOTH: tuple[Protocol, ...] = ("classic", "consumer")


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it. `at_least`: what must have been seen, or the run proves nothing."""

    seconds: float
    at_least: Mapping[str, int]
    workers: int = 3
    partitions: int = 6
    traffic: Traffic = field(default_factory=Traffic)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One file in `scenarios/`."""

    name: str
    title: str
    """What is done, in a few words."""
    disturb: Callable[[Stage], None]
    """Does it, until `stage.over`. Whatever it did to brokers and network it undoes."""
    sizes: Mapping[Scale, Size]
    protocols: tuple[Protocol, ...] = BOTH
    brokers: int = 1
    proxied: bool = False
    """The workers reach Batch and Kafka through proxies."""
    session_s: int = 6
    """How long a worker may be silent; with the consumer protocol the brokers say so."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of the workers, as in the environment without `SEGBATCH_`."""
    sandbox: Mapping[str, Any] = field(default_factory=dict)
    rules: Callable[[Stage], Rules] = lambda stage: Rules(stage.size.at_least)
    """Asked when the run is over."""
    prepare: Callable[[Stage], None] = lambda stage: None
    """Before the first worker starts."""
    watched: bool = False
    """The group is watched for rebalances, all the time. Not while its brokers fall: librdkafka 2.16 may abort the
    process when the coordinator of a group that it describes goes away."""
