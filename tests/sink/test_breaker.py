"""The circuit breaker: when it opens, how it probes, when it closes, and what becomes of what waits."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from sink.breaker import Breaker
from sink.client import Answer, Verdict
from tests.sink.harness import OK, Call, FakeRecord, people, record_of, retry, stage
from tests.sink.virtual_time import FIRST_S, run_virtual, wall_clock


def halt(status: str) -> Answer:
    return Answer(Verdict.HALT, status, "no")


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_it_opens_after_a_run_of_failures_and_closes_with_the_first_answer_that_is_none() -> None:
    breaker = Breaker(3, Clock(), Clock())
    assert [breaker.answered(answer, "") for answer in (retry("503"), retry("503"), OK)] == [False] * 3
    assert [breaker.answered(retry(status), "m") for status in ("503", "timeout", "429")] == [
        False,
        False,
        True,
    ]
    assert breaker.opening is not None
    assert (breaker.opening.status, breaker.opening.refused, breaker.opening.message) == ("429", False, "m")
    assert breaker.answered(Answer(Verdict.SPLIT, "400"), "")
    assert breaker.opening is None


def test_it_opens_at_the_second_failure_of_a_worker_that_calls_rarely() -> None:
    clock = Clock()
    breaker = Breaker(10, clock, clock)
    assert not breaker.answered(retry("timeout"), "")
    clock.now += 31
    assert breaker.answered(retry("timeout"), "")
    assert breaker.opening is not None
    assert breaker.opening.since == 1000.0


def test_being_refused_opens_it_at_once_and_a_change_of_its_cause_is_told() -> None:
    breaker = Breaker(10, Clock(), Clock())
    assert breaker.answered(halt("401"), "")
    assert not breaker.answered(halt("403"), "", probe=True)
    assert breaker.answered(retry("503"), "", probe=True)
    assert breaker.opening is not None
    assert not breaker.opening.refused
    assert breaker.answered(halt("401"), "", probe=True)


def test_probes_come_after_1_s_to_30_s_and_not_before_batch_asks_for_them() -> None:
    clock = Clock()
    breaker = Breaker(1, clock, clock)
    breaker.wait("call", 0)
    breaker.answered(retry("503"), "")
    waits = []
    for _ in range(7):
        turn = breaker.seconds_until_turn("call")
        assert turn is not None
        waits.append(turn)
        clock.now += turn
        breaker.begin_probe()
        assert breaker.seconds_until_turn("call") is None
        breaker.answered(retry("503"), "", probe=True)
        breaker.end_probe()
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    breaker.answered(retry("429", 300.0), "")
    assert breaker.seconds_until_turn("call") == 300


def test_the_call_with_the_lowest_rank_probes_first() -> None:
    breaker = Breaker(1, Clock(), Clock())
    breaker.answered(retry("503"), "")
    breaker.wait("often", 5)
    breaker.wait("fresh", 0)
    assert breaker.seconds_until_turn("often") is None
    assert breaker.seconds_until_turn("fresh") == 1.0
    breaker.leave("fresh")
    assert breaker.seconds_until_turn("often") == 1.0


@pytest.mark.parametrize("status", ["503", "429", "timeout", "connection_failed"])
def test_while_batch_takes_nothing_only_probes_of_one_update_are_sent(status: str) -> None:
    async def main() -> None:
        records = people(3000)
        ends = FIRST_S + 600.0
        async with stage(lambda call: retry(status) if call.at < ends else OK) as scene:
            scene.add(*records)
            await asyncio.sleep(500)
            assert scene.delivery.opening is not None
            assert scene.delivery.opening.status == status
            assert 495 < wall_clock() - scene.delivery.opening.since < 501
            await scene.all_ended(records, within_s=200)
            assert scene.delivery.opening is None
        before = [call for call in scene.batch.calls if FIRST_S + 0.9 < call.at < ends]
        assert {len(call.ids) for call in before} == {1}
        assert len(before) < 30
        assert len({call.ids[0] for call in before}) > 5, "one update probed again and again"
        assert all(record.endings == ["accepted"] for record in records)
        assert [turn is None for turn in scene.observer.turns] == [False, True]

    run_virtual(main())


def test_all_that_waited_goes_on_at_once_when_batch_takes_a_call_again() -> None:
    async def main() -> None:
        records = people(1600)
        ends = FIRST_S + 3600.0
        async with stage(lambda call: retry("503") if call.at < ends else OK) as scene:
            scene.add(*records)
            await scene.all_ended(records)
        after = [call for call in scene.batch.calls if call.at >= ends]
        assert after[-1].at - after[0].at < 0.2
        assert sum(len(call.ids) for call in after) == 1600

    run_virtual(main())


def test_a_record_that_batch_fails_on_does_not_keep_the_breaker_open() -> None:
    async def main() -> None:
        bad = [record_of(f"bad{number}", {"n": 1}) for number in range(20)]
        good = people(3)

        def answer(call: Call) -> Answer:
            return retry("500") if any(who.startswith("bad") for who in call.ids) else OK

        async with stage(answer, poison_after_s=1e9) as scene:
            for record in bad:
                scene.add(record)
                await asyncio.sleep(40)
            assert scene.delivery.opening is not None
            for record in good:
                scene.add(record)
                await scene.all_ended([record], within_s=31)
                await asyncio.sleep(100)
        assert not any(record.endings for record in bad)

    run_virtual(main())


def test_a_call_of_which_one_record_fails_is_delivered_but_for_that_one() -> None:
    async def main() -> None:
        records = people(50)
        async with stage(lambda call: retry("500") if "u0" in call.ids else OK) as scene:
            scene.add(*records)
            await scene.all_ended(records[1:], within_s=3600)
        assert not records[0].endings

    run_virtual(main())


@pytest.mark.parametrize("status", ["401", "403", "404"])
def test_a_halt_loses_nothing_probes_with_one_update_and_ends_by_itself(status: str) -> None:
    async def main() -> None:
        records = people(3000)
        fixed = FIRST_S + 300.0
        async with stage(lambda call: OK if call.at >= fixed else halt(status)) as scene:
            scene.add(*records)
            await asyncio.sleep(200)
            assert scene.delivery.opening is not None
            assert scene.delivery.opening.status == status
            assert scene.settlement.letters == []
            assert not any(record.endings for record in records)
            await scene.all_ended(records, within_s=200)
            assert scene.delivery.opening is None
        probes = [call for call in scene.batch.calls if FIRST_S + 0.5 < call.at < fixed]
        assert {len(call.ids) for call in probes} == {1}
        gaps = [b.at - a.at for a, b in pairwise(probes)]
        expected = [2.0, 4.0, 8.0, 16.0] + [30.0] * (len(gaps) - 4)
        assert gaps == pytest.approx(expected, abs=0.1)
        assert len(scene.reloads) >= len(probes)
        opened, closed = scene.observer.turns
        assert opened is not None
        assert (opened.status, opened.refused) == (status, True)
        assert "batch." in opened.remedy
        assert closed is None

    run_virtual(main())


def test_while_halted_nothing_but_the_probe_is_sent_although_records_keep_coming() -> None:
    async def main() -> None:
        async with stage(lambda call: halt("401")) as scene:
            scene.add(*people(1))
            for number in range(500):
                scene.add(record_of(f"later{number}", {"n": 1}))
                await asyncio.sleep(1)
            after = [call for call in scene.batch.calls if call.at > FIRST_S + 2]
            assert {tuple(call.ids) for call in after} == {("u0",)}

    run_virtual(main())


def test_a_call_that_waits_for_its_retry_does_not_break_into_a_halt() -> None:
    async def main() -> None:
        records = people(400)

        def answer(call: Call) -> Answer:
            if "u0" in call.ids and call.at < FIRST_S + 5:
                return retry("503", 20.0)
            return halt("401") if call.at < FIRST_S + 100 else OK

        async with stage(answer) as scene:
            scene.add(*records)
            await scene.all_ended(records)
        halted = [call for call in scene.batch.calls if FIRST_S + 1 < call.at < FIRST_S + 100]
        assert {len(call.ids) for call in halted[1:]} == {1}

    run_virtual(main())


def test_a_halt_outlives_a_probe_that_is_revoked_and_the_next_update_probes() -> None:
    async def main() -> None:
        records = people(3)
        async with stage(lambda call: halt("401")) as scene:
            scene.add(*records)
            await asyncio.sleep(10)
            records[0].live = False
            await scene.delivery.quiesce(lambda record: record is records[0])
            await asyncio.sleep(100)
            assert None not in scene.observer.turns
            assert scene.batch.calls[-1].ids == ["u1"]

    run_virtual(main())


def test_a_refusal_that_turns_into_failures_and_back_loses_nothing() -> None:
    async def main() -> None:
        records = people(30)

        def answer(call: Call) -> Answer:
            phase = int((call.at - FIRST_S) // 100)
            return OK if phase >= 4 else (halt("401"), retry("503"))[phase % 2]

        async with stage(answer, give_up_after_s=150.0) as scene:
            scene.add(*records)
            await scene.all_ended(records, within_s=500)
        assert all(record.endings == ["accepted"] for record in records)
        causes = [None if turn is None else turn.refused for turn in scene.observer.turns]
        assert causes == [True, False, True, False, None]

    run_virtual(main())


@pytest.mark.parametrize("status", ["503", "429", "500", "timeout"])
def test_updates_are_given_up_after_the_bound_and_not_before(status: str) -> None:
    async def main() -> None:
        records = people(300)
        async with stage(lambda call: retry(status), give_up_after_s=120.0) as scene:
            scene.add(*records)
            await asyncio.sleep(110)
            assert scene.settlement.letters == []
            await scene.all_ended(records, within_s=300)
        assert {(r.reason, r.http_status) for _, r in scene.settlement.letters} == {("gave_up", status)}
        assert (scene.coalescer.records, scene.coalescer.bytes) == (0, 0)

    run_virtual(main())


def test_nothing_is_given_up_while_batch_refuses_us_as_a_whole() -> None:
    async def main() -> None:
        async with stage(lambda call: halt("401"), give_up_after_s=60.0) as scene:
            scene.add(*people(300))
            await asyncio.sleep(3600)
            assert scene.settlement.letters == []

    run_virtual(main())


def test_while_held_nothing_is_posted_not_even_probes_and_then_everything_goes_on() -> None:
    async def main() -> None:
        records: list[FakeRecord] = people(500)
        async with stage(lambda call: retry("503") if call.at < FIRST_S + 50 else OK) as scene:
            scene.add(*records[:300])
            await asyncio.sleep(5)
            scene.delivery.hold()
            await asyncio.sleep(1)
            before = len(scene.batch.calls)
            scene.add(*records[300:])
            await asyncio.sleep(3600)
            assert len(scene.batch.calls) == before
            scene.delivery.go_on()
            await scene.all_ended(records, within_s=2)
        assert all(record.endings == ["accepted"] for record in records)

    run_virtual(main())
