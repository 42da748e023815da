"""A worker process whose mappings change while it runs, on the embedded Kafka."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

from tests.integration.embedded import RANGE
from tests.integration.scene import Scene, identify
from tests.integration.workers import Worker, wait_until
from tests.kafka import Record

FILE = """\
- name: {name}
  preset: update-profile
  mapping:
    profileAttributes: {{made_by: {name}}}
"""


def made_by(scene: Scene, user: str) -> Any:
    return scene.batch.attributes().get(user, {}).get("made_by")


def ready_page(worker: Worker) -> dict[str, Any]:
    with urllib.request.urlopen(f"{worker.web}/readyz", timeout=5) as response:
        page: dict[str, Any] = json.load(response)
    return page


def send(scene: Scene, user: str) -> None:
    scene.kafka.produce(scene.topic, [Record(identify(user, plan="x"), user.encode())])


def test_a_good_file_takes_over_and_a_bad_one_is_refused_while_the_worker_runs(
    embedded: Scene, tmp_path: Path
) -> None:
    file = tmp_path / "mappings.yaml"
    file.write_text(FILE.format(name="one"))
    send(embedded, "a")
    worker = embedded.worker(KAFKA__LIBRDKAFKA=RANGE, MAPPINGS=str(file)).ready()
    wait_until(lambda: made_by(embedded, "a") == "one", "the first mappings")

    file.write_text(FILE.format(name="two"))
    worker.hang_up()
    worker.wait_for("mappings read again")
    send(embedded, "b")
    wait_until(lambda: made_by(embedded, "b") == "two", "the second mappings")

    file.write_text("- {name: three, preset: none}")
    worker.hang_up()
    refused = worker.wait_for("the mappings file is refused; the mappings in force stay")
    assert "mapping 'three', preset" in refused["problems"][0]
    page = ready_page(worker)
    assert (page["ok"], page["mappings"]["mappings"], len(page["mappings"]["problems"])) == (True, ["two"], 1)
    assert worker.metric("segbatch_mappings_reloads_total", result="refused") == 1
    assert worker.metric("segbatch_mappings_reloads_total", result="applied") == 1
    send(embedded, "c")
    wait_until(lambda: made_by(embedded, "c") == "two", "the second mappings still")
    assert worker.stop() == 0


def test_a_bad_file_at_the_start_is_exit_code_78(embedded: Scene, tmp_path: Path) -> None:
    file = tmp_path / "mappings.yaml"
    file.write_text("mappings: 3")
    worker = embedded.worker(KAFKA__LIBRDKAFKA=RANGE, MAPPINGS=str(file))
    assert worker.exit_code() == 78
    assert any("mappings.yaml:1:11" in line for line in worker.not_json)
