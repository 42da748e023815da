"""Retries, poison, and ends: Batch or Kafka in trouble."""

from __future__ import annotations

import asyncio

import pytest

from sink.attempts import History
from sink.client import Answer, Verdict
from tests.sink.harness import OK, Call, FakeRecord, Stage, event, people, record_of, retry, stage
from tests.sink.virtual_time import FIRST_S, run_virtual


@pytest.mark.parametrize(
    "status", ["408", "425", "429", "500", "502", "503", "timeout", "connection_lost", "connection_failed"]
)
def test_what_may_be_repeated_is_repeated_until_it_is_accepted(status: str) -> None:
    async def main() -> None:
        records = people(20)
        outage_ends = FIRST_S + 120.0
        async with stage(lambda call: retry(status) if call.at < outage_ends else OK) as scene:
            scene.add(*records)
            await scene.all_ended(records, within_s=200)
        assert all(record.endings == ["accepted"] for record in records)
        failed = [call for call in scene.batch.calls if call.at < outage_ends]
        assert len(scene.observer.retries) == len(failed) >= 4
        assert {told[0] for told in scene.observer.retries} == {status}
        assert scene.observer.ambiguous == (len(scene.observer.retries) if status == "timeout" else 0)

    run_virtual(main())


def test_waits_have_full_jitter_and_grow_to_half_a_minute() -> None:
    def waits(attempts: int) -> list[float]:
        return [History(attempts).next_wait_s(None) for _ in range(500)]

    for attempts, bound in ((1, 1.0), (2, 2.0), (5, 16.0), (6, 30.0), (5000, 30.0)):
        drawn = waits(attempts)
        assert 0 <= min(drawn) < bound / 10
        assert bound * 0.9 < max(drawn) <= bound
    assert min(History(1).next_wait_s(77.0) for _ in range(100)) == 77.0


@pytest.mark.parametrize("status", ["429", "503"])
def test_retry_after_is_honoured_even_when_partitions_are_revoked_meanwhile(status: str) -> None:
    async def main() -> None:
        record = record_of("a", {"n": 1})
        async with stage(lambda call: OK if call.at > FIRST_S + 50 else retry(status, 77.0)) as scene:
            scene.add(record)
            await asyncio.sleep(5)
            await scene.delivery.quiesce(lambda _: True)
            await scene.all_ended([record])
        first, second = scene.batch.calls
        assert 77.0 <= second.at - first.at < 79.0

    run_virtual(main())


def test_a_429_slows_the_limiter() -> None:
    async def main() -> None:
        records = people(400)
        first = {"call": True}

        def answer(call: Call) -> Answer:
            refused, first["call"] = first["call"], False
            return retry("429") if refused else OK

        async with stage(answer, rate=100, burst=100, max_in_flight=1) as scene:
            scene.add(*records)
            await asyncio.sleep(0.5)
            assert scene.limiter.bucket.rate < 52
            await scene.all_ended(records)
        assert all(record.endings == ["accepted"] for record in records)

    run_virtual(main())


def test_an_update_that_waits_for_a_retry_holds_its_profile_and_newer_records_merge_behind_it() -> None:
    async def main() -> None:
        first = record_of("a", {"n": 1}, event("first"))
        later = [record_of("a", {"n": n}, event(f"e{n}")) for n in range(2, 6)]
        async with stage(lambda call: OK if call.at > FIRST_S + 40 else retry("503")) as scene:
            scene.add(first)
            await asyncio.sleep(10)
            scene.add(*later)
            await scene.all_ended([first, *later])
        *before, last = scene.batch.calls
        assert all(len(call.items[0]["events"]) == 1 for call in before)
        assert last.items[0]["attributes"] == {"n": 5}
        assert scene.batch.events["a"] == ["first", "e2", "e3", "e4", "e5"]

    run_virtual(main())


def test_a_call_that_gets_500_five_times_while_others_succeed_is_taken_apart() -> None:
    async def main() -> None:
        records = people(200)
        good = records[:77] + records[78:]

        def answer(call: Call) -> Answer:
            return retry("500") if "u77" in call.ids else OK

        async with stage(answer, poison_after_s=600.0) as scene:
            scene.add(*records)
            busy = asyncio.create_task(keep_busy(scene, records))
            await scene.all_ended(good, within_s=300)
            assert records[77].parts == 1
            others = await busy
        whole = [call for call in scene.batch.calls if "u77" in call.ids and len(call.ids) == 200]
        assert len(whole) == 5
        ((record, refusal),) = scene.settlement.letters
        assert record is records[77]
        assert (refusal.reason, refusal.http_status) == ("poison", "500")
        assert all(other.endings == ["accepted"] for other in others)

    run_virtual(main())


async def keep_busy(scene: Stage, until_ended: list[FakeRecord]) -> list[FakeRecord]:
    """Other updates come all the time and succeed, in a task of their own; wait for `until_ended`."""
    others: list[FakeRecord] = []

    async def feed() -> None:
        for number in range(5000):
            other = record_of(f"other{number}", {"n": 1})
            scene.add(other)
            await asyncio.sleep(1.0)
            others.append(other)

    feeding = asyncio.create_task(feed())
    await scene.all_ended(until_ended)
    assert not feeding.done()
    feeding.cancel()
    return others


def test_while_nothing_succeeds_500s_are_an_outage_and_nobodys_fault() -> None:
    async def main() -> None:
        records = people(50)
        async with stage(lambda call: retry("500"), poison_after_s=60.0) as scene:
            scene.add(*records)
            await asyncio.sleep(3 * 3600)
            assert scene.settlement.letters == []
            whole, probes = scene.batch.calls[:5], scene.batch.calls[5:]
            assert {len(call.ids) for call in whole} == {50}
            assert {len(call.ids) for call in probes} == {1}

    run_virtual(main())


