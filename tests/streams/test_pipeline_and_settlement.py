"""From a chunk to pending updates, and from their ends to the ledger."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.profile import (
    AttributeValue,
    FieldProblem,
    MappingResult,
    ProfileEvent,
    ProfileUpdate,
    ProfileUpdates,
    Rejected,
    Skipped,
)
from sink.coalescer import Coalescer
from sink.lateness import LateEvents
from sink.settlement import Refusal
from streams.dead_letter_limits import DeadLetterLimits
from streams.field_problems import FieldProblems
from streams.ledger import Ledger
from streams.metrics import Metrics
from streams.pipeline import Bounds, Pipeline
from streams.records import Chunk, Ending, Headers, Record
from streams.repeats import RepeatWindow
from streams.settlement import RecordSettlement
from streams.unkeyed import NewestByTimestamp
from tests.streams.fakes import FakeMessage, fetched

DAY_MS = 86_400_000


def update_of(
    attributes: dict[str, AttributeValue], *events: ProfileEvent, at: int | None = None, user: str = "u"
) -> ProfileUpdate:
    if at is None and events:
        at = events[0].time_ms
    return ProfileUpdate(user, attributes, events, (), at)


def event_at(time_ms: int | None) -> ProfileEvent:
    return ProfileEvent("e", time_ms, b'{"name":"e"}')


class Awake:
    """Stands for the delivery: counts how often it is woken."""

    def __init__(self) -> None:
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


class Letters:
    """The dead-letter topic, which confirms when told to."""

    def __init__(self) -> None:
        self.written: list[tuple[Record, Refusal]] = []

    def write(self, record: Record, refusal: Refusal) -> None:
        self.written.append((record, refusal))


class Scene:
    """A pipeline whose mapping is a table: the record's value says which result it has."""

    def __init__(
        self,
        results: Mapping[bytes, Callable[[], MappingResult]],
        late_events: LateEvents = "dead_letter",
        *,
        single_topic: bool = True,
    ) -> None:
        self.metrics, self.coalescer, self.letters = Metrics(), Coalescer(), Letters()
        self.ledger, self.delivery = Ledger("events", 0, 0), Awake()

        def map_record(value: bytes | None) -> MappingResult:
            return results[value or b""]()

        self.settlement = RecordSettlement(self.metrics, single_topic=single_topic)
        self.settlement.letters = self.letters
        self.pipeline = Pipeline(
            map_record,
            self.coalescer,
            self.delivery,  # type: ignore[arg-type]
            self.settlement,
            self.metrics,
            FieldProblems(self.metrics),
            Bounds(10, 1_000_000),
            late_events,
        )

    async def accept(
        self, *values: bytes, key: bytes | None = b"k", headers: Headers | None = None
    ) -> list[Record]:
        start = self.ledger.position
        messages = [FakeMessage(value, key, start + index, headers) for index, value in enumerate(values)]
        records = fetched(self.ledger, *messages)
        chunk = Chunk(self.ledger, records)
        self.pipeline.expect(chunk)
        await self.pipeline.accept(chunk)
        return records

    def confirm_letters(self) -> None:
        for record, refusal in self.letters.written:
            self.settlement.letter_confirmed(record, refusal)
        self.letters.written = []

    def deliver_all(self) -> None:
        while taken := self.coalescer.take(200):
            self.settlement.accepted(taken)
            for each in taken:
                self.coalescer.settle([each])

    def ended(self, outcome: str, reason: str = "") -> float:
        labels = {"outcome": outcome, "reason": reason}
        return self.metrics.registry.get_sample_value("segbatch_records_total", labels) or 0.0


def problems(scene: Scene, reason: str) -> float:
    found = scene.metrics.registry.get_sample_value("segbatch_field_problems_total", {"reason": reason})
    return found or 0.0


async def test_a_mapped_record_waits_and_is_done_when_batch_accepted_it() -> None:
    scene = Scene({b"a": lambda: update_of({"x": 1})})
    await scene.accept(b"a", b"a")
    assert (scene.coalescer.records, scene.ledger.first_open()) == (2, 0)
    assert scene.delivery.woken == 1
    scene.deliver_all()
    assert (scene.ledger.first_open(), scene.ended("accepted")) == (2, 2.0)


