"""Memory: a worker under Batch's limit with more to read than it may hold, so that its bounds are full all the time."""

from __future__ import annotations

import statistics
import time
from typing import Any

from bench import workloads
from bench.contestants import Installed
from bench.deliveries import environ, log
from bench.machine import Cores
from bench.processes import Process, sandbox
from bench.sizes import Sizes
from bench.workloads import BURST, RATE_PER_S
from tests.kafka import KafkaCluster

SAMPLE_S = 1.0


def measure(kafka: KafkaCluster, segbatch: Installed, cores: Cores, sizes: Sizes) -> dict[str, Any]:
    """Resident memory, MB: the peak, and the medians of the second and the last quarter of the time."""
    topic = workloads.drain(sizes.memory_events).produce(kafka)
    group = kafka.unique("bench")
    samples = []
    with sandbox("--light", "--latency-ms", "20", "--rate", str(RATE_PER_S), "--burst", str(BURST)) as batch:
        worker = Process(segbatch.command, environ(kafka, topic, group, batch, True), cores.contender, log())
        try:
            end = time.monotonic() + sizes.memory_s
            while time.monotonic() < end:
                time.sleep(SAMPLE_S)
                samples.append(worker.memory_mb())
            peak = worker.peak_mb()
        finally:
            worker.stop()
    kafka.delete_topic(topic)
    quarter = max(1, len(samples) // 4)
    measured = {
        "seconds": sizes.memory_s,
        "peak_mb": round(peak),
        "second_quarter_mb": round(statistics.median(samples[quarter : 2 * quarter])),
        "last_quarter_mb": round(statistics.median(samples[-quarter:])),
    }
    print(f"memory  {measured}", flush=True)
    return measured
