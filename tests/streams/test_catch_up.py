"""Reading goes before sending where it saves updates, and never for long."""

from __future__ import annotations

from dataclasses import dataclass

from streams.catch_up import CatchUp, Surroundings
from streams.ledger import FULL_WINDOW, Ledger

MAX_S = 10.0


@dataclass
class Scene:
    """A worker's state, as far as it matters here, and a clock."""

    tokens: float = 100.0
    waiting: int = 0
    coming: int = 0
    full: bool = False
    now: float = 1000.0

    def catch_up(self, max_s: float = MAX_S) -> CatchUp:
        around = Surroundings(
            lambda: self.tokens, lambda: self.waiting, lambda: self.coming, lambda: self.full
        )
        return CatchUp(max_s, around, lambda: self.now)


def read(ledger: Ledger, count: int) -> None:
    assert ledger.enter(range(ledger.position, ledger.position + count)) is None


def assigned(catch_up: CatchUp, end: int | None = 5000) -> Ledger:
    ledger = Ledger("events", 0, 0)
    catch_up.begin([ledger])
    catch_up.end_at(ledger, end)
    return ledger


def test_sending_waits_until_what_was_there_at_the_assignment_is_read_and_mapped() -> None:
    scene = Scene()
    catch_up = scene.catch_up()
    assert not catch_up.active
    ledger = assigned(catch_up)
    assert (catch_up.active, catch_up.unread) == (True, 5000)
    read(ledger, 4999)
    scene.waiting = 1000
    assert (catch_up.active, catch_up.unread) == (True, 1)
    read(ledger, 1)
    scene.coming = 200
    assert catch_up.active
    scene.coming = 0
    assert not catch_up.active


def test_once_it_is_over_it_does_not_come_back_before_the_next_assignment() -> None:
    scene = Scene(full=True)
    catch_up = scene.catch_up()
    assigned(catch_up)
    assert not catch_up.active
    scene.full = False
    assert not catch_up.active
    assigned(catch_up)
    assert catch_up.active


def test_where_tokens_suffice_for_all_that_is_there_sending_does_not_wait() -> None:
    scene = Scene(tokens=5100.0, waiting=101)
    catch_up = scene.catch_up()
    ledger = assigned(catch_up)
    assert catch_up.active
    read(ledger, 1)
    assert not catch_up.active


def test_full_bounds_end_it() -> None:
    scene = Scene()
    catch_up = scene.catch_up()
    assigned(catch_up)
    assert catch_up.active
    scene.full = True
    assert not catch_up.active


def test_a_partition_that_may_be_read_no_further_is_not_waited_for() -> None:
    catch_up = Scene().catch_up()
    ledger = assigned(catch_up, end=100_000)
    assert catch_up.active
    read(ledger, FULL_WINDOW + 1)
    assert ledger.full
    assert not catch_up.active


def test_it_lasts_as_long_as_it_may_at_most_and_assignments_meanwhile_do_not_prolong_it() -> None:
    scene = Scene()
    catch_up = scene.catch_up()
    assigned(catch_up)
    for _ in range(3):
        scene.now += MAX_S / 4
        assert catch_up.active
        assigned(catch_up)
    scene.now += MAX_S / 4
    assert not catch_up.active


def test_in_a_storm_of_assignments_sending_rests_a_sixth_of_the_time_at_most() -> None:
    scene = Scene()
    catch_up = scene.catch_up()
    rested = 0.0
    for step in range(6000):
        if step % 10 == 0:
            assigned(catch_up)
        scene.now += 0.1
        rested += 0.1 * catch_up.active
    assert rested <= MAX_S + 600 / 6


def test_after_a_long_outage_in_which_nobody_asked_it_is_as_after_any_other_pause() -> None:
    scene = Scene()
    catch_up = scene.catch_up()
    assigned(catch_up)
    scene.now += 3600
    assert not catch_up.active
    scene.now += 60
    assigned(catch_up)
    assert catch_up.active


def test_a_partition_that_is_taken_away_is_not_waited_for() -> None:
    catch_up = Scene().catch_up()
    ledger = assigned(catch_up)
    ledger.forgotten = True
    assert not catch_up.active


def test_until_the_end_of_a_partition_is_known_sending_waits() -> None:
    scene = Scene(tokens=1e9)
    catch_up = scene.catch_up()
    ledger = Ledger("events", 0, 0)
    assert catch_up.begin([ledger])
    assert catch_up.active
    catch_up.end_at(ledger, None)
    assert not catch_up.active


def test_with_zero_seconds_it_never_waits() -> None:
    catch_up = Scene().catch_up(max_s=0.0)
    ledger = Ledger("events", 0, 0)
    assert not catch_up.begin([ledger])
    catch_up.end_at(ledger, 5000)
    assert not catch_up.active