async def test_a_skipped_record_is_done_at_once_with_its_reason() -> None:
    scene = Scene({b"a": lambda: Skipped("no_user_id", (FieldProblem("x", "why"),))})
    await scene.accept(b"a")
    assert (scene.ledger.first_open(), scene.ended("skipped", "no_user_id")) == (1, 1.0)
    assert problems(scene, "why") == 1.0


async def test_a_rejected_record_is_done_only_when_its_letter_is_confirmed() -> None:
    scene = Scene({b"a": lambda: Rejected("not_json", "It is not JSON.")})
    await scene.accept(b"a")
    assert scene.ledger.first_open() == 0
    ((_, refusal),) = scene.letters.written
    assert (refusal.reason, refusal.detail) == ("not_json", "It is not JSON.")
    scene.confirm_letters()
    assert (scene.ledger.first_open(), scene.ended("dead_lettered", "not_json")) == (1, 1.0)


async def test_a_record_that_asks_for_nothing_is_skipped() -> None:
    scene = Scene({b"a": lambda: update_of({})})
    await scene.accept(b"a")
    assert scene.ended("skipped", "nothing_to_send") == 1.0


def late() -> ProfileUpdate:
    return update_of({"x": 1}, event_at(int(time.time() * 1000) - DAY_MS - 60_000))


async def test_a_late_event_is_a_letter_its_attributes_go_and_the_record_counts_as_dead_lettered() -> None:
    scene = Scene({b"a": late})
    await scene.accept(b"a")
    scene.deliver_all()
    assert scene.ledger.first_open() == 0
    scene.confirm_letters()
    assert scene.ledger.first_open() == 1
    assert scene.ended("dead_lettered", "event_too_old") == 1.0
    assert scene.ended("accepted") == 0.0


async def test_a_late_event_that_is_skipped_leaves_the_record_accepted_and_is_counted() -> None:
    scene = Scene({b"a": late}, "skip")
    await scene.accept(b"a")
    scene.deliver_all()
    assert scene.letters.written == []
    assert scene.ended("accepted") == 1.0
    assert problems(scene, "event_too_old") == 1.0


async def test_a_record_of_only_a_late_event_that_is_skipped_is_skipped() -> None:
    only = update_of({}, event_at(int(time.time() * 1000) - DAY_MS - 60_000))
    scene = Scene({b"a": lambda: only}, "skip")
    await scene.accept(b"a")
    assert (scene.ledger.first_open(), scene.ended("skipped", "event_too_old")) == (1, 1.0)


async def test_a_late_event_that_may_go_without_time_is_left_to_the_delivery() -> None:
    scene = Scene({b"a": late}, "send_without_time")
    await scene.accept(b"a")
    (update,) = scene.coalescer.take(1)
    assert len(update.events) == 1


async def test_a_record_rebuilt_after_its_late_event_went_its_own_way_comes_without_it() -> None:
    scene = Scene({b"a": late})
    (record,) = await scene.accept(b"a")
    assert scene.settlement.rebuild(record, "u").events == ()


async def test_without_a_key_the_newest_timestamp_wins_and_is_counted() -> None:
    scene = Scene(
        {b"new": lambda: update_of({"x": "new"}, at=2), b"old": lambda: update_of({"x": "old"}, at=1)}
    )
    await scene.accept(b"new", b"old", key=None)
    (update,) = scene.coalescer.take(1)
    assert update.attributes == {"x": "new"}
    assert scene.ended("skipped", "superseded") == 1.0
    assert scene.metrics.registry.get_sample_value("segbatch_unkeyed_records_total") == 2.0


async def test_a_record_rebuilt_without_a_key_comes_without_what_was_superseded() -> None:
    both: dict[str, AttributeValue] = {"x": "old", "y": "old"}
    scene = Scene(
        {b"new": lambda: update_of({"x": "new"}, at=2), b"old": lambda: update_of(dict(both), at=1)}
    )
    _, old = await scene.accept(b"new", b"old", key=None)
    assert scene.settlement.rebuild(old, "u").attributes == {"y": "old"}


async def test_with_a_key_the_order_of_the_records_wins() -> None:
    scene = Scene(
        {b"new": lambda: update_of({"x": "new"}, at=2), b"old": lambda: update_of({"x": "old"}, at=1)}
    )
    await scene.accept(b"new", b"old")
    (update,) = scene.coalescer.take(1)
    assert update.attributes == {"x": "old"}


