"""The ledger against a model that keeps sets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import commit_metadata
from streams.ledger import FULL_WINDOW, LARGEST_FETCH, Committable, Ledger


class Model:
    """What is known of a partition, as sets of offsets: slow, and plain to see."""

    def __init__(self, records: set[int], start: int, done: set[int]) -> None:
        self.records = records
        self.start = start
        self.position = start
        self.done = set(done)
        self.in_flight: set[int] = set()

    def finished(self, offset: int) -> bool:
        """Nothing is left to do for the offset: its record is done, or it was passed and holds none."""
        passed_gap = offset < self.position and offset not in self.records
        return offset in self.done or passed_gap

    def committable(self) -> tuple[int, set[int]]:
        """The first unfinished offset, and the finished ones beyond it."""
        offset = self.start
        while self.finished(offset):
            offset += 1
        last = max(self.position, *self.done, offset) + 1
        return offset, {o for o in range(offset, last) if self.finished(o)}


def flagged(state: Committable) -> set[int]:
    return {state.offset + index for index, flag in enumerate(state.done) if flag}


def state_of(ledger: Ledger) -> Committable:
    """What would be committed, changed or not."""
    state = ledger.committable() or ledger.committed
    assert state is not None
    return state


def fetch(ledger: Ledger, model: Model, offsets: list[int]) -> None:
    """Offsets come from Kafka; what the ledger hands on must be new and not done."""
    fresh = ledger.enter(offsets)
    handed = offsets if fresh is None else [offsets[index] for index in fresh]
    expected = [o for o in offsets if o not in model.in_flight and o not in model.done]
    assert handed == expected
    model.in_flight |= set(handed)
    model.position = max(model.position, offsets[-1] + 1)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("fetch"), st.integers(1, 8)),
        st.tuples(st.just("complete"), st.integers(0, 50)),
        st.tuples(st.just("complete all"), st.just(0)),
        st.tuples(st.just("end"), st.just(0)),
        st.tuples(st.just("refetch"), st.integers(1, 12)),
        st.tuples(st.just("commit"), st.just(0)),
        st.tuples(st.just("hand over"), st.just(0)),
    ),
    max_size=60,
)
LOG_END = 60


@given(
    st.sets(st.integers(0, LOG_END - 1), min_size=1),
    st.integers(0, 10),
    st.sets(st.integers(0, LOG_END - 1)),
    STEPS,
)
def test_the_ledger_hands_on_what_is_new_and_commits_all_that_is_finished_and_nothing_else(
    records: set[int], start: int, done_before: set[int], steps: list[tuple[str, int]]
) -> None:
    seeds = {o for o in done_before if o > start and o in records}
    model = Model(records, start, seeds)
    flags = bytes(int(o in seeds) for o in range(start, max(seeds, default=start) + 1))
    ledger = Ledger("t", 0, start, flags)
    next_fetch = start
    for what, number in steps:
        if what == "fetch":
            offsets = sorted(o for o in records if o >= next_fetch)[:number]
            if offsets:
                fetch(ledger, model, offsets)
                next_fetch = offsets[-1] + 1
        elif what == "refetch":
            next_fetch = max(start, next_fetch - number)
        elif what == "end" and not any(o >= next_fetch for o in records):
            ledger.advance(LOG_END)
            model.position = max(model.position, LOG_END)
        elif what == "complete" and model.in_flight:
            offset = sorted(model.in_flight)[number % len(model.in_flight)]
            ledger.complete(offset)
            model.in_flight.discard(offset)
            model.done.add(offset)
        elif what == "complete all":
            for offset in sorted(model.in_flight):
                ledger.complete(offset)
            model.done |= model.in_flight
            model.in_flight.clear()
        elif what == "hand over":
            state = state_of(ledger)
            metadata = commit_metadata.decode(commit_metadata.encode(state.done, None))
            assert metadata is not None
            finished = {state.offset + i for i, flag in enumerate(metadata.done) if flag}
            assert model.done - set(range(state.offset)) <= finished, "a clean handover repeats a record"
            ledger = Ledger("t", 0, state.offset, metadata.done)
            model = Model(records, state.offset, finished)
            start = next_fetch = state.offset
        elif what == "commit":
            state = state_of(ledger)
            ledger.committed = state
            assert ledger.committable() is None, "a state that is committed is committed again"
        state = state_of(ledger)
        assert (state.offset, flagged(state)) == model.committable()
        assert ledger.open == len(model.in_flight)


def test_nothing_is_committed_past_a_record_that_is_not_done() -> None:
    ledger = Ledger("t", 0, 5)
    ledger.enter([5, 6, 7])
    for offset in [6, 7]:
        ledger.complete(offset)
    assert ledger.committable() == Committable(5, b"\0\1\1")


def test_when_all_that_was_fetched_is_done_the_fetch_position_is_committed() -> None:
    ledger = Ledger("t", 0, 0)
    ledger.enter([0, 1, 4])
    for offset in [0, 1, 4]:
        ledger.complete(offset)
    assert ledger.committable() == Committable(5, b"")


def test_the_end_of_the_partition_past_transaction_markers_is_committed() -> None:
    ledger = Ledger("t", 0, 0)
    ledger.enter([0, 1])
    for offset in [0, 1]:
        ledger.complete(offset)
    ledger.advance(3)
    assert ledger.committable() == Committable(3, b"")


def test_records_done_beyond_the_commit_are_not_handed_on_even_after_the_commit_passed_them() -> None:
    ledger = Ledger("t", 0, 10, b"\0\1\1")
    assert ledger.enter([10]) is None
    ledger.complete(10)
    assert ledger.committable() == Committable(13, b"")
    assert ledger.enter([11, 12, 13]) == [2]
    ledger.complete(13)
    assert ledger.committable() == Committable(14, b"")


def test_the_end_of_the_partition_may_lie_before_what_was_done_by_an_earlier_owner() -> None:
    ledger = Ledger("t", 0, 10, b"\0\1\1")
    ledger.enter([10])
    ledger.complete(10)
    ledger.committed = ledger.committable()
    ledger.advance(12)
    ledger.advance(15)
    assert ledger.committable() == Committable(15, b"")


def test_a_state_that_was_inherited_is_not_committed_again_unchanged() -> None:
    ledger = Ledger("t", 0, 10, b"\0\1\0\1")
    assert ledger.committable() is None
    ledger.enter([10])
    assert ledger.committable() is None


def test_a_group_without_a_commit_commits_where_it_starts() -> None:
    assert Ledger("t", 0, 7, committed=False).committable() == Committable(7, b"")


def test_completions_count_for_nothing_once_the_partition_is_forgotten() -> None:
    ledger = Ledger("t", 0, 0)
    ledger.enter([0])
    ledger.forgotten = True
    ledger.complete(0)
    assert ledger.open == 1
    assert ledger.first_open() == 0


def test_completing_a_record_twice_or_one_never_fetched_changes_nothing() -> None:
    ledger = Ledger("t", 0, 0)
    ledger.enter([0, 1])
    for offset in [1, 1, 7]:
        ledger.complete(offset)
    assert ledger.open == 1
    assert ledger.committable() == Committable(0, b"\0\1")


def test_a_partition_reads_no_further_before_its_metadata_would_not_fit() -> None:
    ledger = Ledger("t", 0, 0)
    position = 0
    while not ledger.full:
        ledger.enter(range(position, position + LARGEST_FETCH))
        position += LARGEST_FETCH
    for offset in range(1, position, 2):
        ledger.complete(offset)
    state = ledger.committable()
    assert state is not None
    metadata = commit_metadata.decode(commit_metadata.encode(state.done, None))
    assert metadata is not None
    assert metadata.done == state.done
    assert position > 10 * LARGEST_FETCH


def test_a_full_partition_reads_on_when_its_oldest_records_are_done() -> None:
    ledger = Ledger("t", 0, 0)
    ledger.enter(range(FULL_WINDOW + 1))
    assert ledger.full
    ledger.complete(0)
    assert not ledger.full


@pytest.mark.parametrize("length", [1, 100, FULL_WINDOW + LARGEST_FETCH])
def test_an_inherited_window_does_not_stop_the_reading(length: int) -> None:
    ledger = Ledger("t", 0, 0, b"\0" + b"\1" * length)
    assert not ledger.full
    assert ledger.enter([0, 1]) == [0]
    assert not ledger.full
