"""Accepted, refused, taken apart: what becomes of updates that Batch answers about."""

from __future__ import annotations

import asyncio

import pytest

from sink.client import MAX_BYTES, Answer, PartialError, Verdict
from tests.sink.harness import OK, Call, FakeRecord, custom_id, event, record_of, stage
from tests.sink.virtual_time import FIRST_S, run_virtual

BAD_REQUEST = Answer(Verdict.SPLIT, "400", "MALFORMED_PARAMETER: Malformed parameter")


def people(count: int) -> list[FakeRecord]:
    return [record_of(f"u{number}", {"n": number}) for number in range(count)]


def refuse_call_with(*poison: str, status: str = "400") -> object:
    def answer(call: Call) -> Answer:
        return Answer(Verdict.SPLIT, status, "no") if set(poison) & set(call.ids) else OK

    return answer


def test_what_batch_accepts_is_done() -> None:
    async def main() -> None:
        records = people(450)
        async with stage() as scene:
            scene.add(*records)
            await scene.all_ended(records, within_s=5)
        assert all(record.endings == ["accepted"] for record in records)
        assert scene.batch.attributes["u7"] == {"n": 7}
        assert [len(call.items) for call in scene.batch.calls] == [200, 200, 50]
        assert scene.settlement.accepted_updates == 450

    run_virtual(main())


def test_the_other_route_takes_larger_calls() -> None:
    async def main() -> None:
        records = people(25_000)
        async with stage(max_updates=10_000) as scene:
            scene.add(*records)
            await scene.all_ended(records, within_s=5)
        assert [len(call.items) for call in scene.batch.calls] == [10_000, 10_000, 5_000]

    run_virtual(main())


def test_a_call_leaves_when_200_profiles_wait_or_the_oldest_has_waited_the_linger_time() -> None:
    async def main() -> None:
        async with stage(linger_s=0.5) as scene:
            scene.add(*people(200))
            await asyncio.sleep(0.01)
            assert len(scene.batch.calls) == 1
            late = [record_of(user, {"n": 1}) for user in ("late", "later")]
            scene.add(*late)
            await asyncio.sleep(0.4)
            assert len(scene.batch.calls) == 1
            await scene.all_ended(late, within_s=0.3)
            assert len(scene.batch.calls) == 2

    run_virtual(main())


def test_what_waits_alone_while_nothing_is_out_leaves_at_once() -> None:
    async def main() -> None:
        async with stage(linger_s=5.0) as scene:
            for n in range(3):
                alone = record_of("u", {"n": n})
                scene.add(alone)
                await scene.all_ended([alone], within_s=0.1)
            out, behind = record_of("u", {"n": 3}), record_of("u", {"n": 4})
            scene.add(out)
            await asyncio.sleep(0.01)
            scene.add(behind)
            await scene.all_ended([out, behind], within_s=0.1)
        assert [item["attributes"] for call in scene.batch.calls for item in call.items] == [
            {"n": n} for n in range(5)
        ]

    run_virtual(main())


def test_what_waits_alone_while_a_call_is_out_waits_for_company() -> None:
    async def main() -> None:
        async with stage(linger_s=5.0, latency_s=3.0) as scene:
            first, other, company = (record_of(user, {"n": 1}) for user in ("a", "b", "c"))
            scene.add(first)
            await asyncio.sleep(0.01)
            scene.add(other)
            await asyncio.sleep(2.0)
            scene.add(company)
            await scene.all_ended([first, other, company])
        assert [call.ids for call in scene.batch.calls] == [["a"], ["b", "c"]]

    run_virtual(main())


def test_records_of_a_profile_that_wait_together_leave_as_one_update_in_order() -> None:
    async def main() -> None:
        records = [record_of("a", {"n": n, f"x{n}": n}, event(f"e{n}")) for n in range(10)]
        async with stage() as scene:
            scene.add(*records)
            await scene.all_ended(records)
        assert len(scene.batch.calls) == 1
        assert scene.batch.attributes["a"]["n"] == 9
        assert scene.batch.events["a"] == [f"e{n}" for n in range(10)]

    run_virtual(main())


