"""A table of many small values is a dict that forgets the earliest keys, and takes a fraction of its memory."""

from __future__ import annotations

import tracemalloc
from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from sink.packed_table import PackedTable

KEYS = st.sampled_from([f"key {number}" for number in range(40)])
STEPS = st.lists(st.tuples(st.booleans(), KEYS, st.binary(max_size=255)))


@given(st.integers(1, 30), STEPS)
def test_it_does_what_a_dict_of_the_latest_keys_does(most: int, steps: list[tuple[bool, str, bytes]]) -> None:
    table, expected = PackedTable(most), OrderedDict[str, bytes]()
    for added, key, value in steps:
        assert table.pop(key) == expected.pop(key, None)
        if added:
            table.add(key, value)
            expected[key] = value
        if len(expected) > most:
            expected.popitem(last=False)
        assert len(table) == len(expected)
    assert {key: table.pop(key) for key in expected} == expected
    assert len(table) == 0


def test_in_a_large_one_the_earliest_go_a_few_at_a_time() -> None:
    table = PackedTable(10_000)
    for number in range(25_000):
        table.add(str(number), number.to_bytes(4))
        assert len(table) <= 10_000
    left, values = len(table), [table.pop(str(number)) for number in range(25_000)]
    assert left > 9_900
    assert values == [None] * (25_000 - left) + [
        number.to_bytes(4) for number in range(25_000 - left, 25_000)
    ]


def test_what_was_taken_out_makes_room() -> None:
    table = PackedTable(1_000)
    for number in range(20_000):
        table.add("often", b"")
        table.pop("often")
        table.add(str(number % 900), b"")
        table.pop(str((number + 1) % 900))
    assert len(table) == 899


def test_a_value_takes_little_more_memory_than_it_is_long() -> None:
    tracemalloc.start()
    try:
        table = PackedTable(20_000)
        for number in range(40_000):
            table.add(f"00000000-0000-0000-0000-{number:012}", bytes(12))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken / len(table) < 60
