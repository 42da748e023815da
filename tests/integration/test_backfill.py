"""History and live stream together, on a real Kafka: once all is quiet, Batch holds the fold of both in order."""

from __future__ import annotations

import gzip
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.integration.backfills import Backfill, the_id
from tests.integration.scene import Scene, identify
from tests.integration.workers import wait_until
from tests.kafka import KafkaCluster, Record

USERS = 3_000
LIVE_USERS = 300
Start = Callable[..., Backfill]
Makes = Callable[..., Scene]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts backfills on a scene; the arguments are the command's."""
    begun: list[Backfill] = []

    def started(scene: Scene, *arguments: str, **settings: str) -> Backfill:
        begun.append(Backfill(scene.settings(**settings), tmp_path, *arguments))
        return begun[-1]

    yield started
    for each in begun:
        each.close()


def write_archive(folder: Path, events: list[bytes], files: int = 3) -> Path:
    """Gzip files of JSON lines, as Segment writes them."""
    place = folder / "archive" / "segment-logs" / "source-1" / "1767225600000"
    place.mkdir(parents=True)
    for number in range(files):
        with gzip.open(place / f"{number}.gz", "wb") as file:
            file.write(b"\n".join(events[number::files]) + b"\n")
    return folder / "archive"


def old_identifies() -> list[bytes]:
    """Two of each user, the newer one first."""
    return [
        identify(f"user-{number}", f"2026-01-{day:02}T00:00:00Z", plan=f"old-{day}", seen=day, kept=number)
        for day in (2, 1)
        for number in range(USERS)
    ]


class LiveTraffic(threading.Thread):
    """Identifies of some users, that go on until told to stop; remembers the last value of each."""

    def __init__(self, kafka: KafkaCluster, topic: str) -> None:
        super().__init__(daemon=True)
        self._kafka, self._topic = kafka, topic
        self._chance = random.Random(1)
        self.stop = threading.Event()
        self.last: dict[str, dict[str, Any]] = {}
        self.sent = 0

    def run(self) -> None:
        producer = self._kafka.producer()
        while not self.stop.wait(0.02):
            for _ in range(4):
                user = f"user-{self._chance.randrange(LIVE_USERS)}"
                self.sent += 1
                traits = {"plan": f"live-{self.sent}", "seen": 100 + self.sent}
                producer.produce(self._topic, identify(user, **traits), key=user.encode())
                self.last.setdefault(user, {}).update(traits)
            producer.poll(0)
        producer.flush(30)


def expected(live: LiveTraffic) -> dict[str, dict[str, Any]]:
    return {
        f"user-{number}": {"plan": "old-2", "seen": 2, "kept": number, **live.last.get(f"user-{number}", {})}
        for number in range(USERS)
    }


def wait_until_quiet(scene: Scene) -> None:
    scene.wait_until_drained()
    wait_until(lambda: scene.batch.stats()["waiting_to_apply"] == 0, "everything applied")


def test_the_live_stream_wins_although_batch_applies_late_and_the_routes_overtake(
    make_scene: Makes, start: Start, tmp_path: Path
) -> None:
    scene = make_scene(apply_delay_ms=1500, apply_routes_apart=True, seed=3).create_topics()
    archive = write_archive(tmp_path, old_identifies())
    scene.worker().ready()
    live = LiveTraffic(scene.kafka, scene.topic)
    live.start()
    wait_until(lambda: live.sent > 100, "live traffic")

    report = start(scene, str(archive), "--settle", "2", "--limit-rate", "800", "--json").report()
    live.stop.set()
    live.join()
    wait_until_quiet(scene)

    assert report["phase"] == "done"
    assert report["events"] == report["selected"] == 2 * USERS
    assert report["profiles"] == report["accepted"] == USERS
    assert report["repairs"] > 20, "nothing changed while calls were in flight: the test shows nothing"
    assert scene.batch.attributes() == expected(live)
    assert not any(scene.batch.stats()["violations"].values())


def test_killed_and_resumed_it_repeats_at_most_the_calls_in_flight(
    make_scene: Makes, start: Start, tmp_path: Path
) -> None:
    scene = make_scene(apply_delay_ms=800, apply_routes_apart=True, seed=4).create_topics()
    archive = write_archive(tmp_path, old_identifies())
    scene.worker().ready()
    live = LiveTraffic(scene.kafka, scene.topic)
    live.start()
    options = ("--settle", "1.5", "--limit-rate", "500")
    running = start(scene, str(archive), *options)
    for share in (0.3, 0.6):
        wait_until(lambda share=share: mass_updates(scene) >= USERS * share, f"{share:.0%} sent")
        running.kill()
        running = start(scene, "--resume", the_id(tmp_path), "--json")
    report = running.report()
    live.stop.set()
    live.join()
    wait_until_quiet(scene)

    assert report["phase"] == "done"
    assert scene.batch.attributes() == expected(live)
    at_once = 500 / 4  # a call takes a quarter of a second's tokens, and two kills cut those in flight
    assert USERS <= mass_updates(scene) <= USERS + 2 * 8 * at_once


def mass_updates(scene: Scene) -> int:
    return sum(
        call["updates"]
        for call in scene.batch.calls()
        if call["route"] == "mass-update" and call["status"] == 202
    )