def test_more_than_fits_in_an_update_leaves_as_several_in_order_and_is_done_with_the_last() -> None:
    async def main() -> None:
        record = record_of("a", {f"x{n}": n for n in range(120)}, *(event(f"e{n}") for n in range(40)))
        async with stage() as scene:
            scene.add(record)
            await scene.all_ended([record])
        assert record.endings == ["accepted"] * 3
        assert len(scene.batch.attributes["a"]) == 120
        assert scene.batch.events["a"] == [f"e{n}" for n in range(40)]

    run_virtual(main())


def test_a_profile_never_has_two_requests_in_flight_while_updates_keep_coming() -> None:
    async def main() -> None:
        records = [record_of(f"u{n % 7}", {"n": n}, event(f"e{n}")) for n in range(700)]
        async with stage(latency_s=0.3, linger_s=0.01) as scene:
            for record in records:
                scene.add(record)
                await asyncio.sleep(0.004)
            await scene.all_ended(records)
        for user in range(7):
            expected = [f"e{n}" for n in range(700) if n % 7 == user]
            assert scene.batch.events[f"u{user}"] == expected

    run_virtual(main())


@pytest.mark.parametrize("most", [1, 3, 8])
def test_at_most_so_many_requests_are_in_flight(most: int) -> None:
    async def main() -> None:
        records = people(4000)
        async with stage(latency_s=1.0, max_in_flight=most) as scene:
            scene.add(*records)
            await scene.all_ended(records)
        assert scene.batch.most_in_flight == most

    run_virtual(main())


def test_requests_in_flight_stay_bounded_when_many_calls_come_back_from_waiting_at_once() -> None:
    async def main() -> None:
        records = people(4000)
        refuse = {"until": FIRST_S + 20.0}

        def answer(call: Call) -> Answer:
            if call.at < refuse["until"] and int(call.ids[0][1:]) % 400 < 200:
                return Answer(Verdict.RETRY, "503", "", retry_after_s=refuse["until"] - call.at)
            return OK

        async with stage(answer, latency_s=1.0, max_in_flight=2) as scene:
            scene.add(*records)
            await scene.all_ended(records)
        assert scene.batch.most_in_flight == 2

    run_virtual(main())


def test_partial_errors_of_attributes_are_done_and_reported_masked_and_not_sent_again() -> None:
    errors = (PartialError(1, "n", "value 'canary' of u1 is too long"), PartialError(99, "x", "?"))

    async def main() -> None:
        records = people(3)
        async with stage(lambda call: Answer(Verdict.ACCEPTED, "202", errors=errors)) as scene:
            scene.add(*records)
            await scene.all_ended(records)
        assert len(scene.batch.calls) == 1
        assert [record.endings for record in records] == [["accepted"]] * 3
        ((reason, field, message),) = scene.observer.fields
        assert (reason, field) == ("refused_by_batch", "n")
        assert "canary" not in message
        assert scene.settlement.letters == []

    run_virtual(main())


def test_a_partial_error_without_attribute_copies_the_records_with_events_marked_as_delivered() -> None:
    errors = (PartialError(0, None, "event 'canary' too old"), PartialError(0, None, "and another"))

    async def main() -> None:
        plain, bought = record_of("a", {"n": 1}), record_of("a", {}, event("bought"))
        other = record_of("b", {}, event("bought"))
        async with stage(lambda call: Answer(Verdict.ACCEPTED, "202", errors=errors)) as scene:
            scene.add(plain, bought, other)
            await scene.all_ended([plain, bought, other])
        ((record, refusal),) = scene.settlement.letters
        assert record is bought
        assert refusal.delivered
        assert (refusal.reason, refusal.http_status) == ("event_refused_by_batch", "202")
        assert "canary" not in refusal.batch_message
        assert sorted(bought.endings) == ["accepted", "dead event_refused_by_batch"]
        assert plain.endings == other.endings == ["accepted"]
        assert len(scene.batch.calls) == 1

    run_virtual(main())


