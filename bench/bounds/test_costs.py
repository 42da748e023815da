"""What mapping, coalescer and ledger cost alone, as ratios to `orjson.loads` of the same events in the same run.

`make bench-bounds` runs them, and so does CI. Decoding and the measured part take turns, the best round of each counts,
and CPU time is what is measured: another process on the machine disturbs little. The bounds are about a half above what
a quiet machine gives; what is lost beyond that was lost by a change.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.traffic import mixed
from mapping.mapper import compile_mapper
from mapping.profile import ProfileUpdate
from mapping.settings import MappingSettings
from sink.coalescer import Coalescer, PendingUpdate
from streams.ledger import Ledger
from tests.sink.harness import FakeRecord

pytestmark = pytest.mark.benchmark(timer=time.process_time, warmup=False, disable_gc=True)

EVENTS, USERS = 4_000, 1_000
ROUNDS = 15
UPDATES_A_CALL = 200
RECORDS_A_FETCH = 500

MAPPING_BOUND = 5.0
COALESCER_BOUND = 1.0
LEDGER_BOUND = 0.2

RECORDS = [each.value for each in mixed(EVENTS, USERS)]
MAP_RECORD = compile_mapper(MappingSettings())


def ratio_to_decoding(
    benchmark: BenchmarkFixture, measured: Callable[..., Any], prepare: Callable[[], tuple[Any, ...]] = tuple
) -> float:
    """The best round of `measured(*prepare())` in terms of the best round of decoding the same events."""
    decoding: list[float] = []

    def decode_and_prepare() -> tuple[tuple[Any, ...], dict[str, Any]]:
        begun = time.process_time()
        for record in RECORDS:
            orjson.loads(record)
        decoding.append(time.process_time() - begun)
        return prepare(), {}

    benchmark.pedantic(measured, setup=decode_and_prepare, rounds=ROUNDS)
    assert benchmark.stats is not None, "benchmarks are off: run this file without xdist"
    ratio = float(benchmark.stats.stats.min / min(decoding))
    benchmark.extra_info["ratio"] = round(ratio, 2)
    return ratio


def mapped() -> list[ProfileUpdate]:
    return [each for record in RECORDS if isinstance(each := MAP_RECORD(record), ProfileUpdate)]


def test_the_preset_costs_a_few_decodings(benchmark: BenchmarkFixture) -> None:
    """From the bytes to the profile update, decoding included."""

    def map_all() -> None:
        for record in RECORDS:
            MAP_RECORD(record)

    assert len(mapped()) > EVENTS * 0.8
    assert ratio_to_decoding(benchmark, map_all) <= MAPPING_BOUND


def test_merging_costs_less_than_decoding(benchmark: BenchmarkFixture) -> None:
    """Every update added, taken in calls of 200, and settled."""
    left: list[int] = []

    def prepare() -> tuple[list[tuple[ProfileUpdate, FakeRecord]]]:
        return ([(update, FakeRecord(update)) for update in mapped()],)

    def merge(updates: list[tuple[ProfileUpdate, FakeRecord]]) -> None:
        coalescer = Coalescer()
        taken: list[PendingUpdate] = []
        for update, record in updates:
            coalescer.add(update, record, 0.0)
        while call := coalescer.take(UPDATES_A_CALL):
            coalescer.settle(call)
            taken += call
        left.append(len(taken))

    ratio = ratio_to_decoding(benchmark, merge, prepare)
    assert 0 < left[-1] <= USERS, "each profile leaves once, with all that was said of it"
    assert ratio <= COALESCER_BOUND


def test_the_ledger_costs_a_fraction_of_decoding(benchmark: BenchmarkFixture) -> None:
    """Every offset entered by the fetch and completed in calls of 200, two of three in order, with a look at what may
    be committed after each call."""
    fetches = [range(start, start + RECORDS_A_FETCH) for start in range(0, EVENTS, RECORDS_A_FETCH)]
    order = [offset for offset in range(EVENTS) if offset % 3] + list(range(0, EVENTS, 3))
    calls = [order[start : start + UPDATES_A_CALL] for start in range(0, EVENTS, UPDATES_A_CALL)]
    ends: list[int] = []

    def keep() -> None:
        ledger = Ledger("topic", 0, 0)
        for fetch in fetches:
            ledger.enter(fetch)
        for call in calls:
            for offset in call:
                ledger.complete(offset)
            committable = ledger.committable()
        assert committable is not None
        ends.append(committable.offset)

    ratio = ratio_to_decoding(benchmark, keep)
    assert ends[-1] == EVENTS
    assert ratio <= LEDGER_BOUND