async def test_a_full_pipeline_rests_until_it_is_well_below_its_bounds() -> None:
    scene = Scene({bytes([65 + n]): lambda n=n: update_of({"x": 1}, user=f"u{n}") for n in range(10)})  # type: ignore[misc]
    assert not scene.pipeline.full
    await scene.accept(*(bytes([65 + n]) for n in range(10)))
    assert scene.pipeline.full
    taken = scene.coalescer.take(4)
    for each in taken[:2]:
        scene.coalescer.settle([each])
    assert scene.pipeline.full
    for each in taken[2:]:
        scene.coalescer.settle([each])
    assert not scene.pipeline.full


async def test_nothing_of_a_chunk_is_mapped_once_its_partition_is_being_revoked() -> None:
    scene = Scene({b"a": lambda: update_of({"x": 1})})
    scene.ledger.sending = False
    await scene.accept(b"a")
    assert scene.coalescer.records == 0


async def test_a_partition_revoked_in_the_middle_of_a_long_chunk_ends_it() -> None:
    scene = Scene({b"a": lambda: update_of({"x": 1})})
    records = fetched(scene.ledger, *(FakeMessage(b"a", b"k", offset) for offset in range(2000)))
    accepting = asyncio.create_task(scene.pipeline.accept(Chunk(scene.ledger, records)))
    await asyncio.sleep(0)
    scene.ledger.sending = False
    await accepting
    assert 0 < scene.coalescer.records < 2000


@given(st.lists(st.sampled_from(list(Ending)), min_size=1, max_size=6))
def test_a_record_ends_with_its_last_part_and_its_outcome_is_the_worst(endings: list[Ending]) -> None:
    metrics, ledger = Metrics(), Ledger("t", 0, 0)
    settlement = RecordSettlement(metrics)
    (record,) = fetched(ledger, FakeMessage())
    record.parts = len(endings)
    for index, ending in enumerate(endings):
        assert ledger.open == 1, f"done before part {index} was settled"
        settlement.settle(record, ending, "" if ending is Ending.ACCEPTED else "why")
    worst = max(endings)
    assert ledger.open == 0
    counted = {
        (sample.labels["outcome"], sample.value)
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "segbatch_records_total"
    }
    assert counted == {(worst.name.lower(), 1.0)}


async def test_an_answer_for_a_partition_that_was_given_up_completes_and_counts_nothing() -> None:
    scene = Scene({b"a": lambda: update_of({"x": 1}), b"r": lambda: Rejected("bad", "It is bad.")})
    await scene.accept(b"a", b"r")
    scene.ledger.forgotten = True
    scene.deliver_all()
    scene.confirm_letters()
    assert scene.ledger.first_open() == 0
    assert scene.metrics.summary()["records"] == {"accepted": 0, "skipped": {}, "dead_lettered": {}}


async def test_a_copy_of_a_delivered_record_leaves_it_accepted_and_is_counted_apart() -> None:
    scene = Scene({b"a": lambda: update_of({"x": 1})})
    (record,) = await scene.accept(b"a")
    record.parts += 1
    scene.settlement.dead_letter(record, Refusal("event_refused_by_batch", "d", delivered=True))
    scene.deliver_all()
    assert scene.ledger.first_open() == 0
    scene.confirm_letters()
    assert scene.ledger.first_open() == 1
    assert (scene.ended("accepted"), scene.metrics.summary()["records"]["dead_lettered"]) == (1.0, {})
    assert scene.metrics.registry.get_sample_value("segbatch_delivered_copies_total") == 1.0


async def test_no_more_is_fetched_than_there_is_room_for_what_is_on_its_way_included() -> None:
    scene = Scene({b"a": lambda: update_of({"x": 1})})
    assert scene.pipeline.room == 10
    await scene.accept(b"a", b"a", b"a")
    assert scene.pipeline.room == 7
    chunk = Chunk(scene.ledger, fetched(scene.ledger, *(FakeMessage(b"a", b"k", 3 + n) for n in range(7))))
    scene.pipeline.expect(chunk)
    assert (scene.pipeline.room, scene.pipeline.full) == (1, True)
    await scene.pipeline.accept(chunk)
    scene.deliver_all()
    assert (scene.pipeline.room, scene.pipeline.full) == (10, False)


