"""A worker process whose mappings change while it runs, on the embedded Kafka."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.integration.local_batch import LocalBatch
from tests.integration.scene import Scene, identify
from tests.integration.test_embedded import RANGE, EmbeddedCluster
from tests.integration.workers import Worker, wait_until
from tests.kafka import Record
from tests.kafka.broker import ExternalBroker

FILE = """\
- name: {name}
  preset: update-profile
  mapping:
    profileAttributes: {{made_by: {name}}}
"""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    host = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "", "log_level": 0})
    brokers = host.list_topics(timeout=10).brokers.values()
    address = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
    scene = Scene(EmbeddedCluster(ExternalBroker(address)), LocalBatch(), tmp_path)
    yield scene
    scene.close()


def made_by(scene: Scene, user: str) -> Any:
    return scene.batch.attributes().get(user, {}).get("made_by")


def ready_page(worker: Worker) -> dict[str, Any]:
    with urllib.request.urlopen(f"{worker.web}/readyz", timeout=5) as response:
        page: dict[str, Any] = json.load(response)
    return page


def send(scene: Scene, user: str) -> None:
    scene.kafka.produce(scene.topic, [Record(identify(user, plan="x"), user.encode())])


def test_a_good_file_takes_over_and_a_bad_one_is_refused_while_the_worker_runs(
    scene: Scene, tmp_path: Path
) -> None:
    file = tmp_path / "mappings.yaml"
    file.write_text(FILE.format(name="one"))
    send(scene, "a")
    worker = scene.worker(KAFKA__LIBRDKAFKA=RANGE, MAPPINGS=str(file)).ready()
    wait_until(lambda: made_by(scene, "a") == "one", "the first mappings")

    file.write_text(FILE.format(name="two"))
    worker.hang_up()
    worker.wait_for("mappings read again")
    send(scene, "b")
    wait_until(lambda: made_by(scene, "b") == "two", "the second mappings")

    file.write_text("- {name: three, preset: none}")
    worker.hang_up()
    refused = worker.wait_for("the mappings file is refused; the mappings in force stay")
    assert "mapping 'three', preset" in refused["problems"][0]
    page = ready_page(worker)
    assert (page["ok"], page["mappings"]["mappings"], len(page["mappings"]["problems"])) == (True, ["two"], 1)
    assert worker.metric("segbatch_mappings_reloads_total", result="refused") == 1
    assert worker.metric("segbatch_mappings_reloads_total", result="applied") == 1
    send(scene, "c")
    wait_until(lambda: made_by(scene, "c") == "two", "the second mappings still")
    assert worker.stop() == 0


def test_a_bad_file_at_the_start_is_exit_code_78(scene: Scene, tmp_path: Path) -> None:
    file = tmp_path / "mappings.yaml"
    file.write_text("mappings: 3")
    worker = scene.worker(KAFKA__LIBRDKAFKA=RANGE, MAPPINGS=str(file))
    assert worker.exit_code() == 78
    assert any("mappings.yaml:1:11" in line for line in worker.not_json)
