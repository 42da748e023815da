"""The bench's workloads are the same every time, of the sizes they claim, and as costly as their floor says."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest

from bench import traffic, workloads
from bench.traffic import LARGE_BYTES, SMALL_BYTES, Event


@pytest.mark.parametrize(
    "make", [lambda: traffic.mixed(500, 50), lambda: traffic.day(40), lambda: traffic.first_sync(40)]
)
def test_a_workload_is_the_same_every_time(make):
    assert list(make()) == list(make())


def test_half_of_the_events_are_small_and_half_are_large():
    for events in (traffic.mixed(500, 50), traffic.day(50)):
        sizes = Counter(len(each.value) for each in events)
        assert sizes[SMALL_BYTES] == sizes[LARGE_BYTES] == sizes.total() / 2


def test_a_first_sync_comes_audience_by_audience():
    synced = [
        (orjson.loads(each.value)["traits"].popitem()[0], each.user) for each in traffic.first_sync(3, 2)
    ]
    users = ["user-0000000", "user-0000001", "user-0000002"]
    assert synced == [(audience, user) for audience in ("audience_00", "audience_01") for user in users]


def test_a_day_repeats_most_identifies():
    said: dict[str, list[dict[str, object]]] = {}
    for user, value in traffic.day(200):
        event = orjson.loads(value)
        if event["type"] == "identify":
            said.setdefault(user, []).append(event["traits"])
    assert len(said) == 200
    same = sum(first == second for first, second in said.values())
    assert 160 < same < 200


def event_of(user: str, type: str, **fields: object) -> Event:
    return Event(user, orjson.dumps({"type": type, "userId": user, **fields}))


@pytest.mark.parametrize(
    ("events", "updates"),
    [
        ([event_of("a", "identify", traits={"x": 1}), event_of("a", "track"), event_of("b", "track")], 2),
        ([event_of("a", "track")] * 15, 1),
        ([event_of("a", "track")] * 16, 2),
        ([event_of("a", "identify", traits={f"t{i}": 1 for i in range(30)})] * 2, 1),
        ([event_of("a", "identify", traits={f"t{n}_{i}": 1 for i in range(30)}) for n in range(2)], 2),
        ([event_of("a", "page"), event_of("b", "group", traits={"name": "Example"})], 0),
    ],
)
def test_the_floor_counts_what_a_profile_cannot_do_without(events, updates):
    assert traffic.spent_at_least(iter(events)) == updates


def test_the_floor_takes_the_burst_first(tmp_path, monkeypatch):
    monkeypatch.setattr(workloads, "CACHE", tmp_path)
    assert workloads.floor(workloads.first_sync(1300)) == (1300, 1.0)


def test_a_workload_is_made_once(tmp_path, monkeypatch):
    monkeypatch.setattr(workloads, "CACHE", tmp_path)
    made = list(workloads.drain(40).events())
    (file,) = (tmp_path / "workloads").iterdir()
    file.write_bytes(file.read_bytes().replace(b"user-", b"kept-"))
    assert [each.user.replace("kept-", "user-") for each in workloads.drain(40).events()] == [
        each.user for each in made
    ]
    assert next(iter(workloads.drain(40).events())).user.startswith("kept-")