async def test_the_time_from_append_to_acceptance_is_observed_for_each_record() -> None:
    scene = Scene({b"a": lambda: update_of({"x": 1})})
    await scene.accept(b"a", b"a", b"a")
    scene.deliver_all()
    name = "segbatch_append_to_acceptance_seconds_count"
    assert scene.metrics.registry.get_sample_value(name) == 3.0


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.integers(0, 9)), max_size=30))
def test_the_value_of_the_latest_timestamp_is_the_one_that_stays(drawn: list[tuple[str, str, int]]) -> None:
    newest = NewestByTimestamp()
    held: dict[tuple[str, str], int] = {}
    for user, name, at in drawn:
        kept = newest.keep_newest(update_of({name: at}, at=at, user=user))
        for each, value in kept.attributes.items():
            assert isinstance(value, int)
            held[user, each] = value
    best: dict[tuple[str, str], int] = {}
    for user, name, at in drawn:
        best[user, name] = max(at, best.get((user, name), at))
    assert held == best


def test_an_update_without_a_timestamp_is_left_as_it_is() -> None:
    newest = NewestByTimestamp()
    newest.keep_newest(update_of({"x": 2}, at=5))
    assert newest.keep_newest(update_of({"x": 1})).attributes == {"x": 1}


def test_events_are_never_superseded() -> None:
    newest = NewestByTimestamp()
    newest.keep_newest(update_of({"x": 2}, at=5))
    kept = newest.keep_newest(update_of({"x": 1}, event_at(1), at=1))
    assert (kept.attributes, len(kept.events)) == ({}, 1)


def test_the_longest_untouched_profile_is_the_first_to_be_forgotten() -> None:
    newest = NewestByTimestamp(profiles=2)
    for user in ("a", "b", "a", "c"):
        newest.keep_newest(update_of({"x": 1}, at=5, user=user))
    assert newest.keep_newest(update_of({"x": 0}, at=1, user="a")).attributes == {}
    assert newest.keep_newest(update_of({"x": 0}, at=1, user="b")).attributes == {"x": 0}


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    lines: list[dict[str, Any]] = []

    class Log:
        def warning(self, text: str, **values: Any) -> None:
            lines.append({"event": text, **values})

    monkeypatch.setattr("streams.field_problems.log", Log())
    return iter([lines])