def test_a_lone_record_is_poison_only_after_its_time_of_500s_while_others_succeed() -> None:
    async def main() -> None:
        record = record_of("bad", {"n": 1})
        async with stage(lambda call: retry("500") if "bad" in call.ids else OK) as scene:
            scene.add(record)
            feeding = asyncio.create_task(keep_busy(scene, [record]))
            await asyncio.sleep(3500)
            assert record.parts == 1
            await scene.all_ended([record], within_s=200)
            await feeding
        assert record.endings == ["dead poison"]

    run_virtual(main())


def test_a_long_outage_grows_neither_calls_in_hand_nor_the_stack() -> None:
    async def main() -> None:
        records = people(30)
        ends = FIRST_S + 4 * 3600.0
        async with stage(lambda call: OK if call.at >= ends else retry("503")) as scene:
            for record in records:
                scene.add(record)
                await asyncio.sleep(1)
            tasks = []
            for _ in range(3):
                await asyncio.sleep(3600)
                tasks.append(len(asyncio.all_tasks()))
            assert max(tasks) <= 2 * 8 + 10
            assert len(scene.observer.retries) > 350
            await scene.all_ended(records, within_s=2 * 3600)
        assert all(record.endings == ["accepted"] for record in records)

    run_virtual(main())


def test_stop_starts_no_new_call_and_lets_requests_in_flight_finish() -> None:
    async def main() -> None:
        records = people(1000)
        async with stage(latency_s=2.0, max_in_flight=2) as scene:
            scene.add(*records)
            await asyncio.sleep(0.5)
            scene.delivery.stop()
            await scene.delivery.finish()
        assert len(scene.batch.calls) == 2
        assert [record.endings for record in records[:400]] == [["accepted"]] * 400
        assert not any(record.endings for record in records[400:])

    run_virtual(main())


def refuse_the_first_call_for_15_s(call: Call) -> Answer:
    """With calls of 10 s, two at a time, its turn comes at 25 s: then it has to wait for a place."""
    return retry("503", 15.0) if "u0" in call.ids and call.at < FIRST_S + 5 else OK


def test_stop_sends_nothing_of_a_call_that_waits_for_a_place() -> None:
    async def main() -> None:
        records = people(2000)
        async with stage(refuse_the_first_call_for_15_s, latency_s=10.0, max_in_flight=2) as scene:
            scene.add(*records)
            await asyncio.sleep(27)
            sent = len(scene.batch.calls)
            scene.delivery.stop()
            await scene.delivery.finish()
        assert len(scene.batch.calls) == sent
        assert not records[0].endings

    run_virtual(main())


def test_records_revoked_while_their_call_waits_for_a_place_are_not_sent() -> None:
    async def main() -> None:
        records = people(2000)
        async with stage(refuse_the_first_call_for_15_s, latency_s=10.0, max_in_flight=2) as scene:
            scene.add(*records)
            await asyncio.sleep(27)
            gone = records[:200]
            for record in gone:
                record.live = False
            scene.forget()
            await scene.delivery.quiesce(lambda record: record in gone)
            await scene.all_ended(records[200:])
        assert [call.at for call in scene.batch.calls if "u0" in call.ids] == [scene.batch.calls[0].at]

    run_virtual(main())


def test_stop_lets_a_refused_call_in_flight_dead_letter_its_lone_record_and_sends_no_halves() -> None:
    async def main() -> None:
        alone, pair = record_of("alone", {"n": 1}), people(2)
        bad = Answer(Verdict.SPLIT, "400", "no")
        async with stage(lambda call: bad, latency_s=5.0) as scene:
            scene.add(alone)
            await asyncio.sleep(0.5)
            scene.add(*pair)
            await asyncio.sleep(0.5)
            scene.delivery.stop()
            await scene.delivery.finish()
        assert alone.endings == ["dead refused_by_batch"]
        assert not any(record.endings for record in pair)
        assert len(scene.batch.calls) == 2

    run_virtual(main())


def test_quiesce_waits_for_the_requests_of_the_records_it_is_asked_about_and_no_others() -> None:
    async def main() -> None:
        first, second = people(2)
        async with stage(latency_s=10.0) as scene:
            scene.add(first)
            await asyncio.sleep(3)
            scene.add(second)
            await asyncio.sleep(1)
            loop = asyncio.get_running_loop()
            started = loop.time()
            await scene.delivery.quiesce(lambda record: record is first)
            assert loop.time() - started == pytest.approx(6.1, abs=0.2)
            assert first.endings == ["accepted"]
            assert second.endings == []

    run_virtual(main())


def test_revoked_records_are_not_sent_again_and_the_rest_of_their_update_is() -> None:
    async def main() -> None:
        kept = record_of("a", {"n": 1, "kept": 1}, event("kept"))
        lost = record_of("a", {"n": 2, "lost": 1}, event("lost"))
        alone = record_of("b", {"n": 3})
        async with stage(lambda call: OK if call.at > FIRST_S + 40 else retry("503")) as scene:
            scene.add(kept, lost, alone)
            await asyncio.sleep(20)
            lost.live = alone.live = False
            scene.forget()
            await scene.delivery.quiesce(lambda record: record in (lost, alone))
            await scene.all_ended([kept])
        assert scene.batch.attributes == {"a": {"n": 1, "kept": 1}}
        assert scene.batch.events["a"] == ["kept"]
        assert lost.endings == alone.endings == []
        assert (scene.coalescer.records, scene.coalescer.bytes) == (0, 0)

    run_virtual(main())
