"""Join: a second worker comes to a first one under steady load, with both group protocols."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from typing import Any

from bench.contestants import Installed
from bench.deliveries import environ, log
from bench.machine import Cores
from bench.pacing import LOGGING, Stream, call_answers, topic_with_append_times
from bench.processes import UNLIMITED, Process, Sandbox, sandbox, wait_until
from tests.kafka import KafkaCluster

PROTOCOLS = ("classic", "consumer")
RATE_PER_S = 500
CALM_S = 5.0
"""Steady load before the second worker starts, and after its first call."""
LONGEST_S = 120.0


def measure(kafka: KafkaCluster, segbatch: Installed, cores: Cores) -> dict[str, dict[str, Any]]:
    """By protocol, in seconds: from the second worker's start until its first accepted call, and the longest time
    between two accepted calls of the first one, before and while the second joined."""
    measured = {}
    for protocol in PROTOCOLS:
        measured[protocol] = _joined(kafka, segbatch, cores, protocol)
        print(f"join  {protocol:9} {measured[protocol]}", flush=True)
    return measured


def _joined(kafka: KafkaCluster, segbatch: Installed, cores: Cores, protocol: str) -> dict[str, Any]:
    topic = topic_with_append_times(kafka, "join")
    group = kafka.unique("bench")
    options = ("--latency-ms", "20", "--rate", UNLIMITED, "--burst", UNLIMITED, *LOGGING)
    ended = threading.Event()
    stream = Stream(kafka, topic)
    load = threading.Thread(target=stream.send, args=(RATE_PER_S, LONGEST_S, lambda: not ended.is_set()))
    # A sandbox for each worker tells their calls apart.
    with sandbox(*options) as first_batch, sandbox(*options) as second_batch:
        workers = [_worker(kafka, segbatch, cores, protocol, topic, group, first_batch)]
        load.start()
        try:
            _wait_for_calls(first_batch)
            time.sleep(CALM_S)
            begun = time.time()
            workers.append(_worker(kafka, segbatch, cores, protocol, topic, group, second_batch))
            _wait_for_calls(second_batch)
            time.sleep(CALM_S)
            first_call = call_answers(second_batch)[0][1]
            answers = [at for _, at in call_answers(first_batch)]
        finally:
            ended.set()
            load.join()
            for worker in workers:
                worker.stop()
    return {
        "first_call_s": round(first_call - begun, 2),
        "usual_gap_s": round(_longest_gap(answers, begun - CALM_S, begun), 2),
        "gap_in_join_s": round(_longest_gap(answers, begun, first_call + CALM_S), 2),
    }


def _worker(
    kafka: KafkaCluster,
    segbatch: Installed,
    cores: Cores,
    protocol: str,
    topic: str,
    group: str,
    batch: Sandbox,
) -> Process:
    told = environ(kafka, topic, group, batch) | {"SEGBATCH_KAFKA__GROUP_PROTOCOL": protocol}
    return Process(segbatch.command, told, cores.contender, log())


def _wait_for_calls(batch: Sandbox) -> None:
    if not wait_until(lambda: batch.stats()["by_status"].get("202", 0) > 0, LONGEST_S):
        raise RuntimeError(f"a worker made no call within {LONGEST_S:.0f} s")


def _longest_gap(times: list[float], begin: float, end: float) -> float:
    within = sorted(at for at in times if begin <= at <= end)
    return max((later - earlier for earlier, later in pairwise(within)), default=end - begin)
