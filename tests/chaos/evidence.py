"""All that is known of a run when it is over: what the judge is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from tests.chaos.commits import NOTHING, Settled
from tests.chaos.oracle import Sent
from tests.chaos.order import Delivery, Update

NO_NUMBER = -1


class Window(NamedTuple):
    """An incident at `at`, because of which events accepted from `start` to `end` may come again (seconds since
    1970): those of one partition, or of all (None), but none that was committed by then."""

    start: float
    at: float
    end: float
    partition: int | None = None
    committed: Settled = NOTHING

    def covers(self, event: Sent, accepted_at: float) -> bool:
        """Whether an event that was accepted then may come again because of this."""
        return (
            self.start <= accepted_at <= self.end
            and self.partition in (None, event.partition)
            and not self.committed.holds(event.offset)
        )


class Call(NamedTuple):
    """One call to Batch, as the sandbox saw it."""

    number: int
    at: float
    """Seconds since 1970."""
    status: int | None
    """None: it was cut."""
    fault: str | None
    updates: int
    events: int


def read_call(shown: Mapping[str, Any]) -> Call:
    """A call from a line of the sandbox's `/_sandbox/calls`."""
    return Call(
        shown["number"],
        _seconds(shown["time"]),
        shown["status"],
        shown["fault"],
        shown["updates"],
        shown["events"],
    )


def read_update(shown: Mapping[str, Any]) -> Update:
    """An update from a line of the sandbox's `/_sandbox/updates`."""
    delivery = Delivery(shown["call"], _seconds(shown["received_at"]))
    numbers = tuple(event["attributes"].get("number", NO_NUMBER) for event in shown["events"])
    return Update(shown["custom_id"], delivery, numbers, shown["attributes"])


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


class Letter(NamedTuple):
    """A dead letter. `number` is None if its value is not one of ours."""

    number: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What a scenario asks of its run, beside the laws that hold in all."""

    at_least: Mapping[str, int]
    """What must have been seen, and how often: less, and the run proves nothing."""
    cut_calls_explain: bool = False
    """Events of a call that was applied and cut come again, once for each cut, and no others."""
    ambiguous_answers: int | None = None
    """So many answers did not reach the workers, by their own account: as many calls may come again."""
    refusals_429: int = 0
    """429s that are allowed besides those injected."""
    overlaps_allowed: bool = False
    """A client that gave up a call may send the profile again while the first call is still on its way."""
    most_calls: float | None = None
    """At most so many calls for one that was needed. Those that only repeated are judged as repeats."""
    spare_calls: int = 0
    """Besides `most_calls`."""
    resumed_s: float | None = None
    """So soon after the disturbance something must be delivered again."""
    letters_of: frozenset[str] = frozenset()
    """The kinds of records (`Kind`) that must become dead letters."""


@dataclass(slots=True)
class Evidence:
    """See each field; times are seconds since 1970."""

    rules: Rules
    sent: Sequence[Sent]
    held: Mapping[int, int]
    """How often Kafka holds each record, by number. A producer may write one twice when a leader falls."""
    updates: Sequence[Update]
    """As Batch applied them, in order."""
    calls: Sequence[Call]
    letters: Sequence[Letter]
    windows: Sequence[Window]
    seen: Counter[str]
    """What happened: kills, rebalances, cuts, answers, toxics."""
    lag: int
    """Offsets not committed when all was quiet again."""
    violations: Mapping[str, int]
    """What Batch saw that no client should do."""
    refused_429: int
    injected: Mapping[str, int]
    """Calls hit by a fault of the sandbox, by its mode."""
    calm_at: float
    """When the last disturbance ended."""
    trouble: list[str] = field(default_factory=list)
    """What went wrong in the run itself: a worker that died, a drain that did not end, a scenario's own law."""
