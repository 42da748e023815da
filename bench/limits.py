"""Limited: Batch's documented limit, against the floor of a sender that knew all events beforehand."""

from __future__ import annotations

from typing import Any

from bench import workloads
from bench.contestants import PURE, Installed
from bench.deliveries import STOP_AFTER_S, Run, deliver
from bench.machine import Cores
from bench.processes import sandbox
from bench.sizes import Sizes
from bench.workloads import BURST, RATE_PER_S, Workload
from tests.kafka import KafkaCluster

LATENCY_MS = "20"
LONGEST_S = 1800.0
"""For segbatch, which is not stopped after a minute."""


def measure(
    kafka: KafkaCluster, installed: dict[str, Installed], cores: Cores, sizes: Sizes
) -> dict[str, dict[str, Any]]:
    """By workload: events, the floor, and runs by contender: segbatch's three, one of the others."""
    measured: dict[str, dict[str, Any]] = {}
    for title, workload in (
        ("first sync", workloads.first_sync(sizes.users)),
        ("day", workloads.day(sizes.users)),
    ):
        chosen = {name: each for name, each in installed.items() if name != PURE}
        if title == "day" and not sizes.contenders_limited:
            chosen = {"segbatch": installed["segbatch"]}
        measured[title] = {
            "floor": workloads.floor(workload)._asdict(),
            "runs": _runs(kafka, workload, chosen, cores, sizes),
        }
    return measured


def _runs(
    kafka: KafkaCluster, workload: Workload, installed: dict[str, Installed], cores: Cores, sizes: Sizes
) -> dict[str, list[Run]]:
    topic = workload.produce(kafka)
    runs: dict[str, list[Run]] = {}
    limit = ("--rate", str(RATE_PER_S), "--burst", str(BURST))
    with sandbox("--light", "--latency-ms", LATENCY_MS, *limit) as batch:
        for name, contender in installed.items():
            ours = name == "segbatch"
            for _ in range(sizes.runs if ours else 1):
                longest_s = LONGEST_S if ours else STOP_AFTER_S
                run = deliver(kafka, contender, topic, batch, cores.contender, True, longest_s)
                runs.setdefault(name, []).append(run)
                print(
                    f"limited  {workload.name}  {name:14} {run.events:,} events in {run.sending_s:.1f} s, "
                    f"{run.updates:,} updates, {run.refused} calls refused",
                    flush=True,
                )
    kafka.delete_topic(topic)
    return runs
