"""The letter of a record that speaks of several profiles names the one that was refused, and its replay sends only what
the record says of that."""

from __future__ import annotations

import time

import pytest

from mapping.profile import FieldProblem, MappingResult, ProfileEvent, ProfileUpdate, ProfileUpdates, Skipped
from sink.client import Answer, PartialError, Verdict
from sink.coalescer import PendingUpdate
from sink.lateness import leave_out_untimely
from sink.refusing import REFUSED_ALONE, refuse, report_partial_errors
from sink.settlement import Part, Refusal, profile_hash
from streams.letter import letter_headers, read_letter
from streams.records import Headers
from streams.replay_headers import Replay, replay_headers
from tests.sink.harness import FakeObserver
from tests.streams.fakes import FakeMessage
from tests.streams.test_pipeline_and_settlement import DAY_MS, Scene, problems, update_of

BAD = Answer(Verdict.SPLIT, "400", "no")
ADA, LEA = "ada", "lea"


def event(age_ms: float = 0) -> ProfileEvent:
    return ProfileEvent("e", round(time.time() * 1000 - age_ms), b'{"name":"e"}')


def of(user: str, age_ms: float = 0) -> ProfileUpdate:
    return update_of({f"of_{user}": 1}, event(age_ms), user=user)


def of_both() -> MappingResult:
    return ProfileUpdates((of(ADA), of(LEA)), (FieldProblem("traits.x", "too_long"),))


def asked(part: Part = "record", user: str = LEA) -> Headers:
    return [("trace", b"1"), *replay_headers(Replay(part, profile=profile_hash(user)))]


def take(scene: Scene) -> dict[str, PendingUpdate]:
    taken = scene.coalescer.take(9)
    scene.coalescer.settle(taken)
    return {update.custom_id: update for update in taken}


def refused(scene: Scene, update: PendingUpdate) -> Refusal:
    refuse(update, REFUSED_ALONE, BAD, 1, scene.settlement)
    return scene.letters.written[-1][1]


def test_the_hash_of_a_profile_is_what_b2sum_prints_and_not_its_id() -> None:
    # printf %s user-1 | b2sum -l 64
    assert profile_hash("user-1") == "9aac5a8621eae188"


@pytest.mark.parametrize(
    ("carried", "part"),
    [
        (of(LEA), "record"),
        (update_of({"x": 1}, user=LEA), "attributes"),
        (update_of({}, event(), user=LEA), "event"),
    ],
    ids=["all", "attributes", "event"],
)
async def test_of_two_profiles_the_replay_sends_the_refused_one_alone(
    carried: ProfileUpdate, part: Part
) -> None:
    scene = Scene({b"a": lambda: ProfileUpdates((of(ADA), carried))})
    (record,) = await scene.accept(b"a")
    updates = take(scene)
    scene.settlement.accepted([updates[ADA]])
    refusal = refused(scene, updates[LEA])
    assert (refusal.part, refusal.profile) == (part, profile_hash(LEA))
    letter = read_letter(FakeMessage(headers=letter_headers(record, refusal, value_left_out=False)))
    assert letter is not None
    scene.confirm_letters()

    headers: Headers = [*letter.own, *replay_headers(Replay(letter.part, None, letter.profile))]
    await scene.accept(b"a", headers=headers)
    replayed = take(scene)
    assert replayed.keys() == {LEA}
    assert replayed[LEA].attributes == carried.attributes
    assert len(replayed[LEA].events) == len(carried.events)
    scene.settlement.accepted([replayed[LEA]])
    assert (scene.ended("dead_lettered", "refused_by_batch"), scene.ended("accepted")) == (1, 1)
    assert scene.ledger.first_open() == 2


@pytest.mark.parametrize(
    ("part", "attributes", "events"), [("record", True, 1), ("event", False, 1), ("attributes", True, 0)]
)
async def test_of_the_profile_only_the_part_that_is_asked_is_sent(
    part: Part, attributes: bool, events: int
) -> None:
    scene = Scene({b"a": of_both})
    await scene.accept(b"a", headers=asked(part))
    updates = take(scene)
    assert updates.keys() == {LEA}
    assert (bool(updates[LEA].attributes), len(updates[LEA].events)) == (attributes, events)
    assert problems(scene, "too_long") == 1


async def test_two_refused_profiles_have_a_letter_each() -> None:
    scene = Scene({b"a": of_both})
    await scene.accept(b"a")
    updates = take(scene)
    assert [refused(scene, updates[user]).profile for user in (ADA, LEA)] == [
        profile_hash(ADA),
        profile_hash(LEA),
    ]
    scene.confirm_letters()
    assert scene.ended("dead_lettered", "refused_by_batch") == 1


