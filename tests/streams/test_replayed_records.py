"""Of a dead letter that is replayed the worker sends the part that was not settled, and says what stays undone."""

from __future__ import annotations

import time

import orjson
import pytest

from mapping.profile import AttributeValue, MappingResult, ProfileEvent, ProfileUpdate, Rejected
from sink.client import Answer, Verdict
from sink.coalescer import PendingUpdate
from sink.refusing import REFUSED_ALONE, refuse
from sink.settlement import Part, Refusal
from streams.records import Ending, Headers
from streams.replay_headers import Replay, replay_headers
from tests.streams.test_pipeline_and_settlement import DAY_MS, Scene, update_of

BAD = Answer(Verdict.SPLIT, "400", "no")
NAMES = [f"a{number}" for number in range(60)]


def event(age_ms: float = 0) -> ProfileEvent:
    at = round(time.time() * 1000 - age_ms)
    return ProfileEvent("e", at, b'{"name":"e","time":"2026-01-01T00:00:00Z"}')


def both() -> ProfileUpdate:
    return update_of({"x": 1}, event())


def many() -> ProfileUpdate:
    attributes: dict[str, AttributeValue] = dict.fromkeys(NAMES, 1)
    return update_of(attributes, event())


def asked(part: Part, late: bool = False) -> Headers:
    replay = Replay(part, "send_without_time" if late else None)
    return [("trace", b"1"), *replay_headers(replay)]


def refused(scene: Scene, update: PendingUpdate) -> Part:
    refuse(update, REFUSED_ALONE, BAD, 1, scene.settlement)
    return scene.letters.written[-1][1].part


@pytest.mark.parametrize(
    ("part", "attributes", "events"), [("record", True, 1), ("event", False, 1), ("attributes", True, 0)]
)
async def test_only_the_part_that_was_not_settled_is_sent(part: Part, attributes: bool, events: int) -> None:
    scene = Scene({b"a": both})
    await scene.accept(b"a", headers=asked(part))
    (update,) = scene.coalescer.take(1)
    assert (bool(update.attributes), len(update.events)) == (attributes, events)


async def test_a_record_rebuilt_says_only_the_part_that_was_asked() -> None:
    scene = Scene({b"a": both})
    (record,) = await scene.accept(b"a", headers=asked("event"))
    rebuilt = scene.settlement.rebuild(record, "u")
    assert (rebuilt.attributes, len(rebuilt.events)) == ({}, 1)


async def test_a_replayed_part_that_the_mapping_no_longer_has_is_skipped() -> None:
    scene = Scene({b"a": lambda: update_of({"x": 1})})
    await scene.accept(b"a", headers=asked("event"))
    assert scene.ended("skipped", "nothing_to_send") == 1


async def test_a_late_event_goes_without_its_time_if_the_replay_asks_for_that() -> None:
    scene = Scene({b"a": lambda: update_of({}, event(DAY_MS + 1000))})
    await scene.accept(b"a", headers=asked("event", late=True))
    (update,) = scene.coalescer.take(1)
    ((sent, _),) = update.events
    assert (sent.time_ms, orjson.loads(sent.body)) == (None, {"name": "e"})


async def test_a_late_event_is_a_letter_again_if_the_replay_says_nothing() -> None:
    scene = Scene({b"a": lambda: update_of({}, event(DAY_MS + 1000))})
    await scene.accept(b"a", headers=asked("event"))
    ((_, refusal),) = scene.letters.written
    assert (refusal.reason, refusal.part) == ("event_too_old", "event")


async def test_headers_of_others_change_nothing() -> None:
    scene = Scene({b"a": both})
    (record,) = await scene.accept(b"a", headers=[("segbatch.part", b"event"), ("trace", None)])
    (update,) = scene.coalescer.take(1)
    assert (record.replay, bool(update.attributes), len(update.events)) == (None, True, 1)


@pytest.mark.parametrize(
    "result",
    [both, lambda: update_of({"x": 1}), lambda: update_of({}, event())],
    ids=["both", "attributes", "event"],
)
async def test_a_record_refused_alone_stays_undone_as_a_whole(result: type[MappingResult]) -> None:
    scene = Scene({b"a": result})
    await scene.accept(b"a")
    (update,) = scene.coalescer.take(1)
    assert refused(scene, update) == "record"


async def test_a_late_event_leaves_itself_undone_and_its_attributes_leave_themselves() -> None:
    scene = Scene({b"a": lambda: update_of({"x": 1}, event(DAY_MS + 1000))})
    await scene.accept(b"a")
    assert scene.letters.written[0][1].part == "event"
    (update,) = scene.coalescer.take(1)
    assert refused(scene, update) == "attributes"
    scene.confirm_letters()
    assert scene.ended("dead_lettered", "refused_by_batch") == 1


@pytest.mark.parametrize("first_is_accepted", [True, False])
async def test_a_record_in_two_updates_leaves_undone_what_the_refused_one_carried(
    first_is_accepted: bool,
) -> None:
    scene = Scene({b"a": many})
    await scene.accept(b"a")
    (first,) = scene.coalescer.take(1)
    scene.coalescer.settle([first])
    if first_is_accepted:
        scene.settlement.accepted([first])
    (second,) = scene.coalescer.take(1)
    assert not second.events
    assert refused(scene, second) == "attributes"


@pytest.mark.parametrize("part", ["record", "event", "attributes"])
async def test_what_is_refused_of_a_replayed_record_is_at_most_what_was_asked(part: Part) -> None:
    results: dict[str, MappingResult] = {"mapped": both(), "rejected": Rejected("mapping_failed", "d")}
    scene = Scene({name.encode(): lambda name=name: results[name] for name in results})  # type: ignore[misc]
    await scene.accept(b"rejected", headers=asked(part))
    assert scene.letters.written[-1][1].part == part
    await scene.accept(b"mapped", headers=asked(part))
    (update,) = scene.coalescer.take(1)
    assert refused(scene, update) == part


async def test_a_copy_of_a_delivered_record_is_of_its_event() -> None:
    scene = Scene({b"a": both})
    (record,) = await scene.accept(b"a")
    record.parts += 1
    copy = Refusal("event_refused_by_batch", "d", "202", delivered=True, part="event")
    scene.settlement.dead_letter(record, copy)
    assert scene.letters.written[-1][1].part == "event"
    assert record.ending is Ending.SKIPPED
