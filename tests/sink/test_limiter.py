"""The token bucket against the server's own, and the waiting."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.limiter import Level, Limiter, TokenBucket
from tests.sink.virtual_time import run_virtual, wall_clock


class ServerBucket:
    """Batch's side: full at first, refuses a call that it has too few tokens for."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = rate, burst
        self.tokens, self.at = burst, 0.0

    def take(self, tokens: int, now: float) -> bool:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        self.tokens -= tokens
        return self.tokens >= -1e-6


STEPS = st.lists(
    st.tuples(
        st.floats(0, 5),  # seconds since the step before
        st.sampled_from(["spend", "spend", "spend", "own", "disown", "give_back", "share", "refused"]),
        st.integers(1, 400),  # tokens wanted, or which partition
        st.floats(0, 8),  # seconds until the call reaches the server
        st.floats(0, 8),  # and from there until its answer
    ),
    max_size=60,
)


@given(STEPS, st.floats(0.5, 400), st.floats(1, 1200), st.integers(1, 7))
def test_a_server_with_our_rate_and_burst_never_refuses_however_long_calls_take(
    steps: list[tuple[float, str, int, float, float]], rate: float, burst: float, partitions: int
) -> None:
    bucket, server = TokenBucket(rate, burst, partitions), ServerBucket(rate, burst)
    arrivals: list[tuple[float, int]] = []
    answers: list[tuple[float, int]] = []
    left: dict[int, Level] = {}
    owned: set[int] = set()
    now = 0.0
    for waited, what, number, there, back in steps:
        now += waited
        for at, tokens in sorted(answers):
            if at <= now:
                bucket.answered(tokens, at)
                answers.remove((at, tokens))
        partition = number % partitions
        if what == "spend":
            tokens = bucket.spend(number, now)
            arrivals.append((now + there, tokens))
            answers.append((now + there + back, tokens))
        elif what == "own":
            bucket.own(partition, left.get(partition), now)
            owned.add(partition)
        elif what == "disown" and partition in owned:
            left[partition] = bucket.level(now)
            bucket.disown(partition, now)
            owned.discard(partition)
        elif what == "give_back":
            bucket.give_back(bucket.spend(number, now))
        elif what == "share":
            bucket.share_among(partitions, now)
        elif what == "refused":
            bucket.refused(now)
    for at, tokens in sorted(arrivals):
        assert server.take(tokens, at), "the server refused a call"


@given(
    st.floats(1, 2000),
    st.floats(1, 5000),
    st.integers(1, 12),
    st.lists(st.integers(1, 200), min_size=1, max_size=20),
)
def test_a_saturated_bucket_spends_its_whole_rate(
    rate: float, burst: float, partitions: int, wishes: list[int]
) -> None:
    bucket = TokenBucket(rate, burst, partitions)
    for partition in range(partitions):
        bucket.own(partition, Level(0.0, 0.0), 0.0)
    now, spent, turn = 0.0, 0, 0
    lasting = 400 / rate * 10
    while now < lasting:
        wanted = wishes[turn % len(wishes)]
        delay = bucket.seconds_until(bucket.worth_waiting_for(wanted), now)
        assert delay is not None
        now += delay + 1e-9
        tokens = bucket.spend(wanted, now)
        bucket.answered(tokens, now)
        spent += tokens
        turn += 1
    assert spent >= 0.99 * rate * now - max(bucket.capacity / 4, 1) - 1


@given(st.integers(1, 8), st.floats(10, 1000), st.floats(8, 2000), st.floats(0, 3))
def test_a_partition_that_moves_brings_its_tokens_and_no_second_burst(
    moves: int, rate: float, burst: float, pause: float
) -> None:
    partitions = 4
    buckets = [TokenBucket(rate, burst, partitions) for _ in range(2)]
    server = ServerBucket(rate, burst)
    for partition in range(partitions):
        buckets[0].own(partition, None, 0.0)
    owner, now = 0, 0.0
    for _ in range(moves):
        tokens = buckets[owner].spend(10_000, now)
        assert server.take(tokens, now)
        buckets[owner].answered(tokens, now)
        level = buckets[owner].level(now)
        for partition in range(partitions):
            buckets[owner].disown(partition, now)
        now += pause
        owner = 1 - owner
        for partition in range(partitions):
            buckets[owner].own(partition, level, now)
    assert server.take(buckets[owner].spend(10_000, now), now)


def test_a_partition_without_metadata_starts_full() -> None:
    bucket = TokenBucket(300, 1000, 4)
    bucket.own(0, None, 5.0)
    assert bucket.tokens(5.0) == 250


def test_each_partition_owns_its_part_of_rate_and_burst() -> None:
    bucket = TokenBucket(297, 950, 6)
    for partition in range(3):
        bucket.own(partition, Level(0.0, 0.0), 0.0)
    assert bucket.rate == pytest.approx(297 / 2)
    assert bucket.capacity == pytest.approx(950 / 2)
    assert bucket.tokens(1.0) == pytest.approx(297 / 2)


def test_without_partitions_nothing_is_spent() -> None:
    bucket = TokenBucket(300, 1000, 4)
    bucket.own(0, None, 0.0)
    bucket.disown(0, 0.0)
    assert bucket.spend(10, 100.0) == 0
    assert bucket.seconds_until(1, 100.0) is None


def test_the_capacity_is_never_below_one_token() -> None:
    bucket = TokenBucket(1, 2, 100)
    bucket.own(0, Level(0.0, 0.0), 0.0)
    assert bucket.capacity == 1.0
    assert bucket.spend(5, 100.0) == 1


