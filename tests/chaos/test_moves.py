"""Who had a partition when, from logs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.chaos.moves import Loss, held_in_the_end, losses


def line(at: float, event: str, *partitions: int) -> dict[str, Any]:
    timestamp = datetime.fromtimestamp(at, UTC).isoformat()
    return {"timestamp": timestamp, "event": event, "partitions": [f"events[{n}]" for n in partitions]}


def test_what_a_worker_holds() -> None:
    lines = [
        line(1, "partitions assigned", 0, 1, 2, 13),
        {"event": "ready"},
        line(2, "partitions revoked", 1),
        line(3, "partitions lost", 2),
        line(4, "partitions assigned", 5),
    ]

    assert held_in_the_end(lines) == {0, 5, 13}
    assert held_in_the_end([]) == frozenset()


def test_a_loss_that_is_heard_of_when_another_has_the_partition_already() -> None:
    late = [line(1, "partitions assigned", 0, 1), line(20, "partitions lost", 0, 1)]
    heir = [
        line(0.5, "partitions assigned", 0),
        line(0.9, "partitions revoked", 0),
        line(12, "partitions assigned", 0),
        line(14, "partitions assigned", 0),
        line(25, "partitions assigned", 1),
    ]

    assert losses([late, heir]) == [Loss(0, 20.0, 12.0), Loss(1, 20.0, 20.0)]
    assert losses([heir]) == []