async def test_the_letter_of_a_record_of_one_profile_names_none() -> None:
    scene = Scene({b"a": lambda: of(LEA)})
    await scene.accept(b"a")
    assert refused(scene, take(scene)[LEA]).profile == ""


async def test_a_letter_from_before_letters_named_profiles_is_replayed_to_all_of_them() -> None:
    scene = Scene({b"a": of_both})
    await scene.accept(b"a", headers=replay_headers(Replay("attributes")))
    updates = take(scene)
    assert updates.keys() == {ADA, LEA}
    assert not any(update.events for update in updates.values())


async def test_what_is_refused_again_is_a_letter_of_the_same_profile_whatever_the_mappings_say_now() -> None:
    results: dict[bytes, MappingResult] = {b"both": of_both(), b"one": of(LEA)}
    scene = Scene({name: lambda name=name: results[name] for name in results})  # type: ignore[misc]
    for value in results:
        await scene.accept(value, headers=asked("event"))
        refusal = refused(scene, take(scene)[LEA])
        assert (refusal.part, refusal.profile) == ("event", profile_hash(LEA))


@pytest.mark.parametrize("now", [of(ADA), ProfileUpdates((of(ADA), of("eve")))], ids=["one", "two"])
async def test_if_no_mapping_makes_an_update_of_the_profile_any_more_it_is_a_letter_that_says_so(
    now: MappingResult,
) -> None:
    scene = Scene({b"a": lambda: now})
    await scene.accept(b"a", headers=asked("event"))
    ((_, refusal),) = scene.letters.written
    assert (refusal.reason, refusal.part, refusal.profile) == (
        "profile_not_found",
        "event",
        profile_hash(LEA),
    )
    assert "--all-profiles" in refusal.detail
    assert scene.coalescer.ready == 0
    scene.confirm_letters()
    assert scene.ended("dead_lettered", "profile_not_found") == 1


async def test_a_record_that_the_mappings_skip_now_is_skipped_with_their_reason() -> None:
    scene = Scene({b"a": lambda: Skipped("no_matching_mapping")})
    await scene.accept(b"a", headers=asked())
    assert scene.ended("skipped", "no_matching_mapping") == 1


async def test_an_event_that_grew_too_old_before_it_was_sent_leaves_that_of_the_other_profile_alone() -> None:
    scene = Scene({b"a": of_both})
    (record,) = await scene.accept(b"a")
    updates = take(scene)
    scene.settlement.accepted([updates[ADA]])
    tomorrow_ms = time.time() * 1000 + DAY_MS + 60_000
    for _ in range(2):
        leave_out_untimely(updates[LEA], tomorrow_ms, "dead_letter", scene.settlement, FakeObserver())
    ((_, refusal),) = scene.letters.written
    assert (refusal.reason, refusal.part, refusal.profile) == ("event_too_old", "event", profile_hash(LEA))
    assert scene.settlement.rebuild(record, LEA).events == ()
    assert len(scene.settlement.rebuild(record, ADA).events) == 1
    scene.settlement.accepted([updates[LEA]])
    scene.confirm_letters()
    assert (scene.ledger.first_open(), scene.ended("dead_lettered", "event_too_old")) == (1, 1)


async def test_events_that_are_too_old_when_they_are_read_are_one_letter_of_both_profiles() -> None:
    both = ProfileUpdates((of(ADA, DAY_MS + 60_000), of(LEA, DAY_MS + 60_000)))
    scene = Scene({b"a": lambda: both})
    await scene.accept(b"a")
    assert [(refusal.part, refusal.profile) for _, refusal in scene.letters.written] == [("event", "")]


async def test_of_several_events_a_replay_without_time_takes_it_of_the_late_ones_only() -> None:
    # So is the letter of a backfill: its time is that at which it was written, and not that of its events.
    now = round(time.time() * 1000)
    both = update_of({}, event(), event(DAY_MS + 60_000), at=now, user=LEA)
    scene = Scene({b"a": lambda: both})
    await scene.accept(b"a", headers=replay_headers(Replay("event", "send_without_time")))
    assert [sent.time_ms is None for sent, _ in take(scene)[LEA].events] == [False, True]


async def test_the_copy_of_a_record_names_the_profile_whose_event_was_refused() -> None:
    scene = Scene({b"a": of_both})
    await scene.accept(b"a")
    updates = [take(scene)[LEA]]
    report_partial_errors(updates, [PartialError(0, None, "no")], 1, scene.settlement, FakeObserver())
    ((_, copy),) = scene.letters.written
    assert (copy.delivered, copy.part, copy.profile) == (True, "event", profile_hash(LEA))
