"""`/status` and `segbatch status`: what each partition waits for, worst first."""

from __future__ import annotations

import io
import time
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from mapping.profile import ProfileUpdate
from sink.attempts import Call, Stage
from sink.breaker import Opening
from sink.coalescer import Coalescer
from sink.limiter import Limiter
from streams.catch_up import CatchUp, Surroundings
from streams.commands.status import screen
from streams.dead_letter_limits import LimitReached
from streams.health import Health
from streams.in_hand import InHand
from streams.ledger import Ledger
from streams.records import Record
from streams.status import Status
from tests.streams.fakes import CREATED, FakeMessage, fetched

START_S = 1_767_225_600.0


class Worker:
    """A worker's parts, as far as its status looks at them."""

    def __init__(self) -> None:
        self.coalescer = Coalescer()
        self.limiter = Limiter(300, 1000)
        self.delivery = SimpleNamespace(opening=None, held=False, reading_first=False, calls=[])
        self.letters: list[Record] = []
        self.held_back: list[Record] = []
        self.standstill = SimpleNamespace(paused=False, halt=None)
        self.unread: dict[Ledger, int] = {}
        self.full = False
        around = Surroundings(lambda: 0.0, lambda: 0, lambda: 0, lambda: self.full)
        self.catch_up = CatchUp(10.0, around)
        self.source = SimpleNamespace(
            assigned=True,
            down_since=None,
            last_error="",
            unknown_topics=set(),
            unread=self.unread.items,
            committer=SimpleNamespace(age_s=lambda ledger: 0.0),
        )

    def partition(self, number: int, unread: int = 0) -> Ledger:
        ledger = Ledger("events", number, 0)
        self.unread[ledger] = unread
        return ledger

    def record(self, ledger: Ledger, age_s: float = 0.0) -> Record:
        appended = (CREATED, round((time.time() - age_s) * 1000))
        (record,) = fetched(ledger, FakeMessage(offset=ledger.position, timestamp=appended))
        return record

    def add(self, ledger: Ledger, user: str, age_s: float = 0.0) -> Record:
        record = self.record(ledger, age_s)
        self.coalescer.add(ProfileUpdate(user, {"n": 1}, (), (), None), record, 0.0)
        return record

    def take(self, stage: Stage) -> None:
        self.delivery.calls.append(Call(self.coalescer.take(200), stage))

    def page(self) -> dict[str, Any]:
        letters = SimpleNamespace(failure="", unconfirmed=lambda: iter(self.letters))
        delivery: Any = self.delivery
        health = Health(delivery, self.source, letters, self.standstill, SimpleNamespace(problem=""))  # type: ignore[arg-type]
        in_hand = InHand(self.coalescer, self.limiter, delivery, letters, lambda: self.held_back)  # type: ignore[arg-type]
        status = Status(
            health,
            self.standstill,  # type: ignore[arg-type]
            self.source,  # type: ignore[arg-type]
            self.coalescer,
            self.limiter,
            delivery,
            in_hand,
            lambda: self.full,
            self.catch_up,
            lambda: {"file": None, "mappings": ["Update Profile"]},
        )
        return status.page()

    def waits_for(self, ledger: Ledger) -> str | None:
        (row,) = [row for row in self.page()["partitions"] if row["partition"] == ledger.partition]
        found: str | None = row["waits_for"]
        return found


def test_a_partition_with_nothing_to_do_waits_for_nothing() -> None:
    worker = Worker()
    ledger = worker.partition(3)
    page = worker.page()
    assert (page["ok"], page["problems"], page["state"], page["halt"]) == (True, {}, "delivering", None)
    assert page["breaker"] == {"state": "closed"}
    assert page["mappings"]["mappings"] == ["Update Profile"]
    assert page["partitions"] == [
        {
            "topic": "events",
            "partition": 3,
            "position": 0,
            "committed": 0,
            "unread": 0,
            "waiting": 0,
            "oldest_waiting_s": None,
            "commit_age_s": 0.0,
            "waits_for": None,
        }
    ]
    assert worker.waits_for(ledger) is None


@pytest.mark.parametrize(
    ("stage", "word"),
    [
        (Stage.TOKENS, "tokens"),
        (Stage.PLACE, "batch"),
        (Stage.ANSWER, "batch"),
        (Stage.RETRY, "batch"),
        (Stage.BATCH, "batch"),
    ],
)
def test_records_that_are_out_wait_for_what_their_call_waits_for(stage: Stage, word: str) -> None:
    worker = Worker()
    ledger = worker.partition(0)
    worker.add(ledger, "a")
    worker.take(stage)
    worker.add(ledger, "b")
    assert worker.waits_for(ledger) == word


def test_records_that_could_leave_wait_for_tokens_if_somebody_does_and_else_for_batch() -> None:
    worker = Worker()
    ledger = worker.partition(0)
    worker.add(ledger, "a")
    assert worker.waits_for(ledger) == "batch"
    worker.limiter.waiting = True
    assert worker.waits_for(ledger) == "tokens"


def test_records_with_a_letter_on_its_way_wait_for_the_dead_letters() -> None:
    worker = Worker()
    ledger = worker.partition(0)
    worker.letters.append(worker.record(ledger))
    assert worker.waits_for(ledger) == "dead_letters"


