"""What Batch has is not sent again, and whatever Batch might not have is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.profile import ArrayDelta, AttributeValue, DateString, UrlString
from sink.client import Answer, PartialError, Verdict
from sink.unchanged import LastAccepted
from tests.sink.harness import (
    OK,
    Call,
    FakeRecord,
    Stage,
    event,
    people,
    record_of,
    retry,
    stage,
)
from tests.sink.virtual_time import run_virtual

HOUR = 3600.0
ACCEPTED, UNCHANGED = ["accepted"], ["skipped unchanged"]
REFUSED = Answer(Verdict.SPLIT, "400", "no")


def remembering(max_profiles: int = 1000, ttl_s: float = 6 * HOUR) -> LastAccepted:
    return LastAccepted(max_profiles, ttl_s, asyncio.get_running_loop().time)


def scene_of(answer: Callable[[Call], Answer] = lambda call: OK, **more: Any) -> Any:
    return stage(answer, last_accepted=remembering(**more))


async def say(scene: Stage, *records: FakeRecord) -> None:
    """Records come together, and end."""
    scene.add(*records)
    await scene.all_ended(records)


async def say_each(scene: Stage, *records: FakeRecord) -> None:
    """Records come one after another's end."""
    for record in records:
        await say(scene, record)


def sent(scene: Stage) -> list[dict[str, Any]]:
    """The attributes of the items posted, in order."""
    return [item.get("attributes", {}) for call in scene.batch.calls for item in call.items]


VALUES: list[tuple[AttributeValue, AttributeValue]] = [
    ("gold", "silver"),
    (True, False),
    (-1, -2),
    (1, 1.0),
    (1, True),
    (0, 2**61 - 1),
    (0.5, 0.25),
    ("https://a.example", UrlString("https://a.example")),
    ("2026-01-01T00:00:00Z", DateString("2026-01-01T00:00:00Z")),
    (["a", "b"], ["b", "a"]),
    ("1", 1),
]


@pytest.mark.parametrize(("value", "other"), VALUES)
def test_a_value_that_batch_has_is_not_sent_again_and_any_other_is(
    value: AttributeValue, other: AttributeValue
) -> None:
    async def main() -> None:
        first, again, new, back = (record_of("u", {"x": each}) for each in (value, value, other, value))
        async with scene_of() as scene:
            await say_each(scene, first, again, new, back)
            assert len(sent(scene)) == 3
        assert [each.endings for each in (first, again, new, back)] == [
            ACCEPTED,
            UNCHANGED,
            ACCEPTED,
            ACCEPTED,
        ]

    run_virtual(main())


def test_only_what_is_new_is_sent() -> None:
    async def main() -> None:
        async with scene_of() as scene:
            await say_each(
                scene,
                record_of("u", {"plan": "gold", "city": "Lyon"}),
                record_of("u", {"plan": "gold", "city": "Paris"}),
                record_of("u", {"city": "Paris", "age": 3}),
                record_of("u", {"plan": "gold", "city": "Paris", "age": 3}),
            )
            assert sent(scene) == [{"plan": "gold", "city": "Lyon"}, {"city": "Paris"}, {"age": 3}]

    run_virtual(main())


def test_events_are_sent_in_any_case() -> None:
    async def main() -> None:
        async with scene_of() as scene:
            records = [record_of("u", {"plan": "gold"}, event(f"e{n}")) for n in range(3)]
            await say_each(scene, *records)
            assert sent(scene) == [{"plan": "gold"}, {}, {}]
            assert scene.batch.events["u"] == ["e0", "e1", "e2"]
        assert all(record.endings == ACCEPTED for record in records)

    run_virtual(main())


def test_what_is_unchanged_costs_no_token() -> None:
    async def main() -> None:
        async with stage(rate=0.001, burst=100, last_accepted=remembering()) as scene:
            for _ in range(3):
                await say(scene, *people(90))
            assert len(sent(scene)) == 90

    run_virtual(main())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("$email_marketing", "subscribed"),
        ("$sms_marketing", "unsubscribed"),
        ("x", None),
        ("x", ArrayDelta(("a",), ())),
        ("x", ArrayDelta((), ("a",))),
    ],
)
def test_consents_deletions_and_deltas_are_always_sent(name: str, value: AttributeValue) -> None:
    async def main() -> None:
        async with scene_of() as scene:
            await say_each(scene, *(record_of("u", {name: value, "plan": "gold"}) for _ in range(3)))
            assert [set(each) for each in sent(scene)] == [{name, "plan"}, {name}, {name}]

    run_virtual(main())


@pytest.mark.parametrize("value", [None, ArrayDelta(("b",), ())])
def test_what_was_deleted_or_changed_by_a_delta_is_not_known_any_more(value: AttributeValue) -> None:
    async def main() -> None:
        async with scene_of() as scene:
            await say_each(
                scene,
                record_of("u", {"x": ["a"], "y": 1}),
                record_of("u", {"x": value}),
                record_of("u", {"x": ["a"], "y": 1}),
            )
            assert sent(scene)[-1] == {"x": ["a"]}

    run_virtual(main())


