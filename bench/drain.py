"""How fast one worker delivers a full topic: events a second until all are accepted and committed.

    python -m bench.drain --events 200000

Real Kafka (as the tests find it), 6 partitions, events of 0.65 KB, the sandbox in a process of its own, counting only
and 20 ms away, rate limits out of the way. The time runs from the worker's `ready` line to the committed end.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from bench.plain import plain_traffic
from streams.demo.traffic import generate
from tests.kafka import KafkaCluster, Record, real_kafka

COMMAND = str(Path(sys.executable).with_name("segbatch"))
POLL_S = 0.2
UNLIMITED = "1000000000"


class Result(NamedTuple):
    """One run."""

    events_per_s: float
    cpu_s_per_million: float
    updates: int
    calls: int


def main() -> None:
    """Run the bench and print its figures."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--events", type=int, default=200_000)
    options.add_argument("--traffic", choices=("plain", "mixed"), default="plain")
    options.add_argument("--users", type=int, default=50_000)
    options.add_argument("--bytes", type=int, default=650)
    options.add_argument("--latency-ms", type=float, default=20)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--workers", type=int, default=1)
    args = options.parse_args()
    with real_kafka(heap_mb=1024) as kafka:
        topic = kafka.create_topic("drain", partitions=6)
        kafka.create_topic(f"{topic}.dead-letter", partitions=6)
        now = datetime.now(UTC)
        records = TRAFFIC[args.traffic](args.events, args.users, now, args.bytes)
        kafka.produce(topic, records)
        print(
            f"{args.events:,} {args.traffic} events of about {args.bytes} bytes, {args.users:,} users, 6 partitions"
        )
        results = []
        for run in range(args.runs):
            results.append(_drain(kafka, topic, f"drain-{run}", args.events, args.latency_ms, args.workers))
            print(f"run {run + 1}: {_shown(results[-1])}", flush=True)
        median = Result(*(statistics.median(values) for values in zip(*results, strict=True)))
        print(f"median: {_shown(median)}")


def mixed_traffic(count: int, users: int, now: datetime, mean_bytes: int) -> Iterator[Record]:
    """The demo's: rich identifies, orders with arrays of products, Engage audiences and computed traits."""
    for produced in generate(count, users=users, seed=1, now=now, mean_bytes=mean_bytes, bad_share=0):
        yield Record(produced.value, produced.key)


TRAFFIC = {"plain": plain_traffic, "mixed": mixed_traffic}


def _shown(result: Result) -> str:
    return (
        f"{result.events_per_s:,.0f} events/s, {result.cpu_s_per_million:.1f} CPU s a million events, "
        f"{result.updates:,.0f} updates in {result.calls:,.0f} calls"
    )


def _drain(
    kafka: KafkaCluster, topic: str, group: str, events: int, latency_ms: float, workers: int
) -> Result:
    ends = kafka.end_offsets(topic)
    with _sandbox(latency_ms) as url:
        environ = {
            **os.environ,
            "SEGBATCH_KAFKA__BROKERS": kafka.brokers,
            "SEGBATCH_KAFKA__TOPICS": topic,
            "SEGBATCH_KAFKA__GROUP": group,
            "SEGBATCH_BATCH__BASE_URL": url,
            "SEGBATCH_BATCH__REST_API_KEY": "rest-key",
            "SEGBATCH_BATCH__PROJECT_KEY": "project_key",
            "SEGBATCH_BATCH__RATE_PER_S": UNLIMITED,
            "SEGBATCH_BATCH__BURST": UNLIMITED,
            "SEGBATCH_WEB__PORT": "0",
            "SEGBATCH_LOG__FORMAT": "json",
        }
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        processes = [_start([COMMAND, "run"], environ) for _ in range(workers)]
        for process in processes:
            _ready(process)
        started = time.perf_counter()
        while (committed := kafka.committed(group, topic)) != ends:
            if any(process.poll() is not None for process in processes):
                raise SystemExit(f"a worker ended early, at {committed}")
            time.sleep(POLL_S)
        seconds = time.perf_counter() - started
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.communicate(timeout=60)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        stats: dict[str, Any] = json.load(urllib.request.urlopen(f"{url}/_sandbox/stats"))
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Result(events / seconds, cpu_s / events * 1e6, stats["updates"], stats["calls"])


@contextmanager
def _sandbox(latency_ms: float) -> Iterator[str]:
    command = [COMMAND, "sandbox", "--port", "0", "--light", "--latency-ms", str(latency_ms)]
    process = _start([*command, "--rate", UNLIMITED, "--burst", UNLIMITED], dict(os.environ))
    try:
        yield str(_ready(process)["web"])
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def _start(command: list[str], environ: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)


def _ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{") and (entry := json.loads(line)).get("event") == "ready":
            return dict(entry)
    raise SystemExit(f"{process.args} ended before it was ready")


if __name__ == "__main__":
    main()
