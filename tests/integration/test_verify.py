"""`segbatch verify` on a real Kafka: every planted difference is found, and nothing else."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import MakeScene
from tests.integration.scene import PROJECT_KEY, REST_API_KEY, Scene, identify, traffic
from tests.integration.workers import SEGBATCH, environment
from tests.kafka import Record

EXPORTS = {"export_ms": 0, "export_rate": 1000, "export_burst": 1000}


def verify(scene: Scene, directory: Path, *options: str, code: int = 0) -> Any:
    """The outcome of the command as JSON, after it exited with `code`."""
    done = subprocess.run(
        [SEGBATCH, "verify", "--json", *options],
        env=environment(scene.settings()),
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    print(done.stderr)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout) if done.stdout else done.stderr


def plant(scene: Scene, custom_id: str, **attributes: Any) -> None:
    """Give a profile other attributes, behind the worker's back."""
    body = json.dumps([{"identifiers": {"custom_id": custom_id}, "attributes": attributes}]).encode()
    headers = {
        "Authorization": f"Bearer {REST_API_KEY}",
        "X-Batch-Project": PROJECT_KEY,
        "Content-Type": "application/json",
    }
    request = urllib.request.Request(f"{scene.batch.url}/2.11/profiles/update", body, headers)
    with urllib.request.urlopen(request, timeout=20) as response:
        assert json.load(response) == {"code": "SUCCESS"}


@pytest.fixture
def scene(make_scene: MakeScene) -> Scene:
    return make_scene(**EXPORTS).create_topics()


def delivered(scene: Scene) -> None:
    worker = scene.worker().ready()
    scene.wait_until_drained()
    assert worker.stop() == 0


def test_realistic_traffic_arrives_and_is_found_equal(scene: Scene, tmp_path: Path) -> None:
    scene.produce(traffic(3000, users=400))
    delivered(scene)

    outcome = verify(scene, tmp_path, "--settle", "0")

    assert outcome["differences"] == []
    assert outcome["ok"] is True
    assert outcome["undelivered"] == 0
    profiles = outcome["profiles"]
    with_attributes = {custom_id for custom_id, each in scene.batch.attributes().items() if each}
    assert profiles["compared"] == profiles["equal"] >= len(with_attributes) > 100


def test_planted_differences_are_found_and_nothing_else(scene: Scene, tmp_path: Path) -> None:
    born = "1990-01-02T03:04:05.000Z"
    records = [
        Record(
            identify(f"user-{number}", plan="gold", logins=number, born=born, motto="à la carte, always"),
            b"u",
        )
        for number in range(40)
    ]
    scene.kafka.produce(scene.topic, records)
    delivered(scene)
    scene.kafka.produce(scene.topic, [Record(identify("user-never-sent", plan="gold"), b"u")])
    plant(scene, "user-1", logins="1")
    plant(scene, "user-2", **{"date(born)": "1990-01-02T05:04:05.000Z"})
    plant(scene, "user-3", motto="à la carte")
    plant(scene, "user-4", motto="Ã\xa0 la carte, always")
    plant(scene, "user-5", plan=None)
    plant(scene, "user-6", another="attribute")
    plant(scene, "stranger", plan="gold")

    outcome = verify(scene, tmp_path, "--settle", "0", code=1)

    found = {(each["custom_id"], each["attribute"], each["kind"]) for each in outcome["differences"]}
    assert found == {
        ("user-1", "logins", "type"),
        ("user-2", "born", "timezone"),
        ("user-3", "motto", "truncated"),
        ("user-4", "motto", "encoding"),
        ("user-5", "plan", "missing"),
        ("user-never-sent", None, "missing_profile"),
    }
    assert outcome["profiles"] == {
        "compared": 41,
        "equal": 35,
        "missing": 1,
        "different": 5,
        "exported": 41,
    }
    assert outcome["undelivered"] == 1
    assert outcome["may_be_pending"] is True
    assert "à la carte" not in json.dumps(outcome, ensure_ascii=False)
    with_values = verify(scene, tmp_path, "--settle", "0", "--values", code=1)
    assert {"expected": 1, "found": "1"}.items() <= next(
        each for each in with_values["differences"] if each["custom_id"] == "user-1"
    ).items()


