"""Latency: from the record's append in Kafka to Batch's acceptance of the event, when tokens are no limit."""

from __future__ import annotations

from typing import Any

from bench.contestants import Installed
from bench.deliveries import environ, log
from bench.machine import Cores
from bench.pacing import LOGGING, Stream, acceptances, topic_with_append_times
from bench.processes import UNLIMITED, Process, sandbox, wait_until
from bench.sizes import Sizes
from tests.kafka import KafkaCluster

STEADY_PER_S = 200
BURST_PER_S = 10 * STEADY_PER_S
LATENCY_MS = "20"
"""Batch's own time to answer: it is in every figure."""


def measure(
    kafka: KafkaCluster, segbatch: Installed, cores: Cores, sizes: Sizes
) -> dict[str, dict[str, Any]]:
    """Percentiles in ms, by part: steady, burst, and steady again after it."""
    topic = topic_with_append_times(kafka, "latency")
    group = kafka.unique("bench")
    options = ("--latency-ms", LATENCY_MS, "--rate", UNLIMITED, "--burst", UNLIMITED)
    with sandbox(*options, *LOGGING) as batch:
        worker = Process(segbatch.command, environ(kafka, topic, group, batch), cores.contender, log())
        try:
            stream = Stream(kafka, topic)
            # What the first events of a process cost is its start-up, not its latency.
            stream.send(STEADY_PER_S, 1)
            if not wait_until(lambda: kafka.lag(group, topic) == 0, 60):
                raise RuntimeError("the worker did not deliver the first second of events")
            parts = {
                "steady": stream.send(STEADY_PER_S, sizes.steady_s),
                "burst": stream.send(BURST_PER_S, sizes.steady_s / 10),
                "after the burst": stream.send(STEADY_PER_S, sizes.steady_s / 3),
            }
            if not wait_until(lambda: kafka.lag(group, topic) == 0, 60):
                raise RuntimeError("the worker did not deliver all events")
            taken = acceptances(batch)
        finally:
            worker.stop()
    measured = {}
    for name, numbers in parts.items():
        measured[name] = _shown([taken[number] - stream.appended[number] for number in numbers])
        print(f"latency  {name:16} {measured[name]}", flush=True)
    return measured


def _shown(seconds: list[float]) -> dict[str, Any]:
    ordered = sorted(seconds)
    places = {"p50": 0.50, "p99": 0.99}
    shown = {name: round(1000 * ordered[int(len(ordered) * share)]) for name, share in places.items()}
    return {"events": len(ordered), **shown, "max": round(1000 * ordered[-1])}