def test_a_range_of_a_topic_and_the_records_after_it(make_scene: Makes, start: Start) -> None:
    scene = make_scene().create_topics(partitions=2)
    history = [
        Record(identify("u1", plan="a", city="Paris"), b"u1"),
        Record(
            json.dumps(
                {"type": "track", "userId": "u1", "event": "x", "context": {"traits": {"email": "n@x.io"}}}
            ).encode(),
            b"u1",
        ),
        Record(identify("u1", plan="b"), b"u1"),
        Record(identify("u2", plan="c", email="o@x.io"), b"u2"),
        Record(
            json.dumps(
                {"type": "track", "userId": "u2", "event": "x", "context": {"traits": {"email": "n@x.io"}}}
            ).encode(),
            b"u2",
        ),
        Record(b"no json", b"u3"),
    ]
    scene.kafka.produce(scene.topic, history)

    report = start(scene, "--from", "earliest", "--settle", "0", "--json").report()

    assert report["skipped"] == {"other_type": 2}
    assert report["rejected"] == {"invalid_json": 1}
    assert report["rejected_places"][0].endswith(": invalid_json")
    # u2's later track is not of the range, yet the workers send what it says: its address wins.
    assert scene.batch.attributes() == {
        "u1": {"plan": "b", "city": "Paris"},
        "u2": {"plan": "c", "$email_address": "n@x.io"},
    }
    assert scene.kafka.committed(scene.group, scene.topic) == {}, "the live group's offsets are its own"


def test_a_range_by_time_and_what_was_said_after_it_up_to_an_aborted_transaction(
    make_scene: Makes, start: Start
) -> None:
    scene = make_scene().create_topics(partitions=1)
    begin_s = int(time.time()) - 7_200
    plain = scene.kafka.producer()

    def say(at_s: int, user: str, **traits: Any) -> None:
        at_ms = (begin_s + at_s) * 1000
        plain.produce(scene.topic, identify(user, **traits), key=user.encode(), timestamp=at_ms)
        plain.flush()

    say(1_000, "u1", plan="before", old=True)
    say(2_000, "u1", plan="in", city="Paris")
    say(2_500, "u2", plan="in")
    say(3_000, "u1", plan="after", late=True)
    aborting = scene.kafka.producer(**{"transactional.id": scene.topic})
    aborting.init_transactions()
    aborting.begin_transaction()
    aborting.produce(scene.topic, identify("u2", plan="aborted"), key=b"u2")
    aborting.flush()
    aborting.abort_transaction()

    first, last = (datetime.fromtimestamp(begin_s + at_s, UTC).isoformat() for at_s in (1_800, 2_700))
    report = start(scene, "--from", first, "--to", last, "--settle", "0", "--json").report()

    assert report["events"] == 2
    assert scene.batch.attributes() == {
        "u1": {"plan": "after", "city": "Paris"},
        "u2": {"plan": "in"},
    }


def test_records_without_a_key_go_by_timestamp(make_scene: Makes, start: Start) -> None:
    scene = make_scene().create_topics(partitions=2)
    events = [identify("u1", f"2026-01-01T00:00:{second:02}Z", n=second) for second in (1, 9, 5)]
    scene.kafka.produce(scene.topic, [Record(event, None) for event in events])

    start(scene, "--from", "earliest", "--settle", "0").finish()

    assert scene.batch.attributes() == {"u1": {"n": 9}}


def test_files_before_topics(make_scene: Makes, start: Start, tmp_path: Path) -> None:
    scene = make_scene().create_topics()
    archive = write_archive(tmp_path, [identify("u1", "2026-05-01T00:00:00Z", n=1, m=1)])
    scene.kafka.produce(scene.topic, [Record(identify("u1", "2026-01-01T00:00:00Z", n=2), b"u1")])

    report = start(
        scene, str(archive), "--topic", scene.topic, "--from", "earliest", "--settle", "0", "--json"
    ).report()

    assert report["events"] == 2
    assert scene.batch.attributes() == {"u1": {"n": 2, "m": 1}}


def test_a_missing_topic_is_named(make_scene: Makes, start: Start) -> None:
    scene = make_scene().create_topics()

    printed = start(scene, "--topic", "nowhere", "--from", "earliest").finish(code=1)

    assert "topic nowhere: " in printed


def test_a_refused_profile_becomes_a_dead_letter_that_names_the_backfill_and_can_be_sent_as_it_is(
    make_scene: Makes, start: Start, tmp_path: Path
) -> None:
    scene = make_scene(max_custom_id_chars=20).create_topics()
    archive = write_archive(tmp_path, [identify("good", plan="a"), identify("a" * 30, plan="b")])

    report = start(scene, str(archive), "--settle", "0", "--json").report()

    assert report["dead_lettered"] == {"refused_by_batch": 1}
    (letter,) = scene.dead_letters()
    headers = dict(letter.headers() or ())
    assert headers["segbatch.backfill"].decode() == report["id"]
    assert headers["segbatch.reason"] == b"refused_by_batch"
    assert letter.key() == b"a" * 30
    assert json.loads(letter.value() or b"")["attributes"] == {"plan": "b"}
    assert set(scene.batch.attributes()) == {"good"}
