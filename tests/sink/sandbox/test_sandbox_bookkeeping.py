"""The bucket and the calls in flight, on a clock of the test's own."""

from __future__ import annotations

import math

from sink.sandbox.bucket import TokenBucket
from sink.sandbox.formats import read_time, write_time
from sink.sandbox.inflight import InFlight


def test_a_bucket_starts_full_and_fills_at_its_rate() -> None:
    bucket = TokenBucket(rate=300, capacity=1000, now=0)

    assert [bucket.take(200, now=0) for _ in range(5)] == [0] * 5
    assert bucket.take(150, now=0) == 0.5
    assert bucket.take(150, now=0.5) == 0
    assert bucket.take(1, now=0.5) > 0


def test_a_bucket_holds_no_more_than_its_capacity() -> None:
    bucket = TokenBucket(rate=300, capacity=1000, now=0)

    assert bucket.take(1000, now=1e6) == 0
    assert bucket.take(1, now=1e6) > 0


def test_a_refused_call_takes_no_tokens() -> None:
    bucket = TokenBucket(rate=1, capacity=10, now=0)

    assert bucket.take(8, now=0) == 0
    assert bucket.take(5, now=0) == 3
    assert bucket.take(2, now=0) == 0


def test_what_never_fits_waits_for_ever() -> None:
    assert TokenBucket(rate=1, capacity=10, now=0).take(11, now=100) == math.inf


def test_a_call_that_ended_while_another_arrived_overlapped_it() -> None:
    calls = InFlight()
    first, _ = calls.enter(since=1.0, ids=["a", "b"], connected=lambda: True)
    calls.leave(first, now=3.0)

    assert calls.enter(since=2.0, ids=["a", "c"], connected=lambda: True)[1] == 1
    assert calls.enter(since=3.0, ids=["b"], connected=lambda: True)[1] == 0


def test_a_call_ends_when_its_client_goes() -> None:
    calls = InFlight()
    gone, _ = calls.enter(since=1.0, ids=["a"], connected=lambda: False)

    retry, overlaps = calls.enter(since=2.0, ids=["a"], connected=lambda: True)
    calls.leave(gone, now=5.0)
    calls.leave(retry, now=2.5)
    assert overlaps == 0
    assert calls.enter(since=3.0, ids=["a"], connected=lambda: True)[1] == 0


def test_times_are_read_to_the_fraction_and_with_their_offset() -> None:
    assert read_time("1970-01-01T00:00:01.500Z") == 1.5
    assert read_time("1970-01-01t01:00:00+01:00") == 0
    assert read_time("1969-12-31T23:00:00-01:00") == 0
    assert read_time("2016-12-31T23:59:60Z") == read_time("2017-01-01T00:00:00Z")
    assert [
        read_time(text) for text in ("1970-01-01", "1970-13-01T00:00:00Z", "1970-01-01T00:00:00+01:99")
    ] == [None] * 3
    assert write_time(1.5) == "1970-01-01T00:00:01.500Z"
