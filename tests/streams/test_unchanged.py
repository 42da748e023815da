"""What is left out because Batch has it: of which records, and how they end."""

from __future__ import annotations

import pytest

from mapping.profile import ProfileUpdates
from sink.unchanged import LastAccepted
from streams.backfill.headers import repair_headers
from streams.ledger import Ledger
from streams.records import Headers
from streams.replay_headers import Replay, replay_headers
from tests.streams.test_pipeline_and_settlement import Scene, update_of

REPAIR: Headers = list(repair_headers("backfill-1", 1))
REPLAY: Headers = list(replay_headers(Replay()))


class Delivering:
    """What the sender does with what waits, with a Batch that takes everything."""

    def __init__(self, scene: Scene) -> None:
        self.memory = LastAccepted(100, 3600.0)
        self._scene = scene

    def deliver(self) -> int:
        """How many updates were posted."""
        posted = 0
        while taken := self._scene.coalescer.take(200):
            sendable, _ = self.memory.before_call(taken, self._scene.settlement)
            self.memory.accepted(sendable, (), self._scene.settlement)
            self._scene.settlement.accepted(sendable)
            self._scene.coalescer.settle(taken)
            posted += len(sendable)
        return posted


async def deliver_twice(
    scene: Scene, *, key: bytes | None = b"u", first: Headers | None = None, second: Headers | None = None
) -> list[int]:
    delivering = Delivering(scene)
    posted = []
    for headers in (first, second):
        await scene.accept(b"a", key=key, headers=headers)
        posted.append(delivering.deliver())
    assert scene.ledger.open == 0
    return posted


def scene_of_one(*, single_topic: bool = True) -> Scene:
    return Scene({b"a": lambda: update_of({"x": 1})}, single_topic=single_topic)


async def test_a_record_that_repeats_what_batch_has_is_skipped_and_may_be_committed() -> None:
    scene = scene_of_one()
    assert await deliver_twice(scene) == [1, 0]
    assert (scene.ended("accepted"), scene.ended("skipped", "unchanged")) == (1, 1)
    assert scene.ledger.committable() == (2, b"")


@pytest.mark.parametrize("headers", [REPAIR, REPLAY])
async def test_repairs_and_replayed_letters_are_sent_in_any_case(headers: Headers) -> None:
    scene = scene_of_one()
    assert await deliver_twice(scene, second=headers) == [1, 1]
    assert await deliver_twice(scene, first=headers) == [1, 0]


@pytest.mark.parametrize("key", [None, b"another", b"U"])
async def test_of_records_without_the_profiles_key_nothing_is_left_out(key: bytes | None) -> None:
    """Other partitions may bring records of the profile, and other workers send them."""
    assert await deliver_twice(scene_of_one(), key=key) == [1, 1]


async def test_with_several_topics_nothing_is_left_out() -> None:
    scene = scene_of_one(single_topic=False)
    assert await deliver_twice(scene) == [1, 1]


async def test_after_the_partition_was_given_up_and_taken_again_everything_is_sent() -> None:
    scene = scene_of_one()
    delivering = Delivering(scene)
    await scene.accept(b"a", key=b"u")
    assert delivering.deliver() == 1
    scene.ledger.sending, scene.ledger.forgotten = False, True
    scene.ledger = Ledger("events", 0, 1)
    for posted in (1, 0):
        await scene.accept(b"a", key=b"u")
        assert delivering.deliver() == posted


async def test_of_a_record_that_speaks_of_two_profiles_only_the_one_of_its_key_is_known() -> None:
    both = ProfileUpdates((update_of({"x": 1}), update_of({"x": 1}, user="v")))
    scene = Scene({b"a": lambda: both})
    assert await deliver_twice(scene) == [2, 1]
    assert scene.ended("accepted") == 2