def test_a_field_that_batch_refused_is_sent_again_and_the_others_are_not() -> None:
    def answer(call: Call) -> Answer:
        return Answer(Verdict.ACCEPTED, "202", errors=(PartialError(1, "date(born)", "no"),))

    async def main() -> None:
        born = DateString("2026-01-01T00:00:00Z")
        async with scene_of(answer) as scene:
            for _ in range(2):
                await say(scene, record_of("a", {"x": 1}), record_of("b", {"x": 1, "born": born}))
            assert sent(scene) == [{"x": 1}, {"x": 1, "date(born)": born}, {"date(born)": born}]

    run_virtual(main())


def test_nothing_is_known_of_a_call_whose_errors_name_no_update_of_it() -> None:
    def answer(call: Call) -> Answer:
        return Answer(Verdict.ACCEPTED, "202", errors=(PartialError(7, "x", "no"),))

    async def main() -> None:
        async with scene_of(answer) as scene:
            await say_each(scene, *(record_of("a", {"x": 1}) for _ in range(2)))
            assert sent(scene) == [{"x": 1}] * 2

    run_virtual(main())


def test_it_is_known_for_its_time_however_often_it_is_repeated_or_others_change() -> None:
    async def main() -> None:
        async with scene_of(ttl_s=HOUR) as scene:
            for n in range(5):
                await say(scene, record_of("u", {"plan": "gold", "n": n}))
                await asyncio.sleep(0.3 * HOUR)
            assert [set(each) for each in sent(scene)] == [
                {"plan", "n"},
                {"n"},
                {"n"},
                {"n"},
                {"plan", "n"},
            ]

    run_virtual(main())


def test_of_too_many_profiles_those_used_last_are_known() -> None:
    async def main() -> None:
        memory = remembering(max_profiles=128)
        async with stage(last_accepted=memory, linger_s=0.0) as scene:
            await say_each(scene, *people(128))
            await say(scene, people(1)[0])
            await say(scene, record_of("new", {"n": 1}))
            assert 120 <= len(memory) <= 128
            again, gone, new = people(2)[0], people(2)[1], record_of("new", {"n": 1})
            await say_each(scene, again, gone, new)
        assert (again.endings, gone.endings, new.endings) == (UNCHANGED, ACCEPTED, UNCHANGED)

    run_virtual(main())


@pytest.mark.parametrize(("count", "again"), [(15, UNCHANGED), (16, ACCEPTED)])
def test_a_profile_with_more_than_fits_in_150_bytes_is_not_remembered(count: int, again: list[str]) -> None:
    async def main() -> None:
        records = [record_of("u", {f"x{n}": n for n in range(count)}) for _ in range(2)]
        async with scene_of() as scene:
            await say_each(scene, *records)
        assert records[1].endings == again

    run_virtual(main())


def test_what_a_new_owner_of_the_partition_is_told_is_sent() -> None:
    async def main() -> None:
        first, second, third = (record_of("u", {"x": 1}) for _ in range(3))
        second.home = third.home = 1
        async with scene_of() as scene:
            await say_each(scene, first, second, third)
        assert [each.endings for each in (first, second, third)] == [ACCEPTED, ACCEPTED, UNCHANGED]

    run_virtual(main())


def test_where_others_may_write_the_profile_nothing_is_left_out_or_remembered() -> None:
    async def main() -> None:
        records = [record_of("u", {"x": 1}) for _ in range(4)]
        records[1].home = None
        async with scene_of() as scene:
            await say_each(scene, *records)
        assert [each.endings for each in records] == [ACCEPTED, ACCEPTED, ACCEPTED, UNCHANGED]

    run_virtual(main())


def test_a_repair_is_sent_whole_and_what_it_wrote_is_known() -> None:
    async def main() -> None:
        records = [record_of("u", {"x": 1, "y": 1}) for _ in range(3)]
        records[1].again = True
        async with scene_of() as scene:
            await say_each(scene, *records)
            assert sent(scene) == [{"x": 1, "y": 1}] * 2
        assert records[2].endings == UNCHANGED

    run_virtual(main())


def test_a_repair_of_one_attribute_leaves_the_others_known() -> None:
    async def main() -> None:
        repair = record_of("u", {"x": 1})
        repair.again = True
        async with scene_of() as scene:
            await say_each(scene, record_of("u", {"x": 1, "y": 1}), repair, record_of("u", {"x": 1, "y": 1}))
            assert sent(scene) == [{"x": 1, "y": 1}, {"x": 1}]

    run_virtual(main())


