"""Contenders do the whole job on a real Kafka: every event that the mapping keeps is accepted, and all is committed."""

from __future__ import annotations

import orjson
import pytest

from bench import processes, workloads
from bench.contestants import contenders
from bench.deliveries import deliver
from bench.processes import UNLIMITED, sandbox


@pytest.mark.parametrize("name", ["segbatch", "aiokafka", "Faust"])
def test_a_contender_delivers_a_topic(kafka, tmp_path, monkeypatch, name):
    for module in (processes, workloads):
        monkeypatch.setattr(module, "CACHE", tmp_path)
    monkeypatch.setattr("bench.deliveries.CACHE", tmp_path)
    workload = workloads.drain(400)
    topic = workload.produce(kafka)
    kept = sum(orjson.loads(each.value)["type"] in ("identify", "track") for each in workload.events())
    (contender,) = (each for each in contenders() if each.name == name)
    with sandbox("--light", "--rate", UNLIMITED, "--burst", UNLIMITED) as batch:
        run = deliver(kafka, contender.install(), topic, batch, ())
    assert run.finished
    assert run.events == 400
    assert run.refused == 0
    assert 0 < run.updates <= kept if name == "segbatch" else run.updates == kept
    assert run.cpu_s >= run.start_up_cpu_s > 0
