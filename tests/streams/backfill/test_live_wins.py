"""Whatever comes in between, once all is quiet Batch holds the fold of history and live in order.

A world in miniature: a topic of one partition, a worker that posts its records one by one, a Batch that applies the
calls of each of its two routes in order but lets the routes overtake one another, and a backfill that is killed at any
time.
Everything of the backfill that decides what is sent and repaired is the real thing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import orjson
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mapping.mapper import compile_event_mapper
from mapping.settings import MappingSettings
from sink.encoding import encode_attributes
from streams.backfill import mending, stretches
from streams.backfill.folded import UNDATED, FoldedProfile
from streams.backfill.live import LiveStream
from streams.backfill.mending import Mending
from streams.backfill.plan import Plan
from streams.backfill.repairs import Repairs
from streams.backfill.selection import Selection
from streams.backfill.store import Store
from streams.backfill.stretches import Stretch, Stretches

USERS = ["u0", "u1", "u2"]
ATTRIBUTES = ("a", "b")
TOPIC = "t"
Update = tuple[str, dict[str, Any]]

map_event = compile_event_mapper(MappingSettings())
selection = Selection(Plan("x", 0), map_event, map_event, None)


class Message(SimpleNamespace):
    """A record, as far as the live stream reads one."""

    def __init__(
        self, offset: int, key: bytes | None, value: bytes, headers: list[tuple[str, bytes]]
    ) -> None:
        super().__init__(
            topic=lambda: TOPIC,
            partition=lambda: 0,
            offset=lambda: offset,
            key=lambda: key,
            value=lambda: value,
            headers=lambda: headers or None,
            error=lambda: None,
        )


class FakeProducer:
    """Keeps what was produced until the broker takes it."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.waiting: list[tuple[bytes, bytes, list[tuple[str, bytes]]]] = []

    def produce(self, topic: str, *, value: bytes, key: bytes, headers: Any, **_: Any) -> None:
        assert topic == TOPIC
        self.waiting.append((key, value, headers))


