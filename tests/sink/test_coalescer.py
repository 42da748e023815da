"""Merging against the plainest model: what Batch holds when every update is applied alone, in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from hypothesis import given
from hypothesis import strategies as st

from mapping.profile import ArrayDelta, AttributeValue, DateString, ProfileEvent, ProfileUpdate, UrlString
from sink.coalescer import MAX_ATTRIBUTES, MAX_EVENTS, Coalescer, PendingUpdate, compose
from tests.sink.harness import FakeRecord, event, record_of, update_of

ITEMS = [f"i{number}" for number in range(40)]
Held = dict[str, object]


class Profiles:
    """What Batch holds."""

    def __init__(self) -> None:
        self.attributes: dict[str, Held] = defaultdict(dict)
        self.events: dict[str, list[bytes]] = defaultdict(list)

    def apply(
        self, custom_id: str, attributes: Mapping[str, AttributeValue], events: Iterable[ProfileEvent]
    ) -> None:
        held = self.attributes[custom_id]
        for name, value in attributes.items():
            after = apply_value(held.get(name), value)
            held.pop(name, None)
            if after is not None:
                held[name] = after
        self.events[custom_id] += [each.body for each in events]


def apply_value(held: object, value: AttributeValue) -> object:
    """An attribute after a value came: a null deletes, an empty array is none."""
    if isinstance(value, ArrayDelta):
        before = held if isinstance(held, frozenset) else frozenset()
        return (before - set(value.remove)) | set(value.add) or None
    if isinstance(value, list):
        return frozenset(value)
    return None if value is None else (type(value).__name__, value)


@st.composite
def deltas(draw: st.DrawFn) -> ArrayDelta:
    items = draw(st.lists(st.sampled_from(ITEMS), min_size=1, max_size=25, unique=True))
    middle = draw(st.integers(0, len(items)))
    return ArrayDelta(tuple(items[:middle]), tuple(items[middle:]))


SCALARS: st.SearchStrategy[AttributeValue] = st.one_of(
    st.none(),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from(["a", "b"]),
    st.just(DateString("2026-01-01T00:00:00Z")),
    st.just(UrlString("https://example.com/")),
)
ARRAYS: st.SearchStrategy[AttributeValue] = st.one_of(
    deltas(), deltas(), st.none(), st.lists(st.sampled_from(ITEMS), min_size=1, max_size=25, unique=True)
)


@st.composite
def updates(draw: st.DrawFn) -> ProfileUpdate:
    attributes: dict[str, AttributeValue] = {}
    first = draw(st.integers(0, 60))
    for number in range(draw(st.sampled_from([0, 0, 1, 2, 20, 45, 60]))):
        attributes[f"s{(first + number) % 70}"] = number
    for name in draw(st.lists(st.sampled_from(["s1", "s2", "s3"]), max_size=2)):
        attributes[name] = draw(SCALARS)
    for name in draw(st.lists(st.sampled_from(["a1", "a2"]), max_size=2)):
        attributes[name] = draw(ARRAYS)
    events = [event("e", n=number) for number in range(draw(st.sampled_from([0, 0, 1, 3, 14, 20, 40])))]
    if not attributes and not events:
        attributes["s1"] = draw(SCALARS)
    return update_of(draw(st.sampled_from(["u1", "u1", "u2", "u3"])), attributes, *events)


STEPS = st.lists(
    st.one_of(
        updates(),
        updates(),
        st.tuples(st.just("take"), st.integers(1, 4)),
        st.tuples(st.just("settle"), st.integers(0, 9)),
    ),
    max_size=25,
)


class Run:
    """A coalescer whose updates are applied to profiles as they are settled."""

    def __init__(self) -> None:
        self.coalescer = Coalescer()
        self.merged, self.single = Profiles(), Profiles()
        self.records: list[FakeRecord] = []
        self.out: list[PendingUpdate] = []
        self.now = 0.0

    def add(self, update: ProfileUpdate) -> FakeRecord:
        number = len(self.records)
        named = [event("e", record=number, n=index) for index in range(len(update.events))]
        record = FakeRecord(update._replace(events=tuple(named)))
        self.records.append(record)
        self.now += 1
        self.coalescer.add(record.mapped(), record, self.now)
        self.single.apply(record.update.custom_id, record.update.attributes, record.update.events)
        return record

    def take(self, limit: int) -> None:
        taken = self.coalescer.take(limit)
        assert len(taken) <= limit
        for update in taken:
            assert update.attributes or update.events
            assert len(update.attributes) <= MAX_ATTRIBUTES == 50
            assert len(update.events) <= MAX_EVENTS == 15
        self.out += taken
        ids = [update.custom_id for update in self.out]
        assert len(ids) == len(set(ids)), "two updates of a profile are out"

    def settle(self, index: int) -> None:
        if self.out:
            update = self.out.pop(index % len(self.out))
            self.merged.apply(update.custom_id, update.attributes, [each for each, _ in update.events])
            self.coalescer.settle([update])
            for record in update.records:
                assert isinstance(record, FakeRecord)
                record.parts -= 1
                applied = self.merged.events[update.custom_id]
                whole = all(each.body in applied for each in record.update.events)
                assert record.parts >= 0
                assert whole or record.parts > 0, "a record is done before all of it was applied"

    def drain(self) -> None:
        while self.coalescer.ready or self.out:
            self.take(2)
            self.settle(0)
        assert [record.parts for record in self.records] == [0] * len(self.records)
        assert (self.coalescer.records, self.coalescer.bytes) == (0, 0)
        assert (self.coalescer.profiles, self.coalescer.out, self.coalescer.oldest) == (0, 0, None)


@given(STEPS)
def test_any_split_into_calls_gives_the_profiles_that_single_updates_would_give(
    steps: list[ProfileUpdate | tuple[str, int]],
) -> None:
    run = Run()
    for step in steps:
        if isinstance(step, ProfileUpdate):
            run.add(step)
        elif step[0] == "take":
            run.take(step[1])
        else:
            run.settle(step[1])
    run.drain()
    assert run.merged.events == run.single.events
    assert run.merged.attributes == run.single.attributes


@given(st.lists(st.tuples(updates(), st.booleans()), max_size=20))
def test_after_forgetting_only_the_kept_records_are_said(drawn: list[tuple[ProfileUpdate, bool]]) -> None:
    run, alone = Run(), Profiles()
    for update, live in drawn:
        record = run.add(update)
        record.live = live
        if live:
            alone.apply(record.update.custom_id, record.update.attributes, record.update.events)
    forget_dead(run)
    run.drain()
    assert nonempty(run.merged.events) == nonempty(alone.events)
    assert nonempty(run.merged.attributes) == nonempty(alone.attributes)


@given(st.lists(st.tuples(updates(), st.booleans(), st.booleans(), st.booleans()), max_size=20))
def test_forgetting_repeats_no_event_that_left_before_and_loses_none_of_the_kept_records(
    drawn: list[tuple[ProfileUpdate, bool, bool, bool]],
) -> None:
    run = Run()
    for update, live, take, settle in drawn:
        run.add(update).live = live
        if take:
            run.take(1)
        if settle:
            run.settle(0)
    forget_dead(run)
    run.drain()
    applied = [body for bodies in run.merged.events.values() for body in bodies]
    assert len(applied) == len(set(applied)), "an event was sent twice"
    kept = {each.body for record in run.records if record.live for each in record.update.events}
    assert kept <= set(applied)


def forget_dead(run: Run) -> None:
    """Forget the records that are not live; their parts that wait end with that."""

    def is_live(record: object) -> bool:
        assert isinstance(record, FakeRecord)
        return record.live

    def rebuild(record: object, custom_id: str) -> ProfileUpdate:
        assert isinstance(record, FakeRecord)
        return record.mapped()

    run.coalescer.forget(is_live, rebuild, run.now)
    run.records = [record for record in run.records if record.live]


def nonempty(of: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in of.items() if value}


@given(st.frozensets(st.sampled_from(ITEMS)), deltas(), deltas())
def test_two_deltas_compose_to_what_they_say_in_turn(
    held: frozenset[str], first: ArrayDelta, second: ArrayDelta
) -> None:
    composed = compose(first, second)
    if composed is None:
        assert len(set(first.add) | set(second.add)) > 25 or len(set(first.remove) | set(second.remove)) > 25
    else:
        assert isinstance(composed, ArrayDelta)
        assert len(composed.add) <= 25
        assert len(composed.remove) <= 25
        assert apply_value(held, composed) == apply_value(apply_value(held, first), second)


def test_what_was_taken_is_oldest_first() -> None:
    coalescer = Coalescer()
    for number, name in enumerate(["c", "a", "b"]):
        record = record_of(name, {"x": 1})
        coalescer.add(record.mapped(), record, float(number))
    assert [update.custom_id for update in coalescer.take(3)] == ["c", "a", "b"]


def test_what_waited_behind_an_update_that_was_out_keeps_its_age() -> None:
    coalescer = Coalescer()
    for at, name in enumerate(["a", "a", "b"]):
        record = record_of(name, {"x": at})
        coalescer.add(record.mapped(), record, float(at))
        if at == 0:
            (out,) = coalescer.take(1)
    coalescer.settle([out])
    assert [update.custom_id for update in coalescer.take(2)] == ["a", "b"]


def test_after_forgetting_deltas_are_said_in_the_order_in_which_they_came() -> None:
    coalescer = Coalescer()
    lost = record_of("a", {f"s{number}": number for number in range(60)})
    removes = record_of("a", {"tags": ArrayDelta((), ("x",))})
    adds = record_of("a", {"s0": 0, "tags": ArrayDelta(("x",), ())})
    for at, record in enumerate((lost, removes, adds)):
        coalescer.add(record.mapped(), record, float(at))
    coalescer.forget(lambda record: record is not lost, lambda record, _: record.mapped(), 9.0)  # type: ignore[attr-defined]
    (update,) = coalescer.take(1)
    assert update.attributes["tags"] == ArrayDelta(("x",), ())


def test_the_forms_of_a_name_are_one_attribute_and_the_last_wins() -> None:
    coalescer = Coalescer()
    values: list[AttributeValue] = [
        DateString("2026-01-01T00:00:00Z"),
        UrlString("https://x.org/"),
        "s",
        None,
    ]
    for value in values:
        record = record_of("a", {"x": value})
        coalescer.add(record.mapped(), record, 0.0)
    (update,) = coalescer.take(1)
    assert update.attributes == {"x": None}


def test_ten_audiences_of_one_user_are_one_update() -> None:
    coalescer = Coalescer()
    for number in range(10):
        record = record_of("a", {f"audience_{number}": True})
        coalescer.add(record.mapped(), record, 0.0)
    (update,) = coalescer.take(10)
    assert len(update.attributes) == 10
    assert coalescer.ready == 0


def test_updates_that_are_out_count_in_the_bounds_and_in_the_age_of_the_oldest() -> None:
    coalescer = Coalescer()
    record = record_of("a", {"x": 1})
    coalescer.add(record.mapped(), record, 3.0)
    (out,) = coalescer.take(1)
    assert coalescer.records == 1
    assert coalescer.bytes >= record.bytes
    assert (coalescer.oldest, coalescer.oldest_ready, coalescer.out) == (3.0, None, 1)
    other = record_of("b", {"x": 1})
    coalescer.add(other.mapped(), other, 5.0)
    assert (coalescer.oldest, coalescer.oldest_ready) == (3.0, 5.0)
    coalescer.settle([out])
    assert (coalescer.records, coalescer.oldest) == (1, 5.0)
    coalescer.settle(coalescer.take(1))
    assert (coalescer.records, coalescer.bytes, coalescer.oldest) == (0, 0, None)


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "add", "take", "settle", "settle", "forget"]), st.integers(0, 2)
    ),
    min_size=8,
    max_size=40,
)


@given(_STEPS)
def test_no_profile_is_overtaken_by_one_that_came_later(steps: list[tuple[str, int]]) -> None:
    """Whatever was out, came back or was rebuilt: of the profiles without an update out, the oldest leaves."""
    coalescer = Coalescer()
    records: list[FakeRecord] = []
    out: list[PendingUpdate] = []
    for now, (step, number) in enumerate(steps):
        if step == "add":
            records.append(record_of(f"u{number}", {f"x{now}": now}))
            coalescer.add(records[-1].mapped(), records[-1], float(now))
        elif step == "take":
            free = {u.custom_id: u.arrived for u, is_out in coalescer.everything() if not is_out}
            for update in out:
                free.pop(update.custom_id, None)
            taken = coalescer.take(number)
            assert [update.arrived for update in taken] == sorted(free.values())[:number]
            out += taken
        elif step == "settle" and out:
            coalescer.settle([out.pop(number % len(out))])
        elif step == "forget" and records:
            records[number % len(records)].live = False
            coalescer.forget(lambda record: record.live, lambda record, _: record.mapped(), float(now))  # type: ignore[attr-defined]
