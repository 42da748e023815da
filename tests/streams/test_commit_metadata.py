"""What travels beside a committed offset."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.limiter import Level
from streams.commit_metadata import LONGEST, ROOM_OFFSETS, CommitMetadata, decode, encode

FLAGS = st.lists(st.integers(0, 1), max_size=500).map(bytes)
LEVELS = st.none() | st.builds(Level, st.floats(0, 1e300), st.floats(0, 1e10))


def without_trailing_zeros(done: bytes) -> bytes:
    return done.rstrip(b"\0")


@given(FLAGS, st.none() | st.builds(Level, st.floats(0, 1e6), st.floats(0, 1e10)))
def test_done_records_and_tokens_come_back(done: bytes, level: Level | None) -> None:
    found = decode(encode(done, level))
    assert found is not None
    assert found.done == without_trailing_zeros(done)
    assert (found.level is None) == (level is None)
    if level is not None and found.level is not None:
        assert found.level.tokens == pytest.approx(level.tokens, abs=0.051)
        assert found.level.at == pytest.approx(level.at, abs=0.00051)


@given(st.integers(0, 2**32), st.integers(0, 200_000), st.floats(0, 1), LEVELS)
def test_metadata_is_ascii_of_at_most_4000_characters_whatever_it_says(
    seed: int, length: int, share: float, level: Level | None
) -> None:
    threshold = int(share * 256)
    done = bytes(int(byte < threshold) for byte in random.Random(seed).randbytes(length))
    text = encode(done, level)
    assert text.isascii()
    assert len(text) <= LONGEST == 4000
    found = decode(text)
    assert found is not None
    assert without_trailing_zeros(done).startswith(found.done)


@given(st.integers(0, 2**32), st.integers(-40, 0))
def test_so_many_offsets_always_fit_whichever_are_done(seed: int, less: int) -> None:
    done = bytes(byte & 1 for byte in random.Random(seed).randbytes(ROOM_OFFSETS + less - 1)) + b"\1"
    found = decode(encode(done, Level(999.9, 1.8e9)))
    assert found is not None
    assert found.done == done


def test_long_runs_are_compressed_far_beyond_that() -> None:
    done = b"\0" + b"\1" * 500_000
    found = decode(encode(done, None))
    assert found is not None
    assert found.done == done


def test_what_does_not_fit_is_left_out_from_the_end() -> None:
    done = bytes(byte & 1 for byte in random.Random(7).randbytes(3 * ROOM_OFFSETS))
    found = decode(encode(done, None))
    assert found is not None
    assert len(found.done) >= ROOM_OFFSETS - 40
    assert done.startswith(found.done)


@pytest.mark.parametrize(
    "text", [None, "", "\0", "offset metadata", "sb1", "sb1:", "sb1:zz:::", "sb2:00000000:::"]
)
def test_foreign_metadata_is_ignored(text: str | None) -> None:
    assert decode(text) is None


@given(st.text(max_size=200))
def test_any_foreign_text_is_ignored(text: str) -> None:
    assert decode(text) is None


@given(FLAGS, st.data())
def test_damaged_metadata_is_ignored(done: bytes, data: st.DataObject) -> None:
    text = encode(done, Level(12.5, 1.7e9))
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(max_codepoint=300).filter(lambda c: c.lower() != text[at].lower()))
    damaged = text[:at] + other + text[at + 1 :]
    assert decode(damaged) is None


@given(FLAGS, st.data())
def test_metadata_that_was_cut_short_is_ignored(done: bytes, data: st.DataObject) -> None:
    text = encode(done, Level(12.5, 1.7e9))
    assert decode(text[: data.draw(st.integers(0, len(text) - 1))]) is None


def test_a_terminating_zero_that_a_client_adds_is_ignored() -> None:
    assert decode(encode(b"\0\1", None) + "\0") == CommitMetadata(b"\0\1", None)
