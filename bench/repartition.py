"""How fast one process of `segbatch repartition` copies a full topic: records a second of the clock and of a core.

    python -m bench.repartition --records 500000

Real Kafka (as the tests find it), 6 partitions to 6, records of 0.65 KB without keys. Run beside it, for comparison: a
loop that only reads the same topic and throws the records away, with the same client.
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
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import Consumer, TopicPartition

from bench.plain import TRAFFIC
from tests.kafka import KafkaCluster, Record, real_kafka

COMMAND = str(Path(sys.executable).with_name("segbatch"))
POLL_S = 0.1


class Result(NamedTuple):
    """One run."""

    records_per_s: float
    records_per_cpu_s: float


def main() -> None:
    """Run the bench and print its figures."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--records", type=int, default=500_000)
    options.add_argument("--traffic", choices=tuple(TRAFFIC), default="plain")
    options.add_argument("--users", type=int, default=50_000)
    options.add_argument("--bytes", type=int, default=650)
    options.add_argument("--runs", type=int, default=3)
    args = options.parse_args()
    with real_kafka(heap_mb=1024) as kafka:
        source = kafka.create_topic("unkeyed", partitions=6)
        records = TRAFFIC[args.traffic](args.records, args.users, datetime.now(UTC), args.bytes)
        kafka.produce(source, (Record(record.value) for record in records), compression_type="lz4")
        print(f"{args.records:,} {args.traffic} records of about {args.bytes} bytes, 6 partitions")
        reading = [_read(kafka, source, args.records) for _ in range(args.runs)]
        copying = [_copy(kafka, source, run, args.records) for run in range(args.runs)]
    for name, results in (("only reading", reading), ("repartition", copying)):
        of_clock = statistics.median(result.records_per_s for result in results)
        of_core = statistics.median(result.records_per_cpu_s for result in results)
        print(f"{name}: {of_clock:,.0f} records/s, {of_core:,.0f} records per CPU second (median)")


def _read(kafka: KafkaCluster, topic: str, records: int) -> Result:
    consumer = Consumer({"bootstrap.servers": kafka.brokers, "group.id": "reading"})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in kafka.partitions(topic)])
    before, started = time.process_time(), time.perf_counter()
    left = records
    while left > 0:
        left -= len(consumer.consume(2_000, 1.0))
    seconds, cpu_s = time.perf_counter() - started, time.process_time() - before
    consumer.close()
    return Result(records / seconds, records / cpu_s)


def _copy(kafka: KafkaCluster, source: str, run: int, records: int) -> Result:
    target = kafka.create_topic(f"keyed-{run}", partitions=6)
    group = f"repartition-{run}"
    environ = {
        **os.environ,
        "SEGBATCH_KAFKA__BROKERS": kafka.brokers,
        "SEGBATCH_WEB__PORT": "0",
        "SEGBATCH_LOG__FORMAT": "json",
    }
    command = [COMMAND, "repartition", "--source", source, "--target", target, "--group", group]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("event") == "ready":
            break
    started = time.perf_counter()
    ends = kafka.end_offsets(source)
    while kafka.committed(group, source) != ends:
        if process.poll() is not None:
            raise SystemExit("segbatch repartition ended early")
        time.sleep(POLL_S)
    seconds = time.perf_counter() - started
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Result(records / seconds, records / cpu_s)


if __name__ == "__main__":
    main()