@pytest.mark.parametrize("status", ["400", "413", "422"])
@pytest.mark.parametrize("at", [0, 99, 137, 199])
def test_one_bad_update_in_200_costs_at_most_17_calls_and_only_it_is_lost(status: str, at: int) -> None:
    async def main() -> None:
        records = people(200)
        async with stage(refuse_call_with(f"u{at}", status=status)) as scene:  # type: ignore[arg-type]
            scene.add(*records)
            await scene.all_ended(records)
        assert len(scene.batch.calls) <= 17
        bad = records.pop(at)
        assert bad.endings == ["dead refused_by_batch"]
        assert all(record.endings == ["accepted"] for record in records)
        ((_, refusal),) = scene.settlement.letters
        assert refusal.http_status == status
        assert not refusal.delivered

    run_virtual(main())


def test_a_letter_says_how_often_its_record_was_posted() -> None:
    async def main() -> None:
        records = people(200)
        async with stage(refuse_call_with("u0")) as scene:  # type: ignore[arg-type]
            scene.add(*records)
            await scene.all_ended(records)
        ((_, refusal),) = scene.settlement.letters
        assert refusal.attempts == sum(1 for call in scene.batch.calls if "u0" in call.ids)

    run_virtual(main())


def test_only_the_bad_record_of_an_update_is_lost_and_the_others_go_in_order() -> None:
    async def main() -> None:
        records = [record_of("a", {"last": n, f"x{n}": n}, event(f"e{n}")) for n in range(9)]

        def answer(call: Call) -> Answer:
            names = [sent["name"] for item in call.items for sent in item.get("events", ())]
            return BAD_REQUEST if "e4" in names else OK

        async with stage(answer) as scene:
            scene.add(*records, record_of("b", {"n": 1}))
            await scene.all_ended(records)
        assert records[4].endings == ["dead refused_by_batch"]
        good = [n for n in range(9) if n != 4]
        assert all(records[n].endings == ["accepted"] for n in good)
        assert scene.batch.events["a"] == [f"e{n}" for n in good]
        assert scene.batch.attributes["a"] == {"last": 8} | {f"x{n}": n for n in good}
        assert scene.batch.attributes["b"] == {"n": 1}

    run_virtual(main())


def test_records_that_come_while_an_update_is_taken_apart_go_after_it() -> None:
    async def main() -> None:
        records = [record_of("a", {"last": n}, event(f"e{n}")) for n in range(4)]
        late = record_of("a", {"last": 99}, event("late"))

        def answer(call: Call) -> Answer:
            return BAD_REQUEST if sum(len(item.get("events", ())) for item in call.items) > 1 else OK

        async with stage(answer, latency_s=0.5) as scene:
            scene.add(*records)
            await asyncio.sleep(0.8)
            scene.add(late)
            await scene.all_ended([*records, late])
        assert scene.batch.events["a"] == ["e0", "e1", "e2", "e3", "late"]
        assert scene.batch.attributes["a"] == {"last": 99}
        assert scene.settlement.letters == []

    run_virtual(main())


def test_when_every_update_is_bad_every_record_is_a_letter() -> None:
    async def main() -> None:
        records = [record_of(f"u{n % 10}", {"n": n}) for n in range(30)]
        async with stage(lambda call: BAD_REQUEST) as scene:
            scene.add(*records)
            await scene.all_ended(records)
        assert all(record.endings == ["dead refused_by_batch"] for record in records)
        assert (scene.coalescer.records, scene.coalescer.bytes) == (0, 0)

    run_virtual(main())


def test_batchs_message_reaches_the_letter_without_values() -> None:
    async def main() -> None:
        record = record_of("canary-user", {"name": "canary name"}, event("bought", None, city="canary city"))
        message = "Malformed 'x y' canary-user canary name canary city a@b.org +33 6 12 34 56 78"
        async with stage(lambda call: Answer(Verdict.SPLIT, "400", message)) as scene:
            scene.add(record)
            await scene.all_ended([record])
        ((_, refusal),) = scene.settlement.letters
        for secret in ("canary", "x y", "a@b.org", "12 34"):
            assert secret not in refusal.batch_message
        assert refusal.batch_message.startswith("Malformed")

    run_virtual(main())


