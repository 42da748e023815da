"""The dead letters of a backfill: how they are shown, and that they can be replayed like those of the workers."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.integration.backfills import Backfill
from tests.integration.conftest import MakeScene
from tests.integration.local_batch import LocalBatch
from tests.integration.scene import Scene, identify
from tests.integration.workers import SEGBATCH, environment
from tests.kafka import Record

USER, LARGE_USER = "a-user-with-a-long-id", "a-user-with-much-to-say"


@pytest.fixture
def lenient() -> Iterator[LocalBatch]:
    """The same Batch, after its limit was raised."""
    batch = LocalBatch()
    yield batch
    batch.close()


def dead_letters(scene: Scene, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [SEGBATCH, "dead-letters", *arguments],
        env=environment(scene.settings()),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def write_history(file: Path) -> Path:
    """A user whom Batch refuses, and another one, whose letter is too large for the topic."""
    bought = {"type": "track", "userId": USER, "event": "Bought", "timestamp": datetime.now(UTC).isoformat()}
    noise = random.Random(1)
    much = {f"t{number}": noise.randbytes(100).hex() for number in range(40)}
    events = [
        identify(USER, "2026-01-01T00:00:00Z", plan="old", city="Paris"),
        json.dumps(bought).encode(),
        identify(LARGE_USER, "2026-01-01T00:00:00Z", **much),
        identify("short", "2026-01-01T00:00:00Z", plan="gold"),
    ]
    file.write_bytes(b"\n".join(events) + b"\n")
    return file


def test_letters_of_a_backfill_go_to_the_workers_and_history_is_called_so(
    make_scene: MakeScene, lenient: LocalBatch, tmp_path: Path
) -> None:
    scene = make_scene(max_custom_id_chars=10)
    scene.kafka.create_topic(scene.topic, 6)
    scene.kafka.create_topic(scene.dead_letter_topic, 6, max_message_bytes="4000")
    history = write_history(tmp_path / "history.jsonl")
    backfill = Backfill(
        scene.settings(), tmp_path, str(history), "--types", "identify,track", "--settle", "0", "--json"
    )
    report = backfill.report()
    assert report["dead_lettered"] == {"refused_by_batch": 2}
    assert scene.batch.attributes() == {"short": {"plan": "gold"}}

    letters = {each["value_left_out"]: each for each in json.loads(dead_letters(scene, "list", "--json"))}
    assert {(each["backfill"], each["profile"]) for each in letters.values()} == {(report["id"], "")}
    shown = dead_letters(scene, "show", f"{letters[False]['partition']}:{letters[False]['offset']}")
    assert f"record    none: an update of the backfill {report['id']}, for {scene.topic}" in shown

    planned = dead_letters(scene, "replay", "--dry-run")
    assert f"of backfill {report['id']}: 2 letters. They are history" in planned
    told = dead_letters(scene, "replay", code=1)
    assert "1 of 2 letters replayed" in told
    assert "1 cannot be replayed: an update of a backfill that was too large for the dead letters" in told
    scene.kafka.produce(scene.topic, [Record(identify(USER, plan="new"), USER.encode())])

    worker = scene.start(scene.settings(BATCH__BASE_URL=lenient.url)).ready()
    scene.wait_until_drained()
    assert worker.stop() == 0
    assert worker.summary["records"] == {"accepted": 2, "skipped": {}, "dead_lettered": {}}
    (profile,) = lenient.profiles()
    assert profile["attributes"] == {"plan": "new", "city": "Paris"}
    assert [event["name"] for event in profile["events"]] == ["bought"]
    replayed, live = scene.kafka.read_all(scene.topic)
    assert (replayed.key(), replayed.partition()) == (live.key(), live.partition())
    assert "0 of 0 letters replayed" in dead_letters(
        scene, "replay", "--partition", str(replayed.partition())
    )


def test_what_is_refused_again_is_a_letter_of_a_record_that_names_the_backfill(
    make_scene: MakeScene, tmp_path: Path
) -> None:
    scene = make_scene(max_custom_id_chars=10).create_topics()
    history = tmp_path / "history.jsonl"
    history.write_bytes(identify(USER, "2026-01-01T00:00:00Z", plan="old") + b"\n")
    report = Backfill(scene.settings(), tmp_path, str(history), "--settle", "0", "--json").report()
    dead_letters(scene, "replay")
    worker = scene.worker().ready()
    scene.wait_until_drained()
    assert worker.stop() == 0
    assert worker.summary["records"]["dead_lettered"] == {"refused_by_batch": 1}
    first, again = json.loads(dead_letters(scene, "list", "--json"))
    assert (first["replayed"], again["replayed"], again["mappings"]) == (True, False, [])
    assert (again["record"]["partition"], again["record"]["offset"]) == (first["partition"], 0)
    shown = json.loads(dead_letters(scene, "show", f"{again['partition']}:{again['offset']}", "--json"))
    assert {"name": "segbatch.backfill", "value": report["id"]} in shown["headers"]