def test_records_that_are_done_wait_for_their_commit_and_unread_ones_for_memory_or_kafka() -> None:
    worker = Worker()
    ledger = worker.partition(0, unread=5)
    ledger.complete(worker.record(ledger).offset)
    assert worker.waits_for(ledger) == "kafka"
    ledger.committed = ledger.committable()
    assert worker.waits_for(ledger) == "kafka"
    worker.full = True
    assert worker.waits_for(ledger) == "memory"


def test_the_oldest_record_decides_and_the_partition_with_the_oldest_comes_first() -> None:
    worker = Worker()
    young, old, unread = worker.partition(0), worker.partition(1), worker.partition(2, unread=9)
    worker.letters.append(worker.record(old, age_s=3600))
    worker.add(old, "b", age_s=10)
    worker.add(young, "a", age_s=60)
    rows = worker.page()["partitions"]
    assert [row["partition"] for row in rows] == [1, 0, 2]
    assert rows[0]["waits_for"] == "dead_letters"
    assert rows[0]["oldest_waiting_s"] == pytest.approx(3600, abs=5)
    assert rows[0]["waiting"] == 2
    assert (rows[2]["oldest_waiting_s"], rows[2]["unread"]) == (None, unread.open + 9)


def test_a_standstill_shows_in_state_halt_and_partitions() -> None:
    worker = Worker()
    ledger = worker.partition(0)
    worker.add(ledger, "a")
    worker.standstill.paused = True
    assert (worker.page()["state"], worker.waits_for(ledger)) == ("paused", "pause")
    worker.standstill.halt = LimitReached("dead_letter.max_ratio", "more than 50%")
    page = worker.page()
    assert (page["state"], page["halt"]["setting"]) == ("halted", "dead_letter.max_ratio")
    assert (page["halt"]["leg"], worker.waits_for(ledger)) == ("dead_letters", "dead_letters")


def test_a_record_that_a_limit_of_the_dead_letters_holds_back_has_its_age() -> None:
    worker = Worker()
    worker.held_back.append(worker.record(worker.partition(0), age_s=3600))
    worker.standstill.halt = LimitReached("dead_letter.max_consecutive", "more than 1,000")
    (row,) = worker.page()["partitions"]
    assert (row["waiting"], row["waits_for"]) == (1, "dead_letters")
    assert row["oldest_waiting_s"] == pytest.approx(3600, abs=5)


def test_an_open_breaker_shows_with_the_setting_to_look_at() -> None:
    worker = Worker()
    worker.delivery.opening = Opening("401", "no", True, time.time() - 30)
    page = worker.page()
    assert (page["ok"], page["state"]) == (False, "halted")
    assert page["halt"] == {
        "leg": "batch",
        "setting": "batch.rest_api_key",
        "reason": f"Batch answers 401: {worker.delivery.opening.remedy}",
    }
    assert page["breaker"]["state"] == "open"
    assert page["breaker"]["for_s"] == pytest.approx(30, abs=2)
    worker.delivery.opening = Opening("503", "no", False, time.time())
    assert (worker.page()["state"], worker.page()["halt"]) == ("probing", None)


def shown(worker: Worker, width: int = 120) -> str:
    console = Console(width=width, record=True, color_system=None, file=io.StringIO())
    console.print(screen(worker.page(), "http://worker:6066"))
    return console.export_text()


def test_a_mappings_file_that_was_refused_is_on_the_screen() -> None:
    page = Worker().page()
    times = {"since": "2026-01-01T00:00:00.000Z", "refused_at": "2026-01-01T00:04:00.000Z"}
    page["mappings"] |= {**times, "problems": ["a", "b"]}
    page["warnings"] = {"dead_letters": "events.dead-letter does not exist"}
    console = Console(width=200, record=True, color_system=None, file=io.StringIO())
    console.print(screen(page, "http://worker:6066"))
    text = console.export_text()
    assert "dead_letters: events.dead-letter does not exist" in text
    assert "refused at 2026-01-01T00:04:00.000Z, 2 problems" in text
    assert "stay in force, from 2026-01-01T00:00:00.000Z" in text


def test_one_screen_shows_what_is_wrong_and_the_worst_partitions() -> None:
    worker = Worker()
    worker.delivery.opening = Opening("503", "no", False, time.time() - 120)
    for number in range(40):
        worker.add(worker.partition(number, unread=1_000), f"user-{number}", age_s=7200 + number)
    text = shown(worker)
    lines = text.splitlines()
    assert lines[0].split() == ["PROBING", "http://worker:6066"]
    assert "batch: Batch has taken no call for 120 s" in text
    assert "and 25 more" in text
    assert "events[39]" in next(line for line in lines if line.startswith("events["))
    assert "2.0 h" in text
    assert "user-" not in text
    assert len(lines) <= 24


def test_a_worker_that_reads_first_says_so() -> None:
    worker = Worker()
    ledger = worker.partition(0, unread=500)
    assert worker.page()["catch_up"] == {"active": False, "unread": 0}
    worker.catch_up.begin([ledger])
    worker.catch_up.end_at(ledger, 500)
    worker.delivery.reading_first = True
    worker.add(ledger, "u")
    page = worker.page()
    assert page["catch_up"] == {"active": True, "unread": 499}
    assert page["partitions"][0]["waits_for"] == "tokens"
    assert "reading first: 499 records" in shown(worker)