def test_a_call_closes_at_four_megabytes() -> None:
    async def main() -> None:
        records = [record_of(f"u{n}", {}, event("e", None, text="x" * 50_000)) for n in range(200)]
        async with stage() as scene:
            scene.add(*records)
            await scene.all_ended(records)
        assert 3_900_000 < scene.batch.largest_body <= MAX_BYTES == 4_000_000
        assert len(scene.batch.calls) == 3

    run_virtual(main())


def test_an_update_over_four_megabytes_goes_alone_and_batch_decides() -> None:
    async def main() -> None:
        huge = record_of("huge", {}, event("e", None, text="x" * 4_500_000))
        records = [*people(5), huge, record_of("after", {"n": 1})]
        async with stage(refuse_call_with("huge", status="413")) as scene:  # type: ignore[arg-type]
            scene.add(*records)
            await scene.all_ended(records)
        assert huge.endings == ["dead refused_by_batch"]
        assert all("huge" not in call.ids or call.ids == ["huge"] for call in scene.batch.calls)

    run_virtual(main())


def test_a_call_takes_no_more_updates_than_there_are_tokens() -> None:
    async def main() -> None:
        records = people(300)
        async with stage(rate=10, burst=20) as scene:
            scene.add(*records)
            await scene.all_ended(records)
        assert max(len(call.items) for call in scene.batch.calls) <= 20
        sent = 0
        for call in scene.batch.calls:
            sent += len(call.items)
            assert sent <= 20 + 10 * (call.at - FIRST_S) + 1e-3
        assert scene.batch.calls[-1].at - FIRST_S < 28.5 * 1.02

    run_virtual(main())


def test_while_tokens_are_short_updates_of_a_profile_merge() -> None:
    async def main() -> None:
        records = [record_of(f"u{n % 50}", {f"x{n // 50}": n}) for n in range(1000)]
        async with stage(rate=5, burst=5) as scene:
            for record in records:
                scene.add(record)
                await asyncio.sleep(0.01)
            await scene.all_ended(records)
        assert scene.settlement.accepted_updates < 200
        assert all(len(scene.batch.attributes[f"u{n}"]) == 20 for n in range(50))

    run_virtual(main())


def test_what_is_revoked_before_it_leaves_costs_no_tokens() -> None:
    async def main() -> None:
        records = people(10)
        async with stage(rate=1, burst=100) as scene:
            scene.add(*records)
            await asyncio.sleep(0.05)
            for record in records:
                record.live = False
            scene.forget()
            scene.delivery.revoked()
            await asyncio.sleep(10)
            assert scene.batch.calls == []
            assert scene.limiter.tokens() == pytest.approx(100)
            assert scene.coalescer.records == 0

    run_virtual(main())


def test_what_a_call_must_not_raise_ends_the_delivery() -> None:
    def answer(call: Call) -> Answer:
        raise ZeroDivisionError("a bug")

    async def main() -> None:
        async with stage(answer) as scene:
            scene.add(*people(1))
            with pytest.raises(ZeroDivisionError):
                await asyncio.wait_for(asyncio.shield(scene.running), 10)

    with pytest.raises(ZeroDivisionError):
        run_virtual(main())


def test_the_posted_form_is_batchs() -> None:
    async def main() -> None:
        record = record_of("a", {"n": 1}, event("bought"))
        async with stage() as scene:
            scene.add(record)
            await scene.all_ended([record])
        (item,) = scene.batch.calls[0].items
        assert custom_id(item) == "a"
        assert item == {
            "identifiers": {"custom_id": "a"},
            "attributes": {"n": 1},
            "events": [{"name": "bought"}],
        }

    run_virtual(main())


def test_while_more_is_read_first_no_call_begins_and_then_all_goes_at_once() -> None:
    async def main() -> None:
        reading = {"first": True}
        async with stage(reading_first=lambda: reading["first"]) as scene:
            records = [record_of(f"u{n % 100}", {f"x{n // 100}": n}) for n in range(500)]
            for record in records:
                scene.add(record)
                await asyncio.sleep(0.01)
            assert scene.batch.calls == []
            reading["first"] = False
            await scene.all_ended(records, within_s=1)
            assert [len(call.items) for call in scene.batch.calls] == [100]

    run_virtual(main())
