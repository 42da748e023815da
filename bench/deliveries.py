"""One run of a contender: from its first assignment to the last commit, and what it cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.contestants import Installed
from bench.processes import CACHE, UNLIMITED, Process, Sandbox, busy_s, wait_until
from bench.workloads import PARTITIONS
from tests.kafka import KafkaCluster

JOIN_TIMEOUT_S = 60.0
STOP_AFTER_S = 60.0
POLL_S = 0.1

PAUSED = "delivery:\n  enabled: false\n"


class Run(NamedTuple):
    """What one run did. Times count from the moment when all partitions were assigned."""

    events: int
    """Records committed."""
    seconds: float
    finished: bool
    """False: stopped before."""
    start_up_s: float
    start_up_cpu_s: float
    cpu_s: float
    """From the start of the process, start-up included."""
    peak_mb: float
    calls: int
    updates: int
    refused: int
    """Calls answered with 429."""
    sending_s: float
    """From the first call to the last one accepted."""
    disturbed: float
    """The part of the contender's cores that others had meanwhile: a quiet machine has about 0."""

    @property
    def events_per_s(self) -> float:
        return self.events / self.seconds

    @property
    def cpu_per_million(self) -> float:
        """CPU seconds a million events, start-up included."""
        return self.cpu_s / max(1, self.events) * 1e6

    @property
    def running_cpu_per_million(self) -> float:
        """CPU seconds a million events, without the start-up."""
        return (self.cpu_s - self.start_up_cpu_s) / max(1, self.events) * 1e6


def environ(
    kafka: KafkaCluster, topic: str, group: str, sandbox: Sandbox, limited: bool = False
) -> dict[str, str]:
    """What contenders are told, segbatch by its own settings and the others by bench's. Without `limited`, no limit."""
    told = {
        "BENCH_BROKERS": kafka.brokers,
        "BENCH_TOPIC": topic,
        "BENCH_GROUP": group,
        "BENCH_URL": sandbox.update_url,
        "SEGBATCH_KAFKA__BROKERS": kafka.brokers,
        "SEGBATCH_KAFKA__TOPICS": topic,
        "SEGBATCH_KAFKA__GROUP": group,
        "SEGBATCH_BATCH__BASE_URL": sandbox.url,
        "SEGBATCH_BATCH__REST_API_KEY": "rest-key",
        "SEGBATCH_BATCH__PROJECT_KEY": "project-key",
        "SEGBATCH_WEB__PORT": "0",
        "SEGBATCH_LOG__FORMAT": "json",
    }
    if not limited:
        told |= {"SEGBATCH_BATCH__RATE_PER_S": UNLIMITED, "SEGBATCH_BATCH__BURST": UNLIMITED}
    return told


def deliver(
    kafka: KafkaCluster,
    contender: Installed,
    topic: str,
    sandbox: Sandbox,
    cores: Sequence[int],
    limited: bool = False,
    stop_after_s: float = STOP_AFTER_S,
) -> Run:
    """Run one process of the contender on the whole topic. Raises RuntimeError if it ends early or never joins."""
    group = kafka.unique("bench")
    sandbox.reset()
    told = environ(kafka, topic, group, sandbox, limited)
    process = Process(contender.command, told, cores, log())
    try:
        _wait_for_assignment(kafka, group, [process])
        return _measured(kafka, topic, group, sandbox, [process], cores, stop_after_s)
    finally:
        process.stop()


def deliver_by_two(
    kafka: KafkaCluster, segbatch: Installed, topic: str, sandbox: Sandbox, cores: Sequence[Sequence[int]]
) -> Run:
    """Run two workers of segbatch, which begin together: they are paused until each has half of the partitions."""
    group = kafka.unique("bench")
    sandbox.reset()
    settings = CACHE / "two-workers.yaml"
    settings.write_text(PAUSED)
    told = environ(kafka, topic, group, sandbox) | {"SEGBATCH_CONFIG": str(settings)}
    used = sorted({core for each in cores for core in each})
    processes = [Process(segbatch.command, told, each, log()) for each in cores]
    try:
        _wait_for_assignment(kafka, group, processes)
        settings.write_text(PAUSED.replace("false", "true"))
        for process in processes:
            process.hang_up()
        return _measured(kafka, topic, group, sandbox, processes, used, STOP_AFTER_S)
    finally:
        for process in processes:
            process.stop()


def _wait_for_assignment(kafka: KafkaCluster, group: str, processes: Sequence[Process]) -> None:
    def assigned() -> bool:
        _check(processes)
        shares = [len(share) for share in kafka.assignments(group).values()]
        return sum(shares) == PARTITIONS and len(shares) == len(processes) and min(shares) > 0

    if not wait_until(assigned, JOIN_TIMEOUT_S):
        raise RuntimeError(
            f"the group had not all partitions after {JOIN_TIMEOUT_S:.0f} s: {kafka.assignments(group)}"
        )


def _measured(
    kafka: KafkaCluster,
    topic: str,
    group: str,
    sandbox: Sandbox,
    processes: Sequence[Process],
    cores: Sequence[int],
    stop_after_s: float,
) -> Run:
    begun, busy_before = time.monotonic(), busy_s(cores)
    start_up_cpu_s = sum(process.cpu_s() for process in processes)
    ends = kafka.end_offsets(topic)
    while True:
        _check(processes)
        committed = kafka.committed(group, topic)
        seconds = time.monotonic() - begun
        finished = committed == ends
        if finished or seconds > stop_after_s:
            break
        time.sleep(POLL_S)
    cpu_s = sum(process.cpu_s() for process in processes)
    others_s = busy_s(cores) - busy_before - (cpu_s - start_up_cpu_s)
    peak_mb = max(process.peak_mb() for process in processes)
    stats = sandbox.stats()
    return Run(
        sum(committed.values()),
        seconds,
        finished,
        begun - processes[0].started,
        start_up_cpu_s,
        cpu_s,
        peak_mb,
        stats["calls"],
        stats["updates"],
        stats["refused_429"],
        stats["seconds"],
        max(0.0, others_s) / (seconds * len(cores)) if cores else 0.0,
    )


def _check(processes: Sequence[Process]) -> None:
    if any(process.ended for process in processes):
        raise RuntimeError(f"a contender ended early; {log()} has its last words")


def log() -> Path:
    """What contenders write goes here."""
    return CACHE / "contenders.log"