@pytest.mark.parametrize("status", ["timeout", "500", "connection_lost"])
def test_after_a_call_that_was_cut_the_profile_is_not_known_until_it_was_surely_applied(status: str) -> None:
    """The cut call may be applied after those that came later: what Batch holds cannot be known."""
    cut = Answer(Verdict.RETRY, status, "", ambiguous=True)

    def answer(call: Call) -> Answer:
        return cut if call.items[0].get("attributes") == {"x": 0} and trouble.pop("due", None) else OK

    trouble: dict[str, bool] = {"due": True}

    async def main() -> None:
        async with scene_of(answer) as scene:
            await say_each(scene, *(record_of("u", {"x": x}) for x in (1, 0, 1, 1)))
            assert sent(scene) == [{"x": x} for x in (1, 0, 0, 1, 1)]
            await asyncio.sleep(301)
            await say_each(scene, *(record_of("u", {"x": 1}) for _ in range(2)))
            assert len(sent(scene)) == 6

    run_virtual(main())


def test_what_a_refused_call_would_have_set_is_not_taken_for_set() -> None:
    def answer(call: Call) -> Answer:
        return REFUSED if "bad" in call.items[0]["attributes"] else OK

    async def main() -> None:
        async with scene_of(answer) as scene:
            bad = record_of("u", {"x": 2, "bad": 1})
            await say_each(scene, record_of("u", {"x": 1}), bad, record_of("u", {"x": 2}))
            assert sent(scene)[-1] == {"x": 2}
        assert bad.endings == ["dead refused_by_batch"]

    run_virtual(main())


def test_what_waits_out_a_429_keeps_what_is_known_of_the_rest() -> None:
    trouble = {"due": False}

    def answer(call: Call) -> Answer:
        return retry("429") if trouble.pop("due", False) else OK

    async def main() -> None:
        async with scene_of(answer) as scene:
            await say(scene, record_of("u", {"x": 1, "y": 1}))
            trouble["due"] = True
            await say_each(scene, record_of("u", {"x": 2, "y": 1}), record_of("u", {"x": 2, "y": 1}))
            assert sent(scene) == [{"x": 1, "y": 1}, {"x": 2}, {"x": 2}]

    run_virtual(main())


def test_records_of_an_update_taken_apart_end_as_unchanged_where_nothing_is_left_of_them() -> None:
    def answer(call: Call) -> Answer:
        return REFUSED if "bad" in call.items[0]["attributes"] else OK

    async def main() -> None:
        async with scene_of(answer) as scene:
            await say(scene, record_of("u", {"x": 1}))
            same, bad, new = (record_of("u", each) for each in ({"x": 1}, {"bad": 1}, {"y": 1}))
            await say(scene, same, bad, new)
        assert (same.endings, bad.endings, new.endings) == (UNCHANGED, ["dead refused_by_batch"], ACCEPTED)

    run_virtual(main())


def test_without_a_memory_everything_is_sent() -> None:
    async def main() -> None:
        async with stage() as scene:
            await say_each(scene, *(record_of("u", {"x": 1}) for _ in range(3)))
            assert len(sent(scene)) == 3

    run_virtual(main())


_VALUES = st.sampled_from(
    [None, True, False, 0, 1, -1, -2, 1.0, "a", "b", ["a"], UrlString("a"), ArrayDelta(("a",), ())]
)
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["u", "v"]),
        st.dictionaries(st.sampled_from(["x", "y", "z", "$email_marketing"]), _VALUES, min_size=1),
        st.sampled_from(["202", "202", "202", "500", "429"]),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(_STEPS)
def test_batch_holds_the_same_as_if_everything_were_sent(
    steps: list[tuple[str, dict[str, AttributeValue], str]],
) -> None:
    """Whatever Batch answers in between, as long as it does what it answers."""

    async def main() -> list[dict[str, Any]]:
        held: list[dict[str, Any]] = []
        for memory in (remembering(), LastAccepted()):
            answers: list[str] = []

            def answer(call: Call, answers: list[str] = answers) -> Answer:
                said = answers.pop() if answers else "202"
                return OK if said == "202" else retry(said)

            async with stage(answer, last_accepted=memory) as scene:
                for user, attributes, said in steps:
                    answers[:] = [said]
                    await say(scene, record_of(user, attributes))
                held.append({user: dict(scene.batch.attributes[user]) for user in ("u", "v")})
        return held

    with_memory, without = run_virtual(main())
    assert with_memory == without


def test_where_any_number_of_updates_is_taken_a_part_of_them_is_sent_without_looking() -> None:
    async def main() -> None:
        memory = remembering(max_profiles=100_000)
        async with stage(last_accepted=memory) as scene:
            await say(scene, *people(30_000))
            assert 9_000 <= len(memory) <= 20_000
            await asyncio.sleep(10)
            first, again = people(100), people(100)
            await say(scene, *first)
            await say(scene, *again)
            assert [record.endings for record in again] == [UNCHANGED] * 100

    run_virtual(main())


def test_any_number_of_unchanged_ones_is_left_out() -> None:
    async def main() -> None:
        async with stage(last_accepted=remembering(max_profiles=100_000)) as scene:
            await say(scene, *people(8_000))
            for _ in range(10):
                await say(scene, *people(8_000))
            assert len(sent(scene)) == 8_000

    run_virtual(main())
