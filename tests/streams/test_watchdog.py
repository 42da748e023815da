"""A partition that makes no progress is found, and one that waits for something is left alone."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from streams.in_hand import Hand, Waits
from streams.ledger import Ledger
from streams.watchdog import Watchdog

AFTER_S = 600.0


class Log:
    """What is logged as an error."""

    def __init__(self) -> None:
        self.errors: list[tuple[str, dict[str, object]]] = []

    def error(self, event: str, **fields: object) -> None:
        self.errors.append((event, fields))


class Scene:
    """Ledgers, what their records wait for, and a clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.ledgers = [Ledger("events", number, 0) for number in range(2)]
        self.hands: dict[Ledger, Hand] = {}
        self.delivery = SimpleNamespace(
            held=False,
            opening=None,
            calls=[SimpleNamespace(stage=SimpleNamespace(value="answer"), updates=(1, 2), posted=(1, 2))],
        )
        self.watchdog = Watchdog(
            AFTER_S,
            lambda: self.ledgers,
            SimpleNamespace(look=lambda: self.hands),  # type: ignore[arg-type]
            self.delivery,  # type: ignore[arg-type]
            lambda: self.now,
        )

    def fetch(self, ledger: Ledger, waits: Waits | None, count: int = 3) -> None:
        ledger.enter(range(ledger.position, ledger.position + count))
        if waits is not None:
            self.hands[ledger] = Hand(Counter({waits: count}))

    def pass_time(self, seconds: float) -> None:
        """Looking all the while."""
        for _ in range(int(seconds // 5)):
            self.now += 5
            self.watchdog.look()


@pytest.mark.parametrize("waits", [Waits.ANSWER, Waits.PLACE, Waits.EARLIER, None])
def test_a_partition_without_progress_is_stuck_until_it_moves(
    waits: Waits | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    monkeypatch.setattr("streams.watchdog.log", log)
    scene = Scene()
    scene.fetch(scene.ledgers[1], waits)
    scene.pass_time(AFTER_S - 10)
    assert scene.watchdog.problem == ""
    scene.pass_time(20)
    assert "events[1]" in scene.watchdog.problem
    assert "events[0]" not in scene.watchdog.problem
    assert "watchdog_s" in scene.watchdog.problem
    ((line, told),) = log.errors
    assert line.startswith("a partition is stuck")
    assert "answer" in str(told)
    scene.ledgers[1].complete(1)
    scene.pass_time(5)
    assert scene.watchdog.problem == ""


@pytest.mark.parametrize("waits", [Waits.TOKENS, Waits.RETRY, Waits.BREAKER, Waits.DEAD_LETTER])
def test_a_partition_that_waits_for_something_is_not_stuck(waits: Waits) -> None:
    scene = Scene()
    scene.fetch(scene.ledgers[0], Waits.EARLIER)
    scene.hands[scene.ledgers[0]].counts[waits] += 1
    scene.pass_time(3 * AFTER_S)
    assert scene.watchdog.problem == ""


def test_new_records_are_no_progress_and_completions_are() -> None:
    scene = Scene()
    for number in range(200):
        scene.fetch(scene.ledgers[0], Waits.ANSWER)
        scene.fetch(scene.ledgers[1], Waits.ANSWER)
        scene.ledgers[1].complete(number)
        scene.pass_time(5)
    assert "events[0]" in scene.watchdog.problem
    assert "events[1]" not in scene.watchdog.problem


def test_while_delivery_stands_still_nothing_is_stuck_and_the_time_starts_anew_after_it() -> None:
    scene = Scene()
    scene.fetch(scene.ledgers[0], None)
    scene.delivery.held = True
    scene.pass_time(3 * AFTER_S)
    assert scene.watchdog.problem == ""
    scene.delivery.held = False
    scene.pass_time(AFTER_S - 10)
    assert scene.watchdog.problem == ""
    scene.pass_time(20)
    assert scene.watchdog.problem != ""


def test_a_partition_without_records_in_hand_or_that_was_given_up_is_not_stuck() -> None:
    scene = Scene()
    scene.fetch(scene.ledgers[0], Waits.ANSWER)
    scene.pass_time(AFTER_S + 10)
    del scene.ledgers[0]
    scene.pass_time(5)
    assert scene.watchdog.problem == ""
