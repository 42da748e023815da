"""Whatever lies in the topic: each record ends as accepted, skipped or dead-lettered, and Batch's rules hold for all
that is posted."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.mappings import MappingSet
from mapping.settings import MappingSettings
from streams.mappings_file import load_mappings
from tests.fuzz.path import WholeWay
from tests.fuzz.records import strange_records
from tests.mapping.test_any_input import events, values

OWN = load_mappings(Path(__file__).with_name("mappings.yaml")).mapping_set
WAYS: dict[str, tuple[MappingSettings, MappingSet | None]] = {
    "preset": (MappingSettings(), None),
    "snake": (MappingSettings(naming="snake", audience_tracks="both"), None),
    "own mappings": (MappingSettings(), OWN),
}
AT_ONCE = 500
MEMORY_MAY_GROW = 48 * 1024 * 1024

json_bytes = (events | values).map(lambda value: json.dumps(value).encode())


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """JSON with a piece replaced by any bytes."""
    record = draw(json_bytes)
    start = draw(st.integers(0, len(record)))
    end = draw(st.integers(start, min(len(record), start + 5)))
    return record[:start] + draw(st.binary(max_size=6)) + record[end:]


records = st.lists(st.none() | json_bytes | damaged() | st.binary(max_size=100), min_size=1, max_size=12)


def send(way: WholeWay, found: Sequence[bytes | None]) -> None:
    asyncio.run(way.send(found))


def assert_sound(way: WholeWay, count: int) -> None:
    """Every record has ended, once, and Batch has nothing against what it got."""
    assert way.ledger.first_open() == way.ledger.position
    assert sum(way.endings.values()) == count
    assert way.errors == {}


@given(records)
@pytest.mark.parametrize("name", WAYS)
def test_any_records_end_and_what_is_posted_obeys_batchs_rules(name: str, found: list[bytes | None]) -> None:
    way = WholeWay(*WAYS[name])
    send(way, found)
    assert_sound(way, len(found))


@pytest.mark.parametrize("name", WAYS)
def test_damaged_traffic_ends_and_what_is_posted_obeys_batchs_rules(name: str) -> None:
    way, _ = run(name, 3_000, seed=1)
    assert_sound(way, 3_000)
    assert way.endings.keys() == {"accepted", "skipped", "dead_lettered"}
    assert {"invalid_json", "not_an_object", "blank_user_id"} <= way.letters.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", WAYS)
def test_a_million_damaged_records_in_all_end_and_leave_no_memory_behind(name: str) -> None:
    """Other ones every time; the seed is printed, and FUZZ_SEED repeats it."""
    seed = int(os.environ.get("FUZZ_SEED", "0")) or Random().randrange(1, 2**32)
    print(f"FUZZ_SEED={seed}")
    count = int(os.environ.get("FUZZ_RECORDS", "350000"))
    way, grown_bytes = run(name, count, seed)
    assert_sound(way, count)
    assert grown_bytes < MEMORY_MAY_GROW


def run(name: str, count: int, seed: int) -> tuple[WholeWay, int]:
    """The way after so many records, and by how much its process has grown since a fifth of them."""
    way = WholeWay(*WAYS[name])
    random = Random(seed)
    sent, settled = 0, 0
    while sent < count:
        more = list(strange_records(random, min(20_000, count - sent)))
        for start in range(0, len(more), AT_ONCE):
            send(way, more[start : start + AT_ONCE])
        sent += len(more)
        del more
        if sent >= count // 5 and not settled:
            settled = resident_bytes()
    return way, resident_bytes() - settled


def resident_bytes() -> int:
    """Memory of this process; 0 where the system does not tell in this way."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0
