"""The judge finds what is wrong: doctored evidence of each kind of broken promise, and sound evidence of each kind of
trouble that the promise allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from tests.chaos.commits import Settled
from tests.chaos.evidence import NO_NUMBER, Call, Evidence, Letter, Rules, Window, read_call, read_update
from tests.chaos.judge import Verdict, judge
from tests.chaos.oracle import Kind, Sent, slot
from tests.chaos.order import Delivery, Update

TRACK, IDENTIFY, REFUSED = Kind.TRACK, Kind.IDENTIFY, Kind.REFUSED
SENT_AT = 1_000.0


def sent(*events: tuple[str, Kind]) -> list[Sent]:
    """Numbered from 0, a second apart, all in partition 0 at the offset of their number."""
    return [
        Sent(number, user, kind, SENT_AT + number, 0, number) for number, (user, kind) in enumerate(events)
    ]


def update(
    call: int, user: str, numbers: Sequence[int] = (), step: int | None = None, **slots: int
) -> Update:
    """Of a call that came ten seconds after the event of its number."""
    attributes = {} if step is None else {"step": step, **(slots or {slot(step): step})}
    return Update(user, Delivery(call, SENT_AT + 10 + call), tuple(numbers), attributes)


def call(number: int, status: int | None = 202, events: int = 1) -> Call:
    return Call(number, SENT_AT + 10 + number, status, None, 1, events)


def verdict(
    events: list[Sent], updates: Sequence[Update], *, rules: Rules | None = None, **more: Any
) -> Verdict:
    """Of evidence without other trouble than `more`."""
    known: dict[str, Any] = {
        "held": {each.number: 1 for each in events},
        "calls": [call(number) for number in sorted({each.delivery.call for each in updates})],
        "letters": [],
        "windows": [],
        "seen": Counter(),
        "lag": 0,
        "violations": {"repeated_in_call": 0},
        "refused_429": 0,
        "injected": {},
        "calm_at": SENT_AT + 5,
    }
    return judge(Evidence(rules=rules or Rules({}), sent=events, updates=updates, **(known | more)))


FOUR = sent(("a", TRACK), ("a", TRACK), ("b", TRACK), ("a", IDENTIFY))
FOUR_DELIVERED = (update(0, "a", [0]), update(1, "a", [1]), update(2, "b", [2]), update(3, "a", step=3))


def test_a_sound_run_keeps_the_promise() -> None:
    found = verdict(FOUR, FOUR_DELIVERED)

    assert found.broken == []
    assert (found.events, found.lost, found.repeated, found.bound) == (4, 0, 0, 0)
    assert (found.calls, found.ideal_calls) == (4, 4)
    assert (found.p50_s, found.p99_s) == (10.0, 10.0)
    assert found.recovery_s == 7.0


def test_updates_that_were_merged_are_as_good() -> None:
    events = sent(("a", IDENTIFY), ("a", TRACK), ("a", IDENTIFY), ("a", TRACK))

    assert verdict(events, [update(0, "a", [1, 3], step=2, slot_0=0, slot_2=2)]).broken == []


@pytest.mark.parametrize("missing", range(4))
def test_every_loss_is_found(missing: int) -> None:
    found = verdict(FOUR, [each for place, each in enumerate(FOUR_DELIVERED) if place != missing])

    assert found.lost == 1
    assert found.broken[0].startswith(f"lost 1: events {missing}")


def test_a_lost_slot_of_an_identify_is_found() -> None:
    events = sent(("a", IDENTIFY), ("a", IDENTIFY))

    assert verdict(events, [update(0, "a", step=1, slot_1=1)]).lost == 1


def test_a_last_identify_that_was_overtaken_is_found_although_a_kill_explains_the_repeat() -> None:
    events = sent(("a", IDENTIFY), ("a", IDENTIFY))
    updates = [update(0, "a", step=0), update(1, "a", step=1), update(2, "a", step=0)]

    found = verdict(events, updates, windows=[Window(0, 2_000, 2_000)])
    assert found.lost == 1
    assert "in the end" in found.broken[1]


@pytest.mark.parametrize(
    "updates",
    [
        [update(0, "a", [1]), update(1, "a", [0])],
        [update(0, "a", [1, 0])],
        [update(0, "a", [0, 1, 0])],
    ],
)
def test_a_wrong_order_is_found(updates: list[Update]) -> None:
    found = verdict(sent(("a", TRACK), ("a", TRACK)), updates, windows=[Window(0, 2_000, 2_000)])

    assert any(reason.startswith("order or content") for reason in found.broken)


@pytest.mark.parametrize(
    "foreign",
    [
        update(9, "a", [99]),
        update(9, "a", [2]),
        update(9, "nobody", [0]),
        update(9, "a", [NO_NUMBER]),
        update(9, "a", step=2),
        update(9, "a", step=3, slot_1=3),
        Update("a", Delivery(9, SENT_AT), (), {"slot_3": 3}),
    ],
)
def test_what_was_never_produced_is_found(foreign: Update) -> None:
    found = verdict(FOUR, [*FOUR_DELIVERED, foreign])

    assert any(reason.startswith("order or content, 1 times") for reason in found.broken)


def test_a_repeat_without_cause_is_found() -> None:
    again = [*FOUR_DELIVERED, update(4, "a", [1])]

    assert verdict(FOUR, again).broken[0].startswith("repeated without cause, 1 times: event 1 of call 1")


def test_attributes_that_go_back_without_cause_are_found() -> None:
    events = sent(("a", IDENTIFY), ("a", IDENTIFY))
    updates = [update(0, "a", step=0), update(1, "a", step=1), update(2, "a", step=0), update(3, "a", step=1)]

    found = verdict(events, updates)
    assert found.broken[0].startswith("repeated without cause, 2 times: identify 0")
    assert (found.repeated, found.lost) == (0, 0)


def window(before_s: float, after_s: float = 0.0, partition: int | None = None) -> Window:
    """Around call 1."""
    at = SENT_AT + 11
    return Window(at - before_s, at + after_s, at + after_s, partition)


def test_an_incident_explains_repeats_of_what_was_accepted_shortly_before() -> None:
    again = [*FOUR_DELIVERED, update(4, "a", [1])]

    found = verdict(FOUR, again, windows=[window(0.5, 0.3)])
    assert found.broken == []
    assert (found.repeated, found.bound, found.per_incident) == (1, 1, 1)
    assert found.reach_s == pytest.approx(0.3)


@pytest.mark.parametrize("wrong", [window(-0.1, 0.5), window(0.5, -0.1), window(0.5, 0.5, partition=1)])
def test_an_incident_explains_nothing_else(wrong: Window) -> None:
    again = [*FOUR_DELIVERED, update(4, "a", [1])]

    assert verdict(FOUR, again, windows=[wrong]).broken != []


def test_a_kill_does_not_explain_a_repeat_of_what_was_committed() -> None:
    again = [*FOUR_DELIVERED, update(4, "a", [1])]
    killed = window(0.5, 0.5, partition=0)

    assert verdict(FOUR, again, windows=[killed._replace(committed=Settled(1, b""))]).broken == []
    for committed in (Settled(2, b""), Settled(0, b"\x00\x01")):
        found = verdict(FOUR, again, windows=[killed._replace(committed=committed)])
        assert found.broken[0].startswith("repeated without cause, 1 times: event 1")
        assert found.bound == 0


def test_what_came_again_may_come_once_more_because_of_another_kill() -> None:
    again = [*FOUR_DELIVERED[:2], update(4, "a", [1]), update(8, "a", [1]), *FOUR_DELIVERED[2:]]
    kills = [Window(at - 0.5, at, at + 0.5, 0) for at in (SENT_AT + 11, SENT_AT + 14)]

    found = verdict(FOUR, again, windows=kills)
    assert (found.broken, found.repeated, found.bound) == ([], 2, 2)


def test_more_repeats_than_the_bound_are_found() -> None:
    """The same event twice more, each time in the window: one kill cannot do that."""
    again = [*FOUR_DELIVERED[:2], update(1, "a", [1]), update(1, "a", [1]), *FOUR_DELIVERED[2:]]

    found = verdict(FOUR, again, windows=[window(0.5, 0.5, partition=0)])
    assert (found.repeated, found.bound) == (2, 1)
    assert found.broken == ["repeated 2, and the promise allows 1"]


def test_lost_answers_allow_as_many_calls_to_come_again() -> None:
    windows = [Window(0, 2_000, 2_000)]
    again = [*FOUR_DELIVERED, update(4, "a", [1]), update(5, "b", [2])]

    found = verdict(FOUR, again, windows=windows, rules=Rules({}, ambiguous_answers=2))
    assert (found.broken, found.bound) == ([], 2)
    found = verdict(FOUR, again, windows=windows, rules=Rules({}, ambiguous_answers=1))
    assert found.broken == ["repeated 2, and the promise allows 1"]


CUTS = Rules({}, cut_calls_explain=True)


def cut_calls(*cut: int) -> list[Call]:
    return [call(number, None if number in cut else 202) for number in range(5)]


def test_a_cut_call_explains_its_own_events() -> None:
    again = [*FOUR_DELIVERED[:2], update(4, "a", [1]), *FOUR_DELIVERED[2:]]

    assert verdict(FOUR, again, rules=CUTS, calls=cut_calls(1)).broken == []
    assert verdict(FOUR, again, rules=CUTS, calls=cut_calls(0)).broken != []
    assert verdict(FOUR, again, calls=cut_calls(1)).broken != []


def test_cuts_and_repeats_must_be_equal() -> None:
    found = verdict(FOUR, FOUR_DELIVERED, rules=CUTS, calls=cut_calls(1))

    assert found.broken == ["0 events came again, and the calls that were cut had 1"]


def test_dead_letters_are_those_that_must_be() -> None:
    events = [*FOUR, Sent(4, "bad", REFUSED, SENT_AT, 0)]
    rules = Rules({}, letters_of=frozenset({"refused"}))
    letter = Letter(4, "refused_by_batch")

    assert verdict(events, FOUR_DELIVERED, rules=rules, letters=[letter, letter]).broken == []
    missing = verdict(events, FOUR_DELIVERED, rules=rules)
    assert (missing.lost, missing.broken) == (1, ["neither delivered nor dead letters, 1: 4"])
    for wrong in (Letter(0, "refused_by_batch"), Letter(None, "refused_by_batch"), Letter(4, "")):
        assert len(verdict(events, FOUR_DELIVERED, rules=rules, letters=[letter, wrong]).broken) == 1


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ({"lag": 3}, "not drained: 3 offsets"),
        ({"violations": {"repeated_in_call": 1}}, "Batch saw what no client should do"),
        ({"refused_429": 1}, "Batch's limit was hit: 1 calls"),
        ({"trouble": ["a worker died"]}, "a worker died"),
        ({"rules": Rules({"kills": 2}), "seen": Counter(kills=1)}, "invalid: 1 kills seen, and at least 2"),
        (
            {"rules": Rules({}, most_calls=1.2), "calls": [call(n) for n in range(5)]},
            "5 calls where 4 would do",
        ),
        ({"rules": Rules({}, resumed_s=1.0), "calm_at": SENT_AT + 10.5, "windows": []}, None),
        ({"rules": Rules({}, resumed_s=1.0), "calm_at": SENT_AT + 5}, "delivery resumed 5 s after"),
    ],
)
def test_other_trouble_is_found(trouble: dict[str, Any], words: str | None) -> None:
    found = verdict(FOUR, FOUR_DELIVERED, **trouble)

    assert len(found.broken) == (1 if words else 0)
    assert words is None or words in found.broken[0]


def test_what_was_injected_or_allowed_is_no_trouble() -> None:
    assert verdict(FOUR, FOUR_DELIVERED, refused_429=2, injected={"429": 2}).broken == []
    assert verdict(FOUR, FOUR_DELIVERED, refused_429=1, rules=Rules({}, refusals_429=1)).broken == []
    overlaps = {"same_profile_in_flight": 2}
    assert (
        verdict(FOUR, FOUR_DELIVERED, violations=overlaps, rules=Rules({}, overlaps_allowed=True)).broken
        == []
    )
    assert verdict(FOUR, FOUR_DELIVERED, violations=overlaps).broken != []


def test_records_that_kafka_does_not_hold_make_a_run_invalid() -> None:
    found = verdict(FOUR, FOUR_DELIVERED, held={0: 1, 1: 1, 2: 1})

    assert found.broken == ["invalid: Kafka does not hold 1 of the records that were produced"]


def test_a_record_that_kafka_holds_twice_may_come_twice() -> None:
    twice = [update(0, "a", [0, 0]), update(1, "a", [0, 1]), *FOUR_DELIVERED[2:]]

    assert verdict(FOUR, twice, held={0: 3, 1: 1, 2: 1, 3: 1}).broken == []
    assert verdict(FOUR, twice).broken != []
    assert verdict(FOUR, FOUR_DELIVERED[1:], held={0: 2, 1: 1, 2: 1, 3: 1}).lost == 1


def test_the_sandboxs_lines_are_read() -> None:
    shown = {
        "call": 7,
        "received_at": "1970-01-01T00:00:01.500Z",
        "custom_id": "a",
        "attributes": {"step": 3},
        "events": [{"name": "chaos_happened", "attributes": {"number": 4}}, {"name": "e", "attributes": {}}],
    }
    assert read_update(shown) == Update("a", Delivery(7, 1.5), (4, NO_NUMBER), {"step": 3})
    line = {
        "number": 7,
        "time": "1970-01-01T00:00:02Z",
        "status": None,
        "fault": "x",
        "updates": 2,
        "events": 3,
    }
    assert read_call(line) == Call(7, 2.0, None, "x", 2, 3)