def test_what_newer_events_have_changed_is_no_difference(scene: Scene, tmp_path: Path) -> None:
    old, new = 1_767_225_600_000, 1_767_312_000_000
    first = [Record(identify("user-1", plan="basic", city="Lyon"), b"user-1", timestamp_ms=old)]
    second = [Record(identify("user-1", plan="gold"), b"user-1", timestamp_ms=new)]
    scene.kafka.produce(scene.topic, first)
    scene.kafka.produce(scene.topic, second)
    delivered(scene)
    end = ("--to", "2026-01-01T12:00:00Z", "--settle", "0")

    outcome = verify(scene, tmp_path, *end)
    assert (outcome["ok"], outcome["changed_meanwhile"]) == (True, 1)
    assert outcome["may_be_pending"] is False, "all of it is old"

    plant(scene, "user-1", city="Paris")
    outcome = verify(scene, tmp_path, *end, code=1)
    assert [each["attribute"] for each in outcome["differences"]] == ["city"]


def test_a_sample_compares_so_many(scene: Scene, tmp_path: Path) -> None:
    scene.kafka.produce(
        scene.topic, [Record(identify(f"user-{number}", plan="gold"), b"u") for number in range(50)]
    )
    delivered(scene)

    outcome = verify(scene, tmp_path, "--settle", "0", "--profiles", "10")
    assert outcome["profiles"] == {
        "compared": 10,
        "equal": 10,
        "missing": 0,
        "different": 0,
        "exported": 50,
    }


def test_settling_is_waited_for(make_scene: MakeScene, tmp_path: Path) -> None:
    """Batch applies everything three seconds late: what was sent just now is compared after that."""
    scene = make_scene(**EXPORTS, apply_delay_ms=3000).create_topics()
    worker = scene.worker().ready()
    scene.kafka.produce(scene.topic, [Record(identify("user-1", plan="gold"), b"user-1")])
    scene.wait_until_drained()
    assert worker.stop() == 0

    assert verify(scene, tmp_path, "--settle", "5")["ok"] is True


def test_a_backfill_of_files_is_verified_by_its_id(scene: Scene, tmp_path: Path) -> None:
    lines = [json.loads(identify(f"user-{number}", plan="gold", n=number)) for number in range(30)]
    at = "2026-01-01T00:00:00Z"
    (tmp_path / "events.jsonl").write_text("\n".join(json.dumps(line | {"timestamp": at}) for line in lines))
    settings = environment(scene.settings())
    done = subprocess.run(
        [SEGBATCH, "backfill", "events.jsonl", "--settle", "0", "--json"],
        env=settings,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [backfill] = [path.name for path in (tmp_path / ".segbatch").iterdir() if path.is_dir()]

    assert verify(scene, tmp_path, "--backfill", backfill, "--settle", "0")["profiles"]["equal"] == 30
    plant(scene, "user-7", n=70)
    outcome = verify(scene, tmp_path, "--backfill", backfill, "--settle", "0", code=1)
    assert outcome["differences"] == [{"custom_id": "user-7", "attribute": "n", "kind": "value"}]


def test_an_export_is_used_again(scene: Scene, tmp_path: Path) -> None:
    scene.kafka.produce(scene.topic, [Record(identify("user-1", plan="gold"), b"user-1")])
    delivered(scene)
    export = verify(scene, tmp_path, "--settle", "0")["export"]
    plant(scene, "user-1", plan="silver")

    assert verify(scene, tmp_path, "--export", export)["export"] == export
    scene.kafka.produce(scene.topic, [Record(identify("user-1", city="Lyon"), b"user-1")])
    told = verify(scene, tmp_path, "--export", export, code=2)
    assert "was asked for with other attributes" in told


def test_trouble_is_told_in_a_line(make_scene: MakeScene, tmp_path: Path) -> None:
    scene = make_scene(**EXPORTS, rest_api_key="another").create_topics()
    scene.kafka.produce(scene.topic, [Record(identify("user-1", plan="gold"), b"user-1")])

    told = verify(scene, tmp_path, "--settle", "0", code=2)
    assert "batch.rest_api_key" in told
    assert REST_API_KEY not in told
    assert "no backfill 'x'" in verify(scene, tmp_path, "--backfill", "x", code=2)
    told = verify(scene, tmp_path, "--backfill", "x", "--to", "2026-01-01", code=2)
    assert "leave --from, --to and --topic out" in told
    assert "--from 'soon' is not an ISO 8601 time" in verify(scene, tmp_path, "--from", "soon", code=2)
