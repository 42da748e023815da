"""Which worker had a partition when, by the workers' own logs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

ASSIGNED, REVOKED, LOST = "partitions assigned", "partitions revoked", "partitions lost"
REBALANCED = (ASSIGNED, REVOKED, LOST)

Lines = Sequence[Mapping[str, Any]]
"""A worker's log, in order."""


class Loss(NamedTuple):
    """A worker lost the partition to the group, and heard of it at `at`. Another may have had it since `heir_at`, and
    have committed for it; else that is `at` too. Seconds since 1970."""

    partition: int
    at: float
    heir_at: float


def held_in_the_end(lines: Lines) -> frozenset[int]:
    """What a worker has of its topic, or had when its log ended."""
    held: set[int] = set()
    for line in lines:
        if line.get("event") in REBALANCED:
            named = _partitions(line)
            held = held | named if line["event"] == ASSIGNED else held - named
    return frozenset(held)


def losses(logs: Sequence[Lines]) -> list[Loss]:
    """Of all workers, each partition alone."""
    found = []
    for place, lines in enumerate(logs):
        others = [other for number, other in enumerate(logs) if number != place]
        assigned_at: dict[int, float] = {}
        for line in lines:
            if line.get("event") == ASSIGNED:
                assigned_at |= dict.fromkeys(_partitions(line), _at(line))
            elif line.get("event") == LOST:
                for partition in _partitions(line):
                    heirs = _assignments(others, partition, assigned_at.get(partition, 0.0), _at(line))
                    found.append(Loss(partition, _at(line), min(heirs, default=_at(line))))
    return found


def _assignments(logs: Iterable[Lines], partition: int, after: float, before: float) -> list[float]:
    return [
        _at(line)
        for lines in logs
        for line in lines
        if line.get("event") == ASSIGNED and partition in _partitions(line) and after < _at(line) < before
    ]


def _at(line: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(line["timestamp"]).timestamp()


def _partitions(line: Mapping[str, Any]) -> frozenset[int]:
    """Of names such as `events[3]`."""
    return frozenset(int(name.rpartition("[")[2].rstrip("]")) for name in line["partitions"])
