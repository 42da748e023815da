"""Drain: a full topic, no rate limit, Batch 20 ms away."""

from __future__ import annotations

from bench import workloads
from bench.contestants import Installed
from bench.deliveries import Run, deliver, deliver_by_two
from bench.machine import Cores
from bench.processes import UNLIMITED, sandbox
from bench.sizes import Sizes
from tests.kafka import KafkaCluster

LATENCY_MS = "20"
SMALLER = 4
"""A drain of so many times fewer events tells whether costs grow as events do."""


def measure(
    kafka: KafkaCluster, installed: dict[str, Installed], cores: Cores, sizes: Sizes
) -> dict[str, list[Run]]:
    """Runs by contender. Those of segbatch with two workers are `two workers`, those of a smaller topic `smaller`.
    The contenders take turns, so that a busy moment of the machine does not fall on one alone."""
    topic = workloads.drain(sizes.events).produce(kafka)
    smaller = workloads.drain(sizes.events // SMALLER).produce(kafka)
    segbatch = installed["segbatch"]
    runs: dict[str, list[Run]] = {}
    with sandbox("--light", "--latency-ms", LATENCY_MS, "--rate", UNLIMITED, "--burst", UNLIMITED) as batch:
        for _ in range(sizes.runs):
            for name, contender in installed.items():
                _note(runs, name, deliver(kafka, contender, topic, batch, cores.contender))
            both = [cores.contender, cores.second if len(cores.others) > 1 else cores.contender]
            _note(runs, "two workers", deliver_by_two(kafka, segbatch, topic, batch, both))
            _note(runs, "smaller", deliver(kafka, segbatch, smaller, batch, cores.contender))
    kafka.delete_topic(topic)
    kafka.delete_topic(smaller)
    return runs


def _note(runs: dict[str, list[Run]], name: str, run: Run) -> None:
    runs.setdefault(name, []).append(run)
    end = "" if run.finished else ", stopped"
    end += f", disturbed {run.disturbed:.0%}"
    print(
        f"drain  {name:14} {run.events_per_s:8,.0f} events/s  {run.cpu_per_million:6.1f} CPU s a million "
        f"({run.running_cpu_per_million:.1f} without start-up)  {run.peak_mb:.0f} MB{end}",
        flush=True,
    )