def test_a_call_takes_no_more_than_the_tokens_there_are() -> None:
    bucket = TokenBucket(10, 1000, 1)
    bucket.own(0, Level(0.0, 0.0), 0.0)
    assert bucket.spend(200, 3.0) == 30


def test_an_inherited_level_has_refilled_since_it_was_left() -> None:
    bucket = TokenBucket(10, 100, 2)
    bucket.own(0, Level(3.0, 50.0), 52.0)
    assert bucket.tokens(52.0) == pytest.approx(13.0)


def test_a_level_from_a_clock_ahead_of_ours_brings_what_it_says() -> None:
    bucket = TokenBucket(10, 100, 2)
    bucket.own(0, Level(3.0, 99.0), 52.0)
    assert bucket.tokens(52.0) == pytest.approx(3.0)


def test_owning_a_partition_twice_brings_nothing() -> None:
    bucket = TokenBucket(10, 100, 2)
    bucket.own(0, None, 0.0)
    bucket.spend(50, 0.0)
    bucket.own(0, None, 0.0)
    assert bucket.tokens(0.0) == 0


def test_a_clock_that_is_set_back_does_not_stop_the_refill() -> None:
    bucket = TokenBucket(10, 100, 1)
    bucket.own(0, None, 5000.0)
    bucket.answered(bucket.spend(100, 5000.0), 5000.0)
    assert bucket.tokens(1400.0) == 0
    assert bucket.tokens(1405.0) == pytest.approx(50.0)


def test_after_a_429_the_bucket_is_empty_and_slower_and_recovers() -> None:
    bucket = TokenBucket(100, 1000, 1)
    bucket.own(0, None, 0.0)
    bucket.refused(0.0)
    assert bucket.tokens(0.0) == 0
    assert bucket.rate == pytest.approx(50)
    bucket.tokens(60.0)
    assert bucket.rate == pytest.approx(100)


def test_many_429s_leave_a_tenth_of_the_speed() -> None:
    bucket = TokenBucket(100, 1000, 1)
    bucket.own(0, None, 0.0)
    for _ in range(50):
        bucket.refused(0.0)
    assert bucket.rate == pytest.approx(10)


def test_the_limiter_spends_its_rate_and_says_how_long_calls_waited() -> None:
    async def main() -> tuple[int, float]:
        limiter = Limiter(100, 200, clock=wall_clock)
        limiter.own("p", Level(0.0, wall_clock()))
        spent, until = 0, wall_clock() + 60
        while wall_clock() < until:
            tokens = await limiter.spend(40)
            limiter.answered(tokens)
            spent += tokens
        return spent, limiter.waited_s

    spent, waited = run_virtual(main())
    assert 0.99 * 6000 <= spent <= 6050
    assert waited == pytest.approx(60, abs=1.0)


def test_waiters_are_served_in_turn() -> None:
    async def main() -> list[int]:
        limiter = Limiter(10, 40, clock=wall_clock)
        limiter.own("p", Level(0.0, wall_clock()))
        served: list[int] = []

        async def one(number: int) -> None:
            limiter.answered(await limiter.spend(10))
            served.append(number)

        await asyncio.gather(*(one(number) for number in range(6)))
        return served

    assert run_virtual(main()) == list(range(6))


def test_a_call_without_tokens_waits_for_an_answer_when_all_tokens_are_in_flight() -> None:
    async def main() -> float:
        limiter = Limiter(10, 10, clock=wall_clock)
        limiter.own("p", None)
        first = await limiter.spend(10)
        started = wall_clock()
        asyncio.get_running_loop().call_later(30, limiter.answered, first)
        await limiter.spend(1)
        return wall_clock() - started

    assert run_virtual(main()) == pytest.approx(30.1, abs=0.2)


def test_a_worker_without_partitions_waits_until_it_owns_one() -> None:
    async def main() -> int:
        limiter = Limiter(10, 10, clock=wall_clock)
        asyncio.get_running_loop().call_later(5, limiter.own, "p", None)
        return await limiter.spend(3)

    assert run_virtual(main()) == 3


@given(st.floats(10, 1000), st.floats(8, 2000), st.integers(2, 8), st.floats(0, 1), st.floats(0, 1))
def test_calls_that_reach_batch_after_their_partition_has_moved_and_those_of_its_next_owner_make_no_second_burst(
    rate: float, burst: float, partitions: int, handover: float, arrival: float
) -> None:
    before, after = TokenBucket(rate, burst, partitions), TokenBucket(rate, burst, partitions)
    server = ServerBucket(rate, burst)
    for partition in range(partitions):
        before.own(partition, None, 0.0)
    in_flight = before.spend(10_000, 0.0)
    level = before.level(0.0)
    arrives = arrival * in_flight / rate
    moved = handover * arrives
    for partition in range(partitions):
        before.disown(partition, 0.0)
        after.own(partition, level, moved)
    assert server.take(after.spend(10_000, moved), moved)
    assert server.take(in_flight, arrives)


def test_a_level_below_zero_delays_the_next_owner_and_costs_it_nothing_else() -> None:
    bucket = TokenBucket(100, 1000, 1)
    bucket.own("p0", Level(-50.0, 0.0), 0.0)
    assert bucket.spend(10, 0.4) == 0
    assert bucket.seconds_until(10, 0.5) == pytest.approx(0.1)
    assert bucket.spend(100, 0.605) == 10