class World(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.log: list[Message] = []
        self.truth: dict[str, dict[str, Any]] = {}
        self.held: dict[str, dict[str, Any]] = {}
        self.routes: dict[str, list[list[Update]]] = {"update": [], "mass-update": []}
        self.worker_at = 0
        self.serial = 0
        self.posted: list[tuple[Stretch, list[int]]] = []
        """Calls of this process that were not answered yet."""
        self.unsent: list[tuple[Stretch, list[int], list[Update]]] = []
        """What this process has prepared and not posted."""
        self.patches = [
            mock.patch.object(stretches, "SIZE", 2),
            mock.patch.object(mending, "Producer", FakeProducer),
        ]
        for patch in self.patches:
            patch.start()

    @initialize(history=st.lists(st.sampled_from(USERS), min_size=2, unique=True))
    def begin(self, history: list[str]) -> None:
        store = Store(Path(self.folder.name) / "state.sqlite")
        profiles = []
        for user in history:
            profile = FoldedProfile()
            profile.put({name: f"old {name}" for name in ATTRIBUTES}, UNDATED)
            profiles.append((user, profile))
            self.truth[user] = {name: f"old {name}" for name in ATTRIBUTES}
        with store.begin():
            store.add_profiles(profiles)
            store.put("spans", {TOPIC: {"0": [0, 0]}})
            store.index_profiles()
            Stretches(store).make(len(profiles))
        store.close()
        self.start_process()

    def start_process(self) -> None:
        self.store = Store(Path(self.folder.name) / "state.sqlite")
        self.stretches, self.repairs = Stretches(self.store), Repairs(self.store)
        consumer: Any = None
        self.live = LiveStream(consumer, "id", [TOPIC], self.store, selection, self.stretches, self.repairs)
        self.mending = Mending("id", {}, self.store, self.live, self.repairs)
        self.producer: Any = self.mending._producer

    @rule(user=st.sampled_from(USERS), name=st.sampled_from(ATTRIBUTES))
    def somebody_says_something(self, user: str, name: str) -> None:
        self.serial += 1
        value = f"live {self.serial}"
        self.truth.setdefault(user, {})[name] = value
        self._append(
            user.encode(), orjson.dumps({"type": "identify", "userId": user, "traits": {name: value}}), []
        )

    @precondition(lambda self: self.worker_at < len(self.log))
    @rule()
    def worker_posts(self) -> None:
        found: Any = selection.of_live(self.log[self.worker_at].value())
        self.worker_at += 1
        self.routes["update"].append([(found.custom_id, dict(encode_attributes(found.attributes)))])

    @precondition(lambda self: any(self.routes.values()))
    @rule(route=st.sampled_from(["update", "mass-update"]))
    def batch_applies(self, route: str) -> None:
        if self.routes[route]:
            for user, attributes in self.routes[route].pop(0):
                self.held.setdefault(user, {}).update(attributes)

    @precondition(lambda self: self.live.positions[TOPIC][0] < len(self.log))
    @rule(count=st.integers(1, 3))
    def backfill_reads_live(self, count: int) -> None:
        at = self.live.positions[TOPIC][0]
        self.live.take(self.log[at : at + count])  # type: ignore[arg-type]

    @rule()
    def backfill_prepares(self) -> None:
        stretch = self.stretches.next()
        if stretch is not None:
            self.stretches.take(stretch)
            kept = [
                each
                for each in self.store.between(stretch.first, stretch.last)
                if not stretch.done[each.number - stretch.first]
            ]
            updates = [(each.custom_id, dict(encode_attributes(each.profile().attributes))) for each in kept]
            self.unsent.append((stretch, [each.number for each in kept], updates))

    @precondition(lambda self: self.unsent)
    @rule()
    def backfill_posts(self) -> None:
        stretch, numbers, updates = self.unsent.pop(0)
        self.routes["mass-update"].append(updates)
        self.posted.append((stretch, numbers))

    @precondition(lambda self: self.posted)
    @rule()
    def batch_answers(self) -> None:
        stretch, numbers = self.posted.pop(0)
        with self.store.begin():
            for number in numbers:
                self.stretches.mark_done(number)
            self.stretches.save({stretch.number})

    @precondition(lambda self: not self.routes["mass-update"])
    @rule()
    def calls_have_settled(self) -> None:
        for stretch in self.stretches.open:
            if stretch.settled_at is not None:
                self.stretches.close(stretch, {TOPIC: {0: len(self.log)}})

    @rule()
    def backfill_sends_all(self) -> None:
        """So that there is time for what comes after."""
        for _ in self.stretches:
            self.backfill_prepares()
        while self.unsent:
            self.backfill_posts()
        while self.posted:
            self.batch_answers()

    @rule()
    def everything_settles(self) -> None:
        while self.routes["mass-update"]:
            self.batch_applies("mass-update")
        self.calls_have_settled()

    @precondition(lambda self: self._may_mend() and self.repairs.wanted())
    @rule()
    def backfill_mends(self) -> None:
        self.mending._write(self.repairs.wanted())

    @precondition(lambda self: self.producer.waiting)
    @rule()
    def broker_takes_a_repair(self) -> None:
        self._append(*self.producer.waiting.pop(0))

    @rule()
    def kill(self) -> None:
        self.store.close()
        self.unsent, self.posted = [], []
        self.start_process()

    @invariant()
    def nothing_is_made_up(self) -> None:
        assert self.held.keys() <= set(USERS)

    def _may_mend(self) -> bool:
        """As `Shipping` does it: all is sent and closed, and the live stream was read to the end that it had then."""
        closed = [stretch.closed for stretch in self.stretches]
        return not self.stretches.left and all(
            ends is not None and self.live.has_read(ends) for ends in closed
        )

    def _append(self, key: bytes | None, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        self.log.append(Message(len(self.log), key, value, headers))

    def settle(self) -> None:
        """Go on until everything is sent, applied, read and mended."""
        for _ in range(200):
            while self.worker_at < len(self.log):
                self.worker_posts()
            self.backfill_prepares()
            while self.unsent:
                self.backfill_posts()
            while self.posted:
                self.batch_answers()
            for route in self.routes:
                while self.routes[route]:
                    self.batch_applies(route)
            self.calls_have_settled()
            while self.live.positions[TOPIC][0] < len(self.log):
                self.backfill_reads_live(3)
            if self._may_mend():
                if not len(self.repairs) and self.worker_at == len(self.log):
                    return
                if self.repairs.wanted():
                    self.backfill_mends()
            while self.producer.waiting:
                self.broker_takes_a_repair()
        raise AssertionError("it never becomes quiet")

    def teardown(self) -> None:
        try:
            if self.truth:
                self.settle()
                assert self.held == self.truth
        finally:
            self.close()

    def close(self) -> None:
        for patch in self.patches:
            patch.stop()
        if hasattr(self, "store"):
            self.store.close()
        self.folder.cleanup()


TestLiveWins = World.TestCase
TestLiveWins.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)


@pytest.fixture
def world() -> Iterator[World]:
    """A world with two profiles, whose calls are under way."""
    made = World()
    made.begin(["u0", "u1"])
    made.backfill_prepares()
    made.backfill_posts()
    yield made
    made.close()


def says_and_delivered(world: World) -> None:
    """Somebody says something, and a worker has delivered it at once."""
    world.somebody_says_something("u0", "a")
    while world.worker_at < len(world.log):
        world.worker_posts()
    while world.routes["update"]:
        world.batch_applies("update")


def read_one(world: World) -> None:
    world.backfill_reads_live(1)


def assert_ends_right(world: World) -> None:
    world.settle()
    assert world.held == world.truth


def test_a_call_that_is_applied_last_is_repaired(world: World) -> None:
    says_and_delivered(world)
    world.batch_applies("mass-update")

    assert world.held["u0"] == {"a": "old a", "b": "old b"}
    assert_ends_right(world)
    assert world.held["u0"] == {"a": "live 1", "b": "old b"}


def test_what_is_said_while_the_call_is_open_is_repaired(world: World) -> None:
    says_and_delivered(world)
    read_one(world)
    world.batch_applies("mass-update")

    assert len(world.repairs) == 1
    assert_ends_right(world)


def first_repair_waits(world: World) -> None:
    """The call was applied last, and a first repair waits to be taken."""
    says_and_delivered(world)
    world.batch_answers()
    world.everything_settles()
    read_one(world)
    world.backfill_mends()
    assert len(world.producer.waiting) == 1


def test_what_is_said_before_the_repair_is_taken_is_repaired_again(world: World) -> None:
    first_repair_waits(world)
    says_and_delivered(world)
    world.broker_takes_a_repair()
    read_one(world)
    read_one(world)

    assert len(world.repairs) == 1
    assert_ends_right(world)


def test_only_the_last_repair_tells_that_a_profile_is_mended(world: World) -> None:
    first_repair_waits(world)
    says_and_delivered(world)
    read_one(world)
    world.backfill_mends()
    world.broker_takes_a_repair()
    read_one(world)
    assert len(world.repairs) == 1, "the first of two repairs came by"
    says_and_delivered(world)
    world.broker_takes_a_repair()

    assert_ends_right(world)


def test_a_repair_that_a_killed_process_had_not_handed_over_is_written_again(world: World) -> None:
    first_repair_waits(world)
    world.kill()
    assert not world.producer.waiting

    assert_ends_right(world)


def test_a_repair_that_nobody_has_read_at_the_kill_is_written_again(world: World) -> None:
    first_repair_waits(world)
    world.broker_takes_a_repair()
    world.kill()
    read_one(world)
    assert len(world.repairs) == 1

    assert_ends_right(world)


def test_the_repair_of_what_a_record_without_a_key_said_has_the_users_key(world: World) -> None:
    event = {"type": "identify", "userId": "u0", "timestamp": "2026-03-02T09:14:07Z", "traits": {"a": "live"}}
    world._append(None, orjson.dumps(event), [])
    world.truth["u0"]["a"] = "live"
    world.worker_posts()
    world.batch_applies("update")

    assert_ends_right(world)
    assert world.log[-1].key() == b"u0"
