"""Batch takes events of the last 24 hours: an event's age is judged before every attempt."""

from __future__ import annotations

import asyncio

import pytest

from sink.client import Answer, Verdict
from sink.lateness import WINDOW_MS, timeliness
from tests.sink.harness import OK, Call, event, record_of, stage
from tests.sink.virtual_time import EPOCH_S, FIRST_S, run_virtual

START_MS = int((EPOCH_S + FIRST_S) * 1000)
HOUR_MS = 3_600_000


def outage(until_s: float) -> object:
    def answer(call: Call) -> Answer:
        return OK if call.at >= FIRST_S + until_s else Answer(Verdict.RETRY, "503")

    return answer


@pytest.mark.parametrize(
    ("age_ms", "judged"),
    [(0, "timely"), (WINDOW_MS, "timely"), (WINDOW_MS + 1, "late"), (-1, "future"), (HOUR_MS, "timely")],
)
def test_the_window_is_the_last_24_hours_and_nothing_of_the_future(age_ms: int, judged: str) -> None:
    assert timeliness(event("e", START_MS - age_ms), START_MS) == judged


def test_an_event_without_time_is_never_late() -> None:
    assert timeliness(event("e"), START_MS) == "timely"


def test_by_default_a_late_event_is_a_dead_letter_and_the_attributes_go() -> None:
    async def main() -> None:
        late = record_of("a", {"n": 1}, event("late", START_MS - WINDOW_MS - 1000))
        good = record_of("a", {"m": 2}, event("good", START_MS - 1000))
        async with stage() as scene:
            scene.add(late, good)
            await scene.all_ended([late, good])
        assert scene.batch.attributes["a"] == {"n": 1, "m": 2}
        assert scene.batch.events["a"] == ["good"]
        assert late.endings == ["dead event_too_old", "accepted"]
        assert good.endings == ["accepted"]
        ((_, refusal),) = scene.settlement.letters
        assert not refusal.delivered

    run_virtual(main())


def test_a_late_event_may_be_sent_without_time() -> None:
    async def main() -> None:
        late = record_of("a", {}, event("late", START_MS - WINDOW_MS - 1000, city="x"))
        async with stage(late_events="send_without_time") as scene:
            scene.add(late)
            await scene.all_ended([late])
        assert scene.batch.calls[0].items[0]["events"] == [{"name": "late", "attributes": {"city": "x"}}]
        assert late.endings == ["accepted"]
        assert [told[0] for told in scene.observer.fields] == ["event_too_old"]

    run_virtual(main())


def test_a_late_event_may_be_skipped() -> None:
    async def main() -> None:
        late = record_of("a", {}, event("late", START_MS - WINDOW_MS - 1000))
        async with stage(late_events="skip") as scene:
            scene.add(late)
            await scene.all_ended([late])
            assert scene.coalescer.records == 0
        assert scene.batch.calls == []
        assert late.endings == ["skipped event_too_old"]
        assert scene.settlement.letters == []

    run_virtual(main())


def test_an_update_left_with_nothing_spends_no_token() -> None:
    async def main() -> None:
        late = record_of("a", {}, event("late", START_MS - WINDOW_MS - 1000))
        async with stage(rate=0.001, burst=10) as scene:
            scene.add(late)
            await scene.all_ended([late])
            assert scene.limiter.tokens() == pytest.approx(10, abs=0.01)
        assert sorted(late.endings) == ["dead event_too_old", "skipped event_too_old"]

    run_virtual(main())


def test_an_event_of_the_future_is_sent_without_time_and_counted() -> None:
    async def main() -> None:
        record = record_of("a", {}, event("soon", START_MS + HOUR_MS))
        async with stage() as scene:
            scene.add(record)
            await scene.all_ended([record])
        assert scene.batch.calls[0].items[0]["events"] == [{"name": "soon"}]
        assert [told[0] for told in scene.observer.fields] == ["event_in_future"]

    run_virtual(main())


def test_an_event_that_grows_too_old_while_its_update_is_retried_leaves_it() -> None:
    async def main() -> None:
        record = record_of("a", {"n": 1}, event("e", START_MS - 23 * HOUR_MS), event("new", START_MS))
        async with stage(outage(2 * 3600)) as scene:  # type: ignore[arg-type]
            scene.add(record)
            await scene.all_ended([record])
        assert [sent["name"] for sent in scene.batch.calls[0].items[0]["events"]] == ["e", "new"]
        assert scene.batch.events["a"] == ["new"]
        assert scene.batch.attributes["a"] == {"n": 1}
        assert record.endings == ["dead event_too_old", "accepted"]

    run_virtual(main())


def test_an_event_that_grows_too_old_while_it_waits_for_tokens_leaves_its_update() -> None:
    async def main() -> None:
        first = record_of("first", {"n": 1})
        record = record_of("a", {"n": 1}, event("e", START_MS - 23 * HOUR_MS))
        async with stage(rate=1 / 7200, burst=1) as scene:
            scene.add(first)
            await scene.all_ended([first])
            scene.add(record)
            await scene.all_ended([record])
        assert scene.batch.events["a"] == []
        assert record.endings == ["dead event_too_old", "accepted"]

    run_virtual(main())


def test_a_probe_whose_event_grew_too_old_does_not_end_the_halt() -> None:
    async def main() -> None:
        old = record_of("old", {}, event("e", START_MS - 23 * HOUR_MS - 3_500_000))
        other = record_of("other", {"n": 1})

        def answer(call: Call) -> Answer:
            return Answer(Verdict.HALT, "401")

        async with stage(answer) as scene:
            scene.add(old, other)
            await asyncio.sleep(600)
            assert sorted(old.endings) == ["dead event_too_old", "skipped event_too_old"]
            assert None not in scene.observer.turns
            assert scene.batch.calls[-1].ids == ["other"]

    run_virtual(main())


def test_an_update_whose_only_event_was_sent_late_is_a_letter_once_even_if_it_is_taken_apart() -> None:
    async def main() -> None:
        late = record_of("a", {"n": 1}, event("e", START_MS - WINDOW_MS - 1000))
        future = record_of("a", {"m": 1}, event("e", START_MS + HOUR_MS))

        def answer(call: Call) -> Answer:
            both = any(len(item.get("attributes", {})) > 1 for item in call.items)
            return Answer(Verdict.SPLIT, "400") if both else OK

        async with stage(answer) as scene:
            scene.add(late, future)
            await scene.all_ended([late, future])
        assert len(scene.settlement.letters) == 1
        assert scene.batch.events["a"] == ["e"]
        assert scene.batch.attributes["a"] == {"n": 1, "m": 1}

    run_virtual(main())