def test_field_problems_are_counted_all_and_logged_as_a_sample(
    logged: Iterator[list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, now = next(logged), {"at": 1000.0}
    monkeypatch.setattr("streams.samples.time.monotonic", lambda: now["at"])
    metrics = Metrics()
    sampled = FieldProblems(metrics)
    sampled.report([FieldProblem("traits.a", "too_long")] * 500)
    assert [line["count"] for line in lines] == [1]
    now["at"] += 11.0
    sampled.report([FieldProblem("traits.b", "too_long")])
    assert [(line["field"], line["count"]) for line in lines] == [("traits.a", 1), ("traits.b", 500)]
    counted = metrics.registry.get_sample_value("segbatch_field_problems_total", {"reason": "too_long"})
    assert counted == 501.0


def of_two(*events: ProfileEvent) -> ProfileUpdates:
    return ProfileUpdates((update_of({"x": 1}, *events, user="a"), update_of({"y": 2}, *events, user="b")))


async def test_a_record_that_speaks_of_several_profiles_is_done_with_the_last_of_them() -> None:
    scene = Scene({b"a": of_two})
    (record,) = await scene.accept(b"a")
    assert (record.parts, scene.coalescer.ready) == (2, 2)
    first, second = scene.coalescer.take(2)
    assert (first.custom_id, first.attributes, second.custom_id, second.attributes) == (
        "a",
        {"x": 1},
        "b",
        {"y": 2},
    )
    scene.settlement.accepted([first])
    assert scene.ledger.first_open() == 0
    scene.settlement.accepted([second])
    assert (scene.ledger.first_open(), scene.ended("accepted")) == (1, 1.0)


async def test_its_outcome_is_the_worst_of_its_profiles() -> None:
    scene = Scene({b"a": of_two})
    await scene.accept(b"a")
    first, second = scene.coalescer.take(2)
    scene.settlement.accepted([first])
    scene.settlement.dead_letter(second.records[0], Refusal("refused_by_batch", "d"))
    scene.confirm_letters()
    assert scene.ended("dead_lettered", "refused_by_batch") == 1.0


async def test_its_late_events_are_one_letter_and_the_attributes_of_each_profile_go() -> None:
    old = event_at(int(time.time() * 1000) - DAY_MS - 60_000)
    scene = Scene({b"a": lambda: of_two(old, old)})
    await scene.accept(b"a")
    assert [refusal.reason for _, refusal in scene.letters.written] == ["event_too_old"]
    assert [(each.attributes, each.events) for each in scene.coalescer.take(2)] == [
        ({"x": 1}, []),
        ({"y": 2}, []),
    ]
    scene.settlement.accepted(list(scene.coalescer._out.values()))
    assert scene.ledger.first_open() == 0
    scene.confirm_letters()
    assert (scene.ledger.first_open(), scene.ended("dead_lettered", "event_too_old")) == (1, 1.0)


async def test_it_is_rebuilt_for_each_profile_apart() -> None:
    scene = Scene(
        {
            b"a": of_two,
            b"old": lambda: ProfileUpdates(
                (update_of({"x": 0, "z": 0}, user="a", at=1), update_of({"y": 0}, user="b"))
            ),
        }
    )
    (record,) = await scene.accept(b"a")
    assert scene.settlement.rebuild(record, "a").attributes == {"x": 1}
    assert scene.settlement.rebuild(record, "b").attributes == {"y": 2}


async def test_what_waits_of_it_is_kept_for_each_profile_when_others_of_them_are_dropped() -> None:
    scene = Scene(
        {
            b"a": of_two,
            b"b": lambda: update_of({"other": 1}, user="a"),
            b"c": lambda: update_of({"other": 2}, user="b"),
        }
    )
    kept, *dropped = await scene.accept(b"a", b"b", b"c")
    scene.coalescer.forget(lambda record: record is kept, scene.settlement.rebuild, 0.0)
    assert {each.custom_id: each.attributes for each in scene.coalescer.take(9)} == {
        "a": {"x": 1},
        "b": {"y": 2},
    }
    assert (kept.parts, len(dropped)) == (2, 2)


async def test_without_a_key_each_profile_goes_by_its_own_newest() -> None:
    both = ProfileUpdates((update_of({"x": 0, "z": 0}, user="a", at=1), update_of({"y": 0}, user="b", at=1)))
    scene = Scene({b"new": lambda: update_of({"x": 1}, user="a", at=2), b"old": lambda: both})
    _, old = await scene.accept(b"new", b"old", key=None)
    assert {each.custom_id: each.attributes for each in scene.coalescer.take(9)} == {
        "a": {"x": 1, "z": 0},
        "b": {"y": 0},
    }
    assert scene.settlement.rebuild(old, "a").attributes == {"z": 0}
    assert scene.metrics.registry.get_sample_value("segbatch_unkeyed_records_total") == 2.0


async def test_a_record_of_several_profiles_that_is_left_with_nothing_is_skipped() -> None:
    old = event_at(int(time.time() * 1000) - DAY_MS - 60_000)
    only = ProfileUpdates((update_of({}, old, user="a"), update_of({}, old, user="b")))
    scene = Scene({b"a": lambda: only}, "skip")
    await scene.accept(b"a")
    assert (scene.ledger.first_open(), scene.ended("skipped", "event_too_old")) == (1, 1.0)
    assert problems(scene, "event_too_old") == 1.0


async def test_a_record_is_rebuilt_by_the_mappings_that_it_was_mapped_with() -> None:
    scene = Scene({b"a": lambda: update_of({"x": "old"})})
    (record,) = await scene.accept(b"a")
    scene.pipeline.use(lambda value: update_of({"x": "new"}))
    (later,) = await scene.accept(b"a")
    assert scene.settlement.rebuild(record, "u").attributes == {"x": "old"}
    assert scene.settlement.rebuild(later, "u").attributes == {"x": "new"}


async def test_mappings_change_between_chunks_not_within_one() -> None:
    scene = Scene({b"a": lambda: update_of({"x": "old"})})
    records = fetched(scene.ledger, *(FakeMessage(b"a", b"k", offset) for offset in range(2000)))
    accepting = asyncio.create_task(scene.pipeline.accept(Chunk(scene.ledger, records)))
    await asyncio.sleep(0)
    scene.pipeline.use(lambda value: update_of({"x": "new"}))
    await accepting
    assert {scene.settlement.rebuild(record, "u").attributes["x"] for record in records} == {"old"}


def track(message_id: str | None, *events: ProfileEvent) -> Callable[[], MappingResult]:
    return lambda: update_of({"x": 1}, *events)._replace(message_id=message_id)


def remembering(results: Mapping[bytes, Callable[[], MappingResult]]) -> Scene:
    scene = Scene(results)
    scene.settlement.repeats = RepeatWindow(100, 3600.0)
    return scene


async def test_an_event_that_comes_twice_is_skipped_in_flight_and_after_it_was_accepted() -> None:
    scene = remembering({b"a": track("m1", event_at(None)), b"b": track("m2", event_at(None))})
    await scene.accept(b"a", b"a", b"b")
    assert scene.ended("skipped", "duplicate") == 1
    scene.deliver_all()
    await scene.accept(b"a", b"b")
    assert scene.ended("skipped", "duplicate") == 3
    assert scene.ended("accepted") == 2


async def test_events_without_an_id_and_attributes_alone_are_no_repeats() -> None:
    scene = remembering({b"a": track(None, event_at(None)), b"b": track("m2")})
    await scene.accept(b"a", b"a", b"b", b"b")
    assert scene.ended("skipped", "duplicate") == 0
    assert scene.coalescer.records == 4


async def test_an_event_of_which_the_first_became_a_dead_letter_is_sent() -> None:
    scene = remembering({b"a": track("m1", event_at(None))})
    (first,) = await scene.accept(b"a")
    scene.settlement.dead_letter(first, Refusal("poison", "", "500", attempts=9))
    await scene.accept(b"a")
    assert scene.ended("skipped", "duplicate") == 0


async def test_an_event_of_two_profiles_of_which_one_became_a_dead_letter_is_not_sent_to_the_other_again() -> (
    None
):
    two = of_two(event_at(None))
    both = ProfileUpdates(tuple(update._replace(message_id="m1") for update in two.updates))
    scene = remembering({b"a": lambda: both})
    (first,) = await scene.accept(b"a")
    scene.settlement.dead_letter(first, Refusal("poison", "", "500", attempts=9))
    await scene.accept(b"a")
    assert scene.ended("skipped", "duplicate") == 1


async def test_a_replayed_dead_letter_is_no_repeat() -> None:
    scene = remembering({b"a": track("m1", event_at(None))})
    await scene.accept(b"a")
    message = FakeMessage(b"a", b"k", scene.ledger.position, headers=[("segbatch.replayed", b"1")])
    chunk = Chunk(scene.ledger, fetched(scene.ledger, message))
    scene.pipeline.expect(chunk)
    await scene.pipeline.accept(chunk)
    assert scene.ended("skipped", "duplicate") == 0
    assert scene.coalescer.records == 2


async def test_what_is_known_of_a_partition_that_was_given_up_counts_for_nothing() -> None:
    scene = remembering({b"a": track("m1", event_at(None))})
    await scene.accept(b"a")
    scene.ledger.forgotten = True
    scene.ledger = Ledger("events", 0, 0)
    await scene.accept(b"a")
    assert scene.ended("skipped", "duplicate") == 0


async def test_what_stays_undone_since_a_limit_was_reached_is_known_by_its_first_record() -> None:
    scene = Scene({b"broken": lambda: Rejected("invalid_json", "d")})
    scene.settlement.limits = DeadLetterLimits(1.0, max_consecutive=2)
    await scene.accept(*[b"broken"] * 4)
    scene.ledger = other = Ledger("events", 1, 0)
    await scene.accept(b"broken")
    held_back = scene.settlement.held_back
    assert [(record.ledger.partition, record.offset) for record in held_back()] == [(0, 2), (1, 0)]
    other.forgotten = True
    assert [record.offset for record in held_back()] == [2]
    scene.settlement.forget_held_back()
    assert held_back() == []
