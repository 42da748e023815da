"""The demonstration from start to end: Kafka, the sandbox, the workers, the traffic, and then the reckoning."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from streams.demo.comparison import examine
from streams.demo.failure import DemoFailed
from streams.demo.kafka import DemoKafka, demo_kafka
from streams.demo.observation import Observer, Snapshot
from streams.demo.processes import STOP_S, Child, Children
from streams.demo.production import Production
from streams.demo.summary import Summary, add_up, problems_of

LOOK_EVERY_S = 0.25
STALLED_S = 60.0
"""This long without any progress is a failure."""
SANDBOX_LATENCY_MS = 20

BATCH_RATE, BATCH_BURST = 300.0, 1000.0
"""Profile updates (Batch, Profiles API, "Choosing an endpoint")."""
UNDER_RATE, UNDER_BURST = 0.99, 0.95
"""What workers use of them: their defaults are 297 and 950."""


@dataclass(frozen=True)
class DemoOptions:
    """What can be chosen. `kafka`: brokers of a real cluster; None for the embedded one."""

    events: int
    seconds: float
    users: int
    seed: int
    workers: int = 1
    kafka: str | None = None
    rate: float = BATCH_RATE
    burst: float = BATCH_BURST


class View(Protocol):
    """Where progress is shown."""

    def step(self, text: str) -> None:
        """Say what is going on now."""

    def show(self, snapshot: Snapshot) -> None:
        """Show the present moment."""


class _Running(NamedTuple):
    kafka: DemoKafka
    children: Children
    workers: list[Child]
    observer: Observer
    started: float


def run_demo(options: DemoOptions, view: View, folder: Path) -> Summary:
    """Run it all; logs of the children go to `folder`. Whatever happens, they have ended when this returns.

    Raises DemoFailed if it could not be carried through, KafkaException if a real cluster refuses.
    """
    started = time.monotonic()
    view.step("starting Kafka" if options.kafka is None else "making topics")
    with demo_kafka(options.kafka) as kafka, Children(folder) as children:
        running = _start(options, kafka, children, view, started)
        production = Production(
            kafka.brokers,
            kafka.topic,
            events=options.events,
            seconds=options.seconds,
            users=options.users,
            seed=options.seed,
        )
        try:
            production.start()
            last = _watch(running, production, view)
        finally:
            production.cancel()
        return _reckon(running, production, last, view)


def _start(
    options: DemoOptions, kafka: DemoKafka, children: Children, view: View, started: float
) -> _Running:
    """Start the sandbox, then all workers; return when the group is complete and stands still."""
    limits = ["--rate", str(options.rate), "--burst", str(options.burst)]
    latency = ["--latency-ms", str(SANDBOX_LATENCY_MS)]
    view.step("starting the sandbox, a local Batch")
    sandbox = children.start("sandbox", ["sandbox", "--port", "0", *limits, *latency], {})
    url = children.address(sandbox)
    environment = {**kafka.worker_environment(options.workers), **_batch_environment(options, url)}
    view.step("waiting for the consumer group of " + _workers(options.workers))
    workers = [
        children.start(f"worker {number + 1}", ["run"], environment) for number in range(options.workers)
    ]
    observer = Observer(kafka, [children.address(worker) for worker in workers], url)
    partitions = kafka.partitions()

    def settled() -> bool:
        with suppress(OSError):
            return observer.owned_partitions() == partitions
        return False

    children.wait_until(settled, "a complete consumer group", workers[0])
    return _Running(kafka, children, workers, observer, started)


def _batch_environment(options: DemoOptions, url: str) -> dict[str, str]:
    return {
        "SEGBATCH_BATCH__BASE_URL": url,
        "SEGBATCH_BATCH__REST_API_KEY": "demo-rest-api-key",
        "SEGBATCH_BATCH__PROJECT_KEY": "demo-project-key",
        "SEGBATCH_BATCH__RATE_PER_S": str(options.rate * UNDER_RATE),
        "SEGBATCH_BATCH__BURST": str(options.burst * UNDER_BURST),
        "SEGBATCH_WEB__PORT": "0",
        "SEGBATCH_LOG__FORMAT": "json",
    }


def _watch(running: _Running, production: Production, view: View) -> Snapshot:
    """Look on until everything is produced and lag is 0; the last look."""
    view.step("producing Segment events")
    progress, moved = (-1, -1, -1), time.monotonic()
    while True:
        running.children.check()
        producing = production.is_alive()
        if production.failure is not None:
            raise DemoFailed(f"producing failed: {production.failure}")
        with suppress(OSError):
            snapshot = running.observer.look(running.started, production.events, production.produced)
            view.show(snapshot)
            if not producing and snapshot.lag == 0:
                return snapshot
            now = (snapshot.produced, snapshot.finished, -1 if snapshot.lag is None else snapshot.lag)
            if now != progress:
                progress, moved = now, time.monotonic()
        if time.monotonic() - moved > STALLED_S:
            raise DemoFailed(f"nothing has moved for {STALLED_S:.0f} s", running.workers[0])
        if not producing:
            view.step("delivering what waits")
        time.sleep(LOOK_EVERY_S)


def _reckon(running: _Running, production: Production, last: Snapshot, view: View) -> Summary:
    """Stop the workers, and compare."""
    seconds = time.monotonic() - running.started
    view.step("stopping, and comparing every profile")
    account = add_up(_stop(running.workers))
    stats = running.observer.sandbox_stats()
    profiles = running.observer.profiles()
    problems = problems_of(
        account, production.expected.counts, production.produced, running.kafka.dead_letters(), stats
    )
    return Summary(
        produced=production.produced,
        account=account,
        lag=running.kafka.lag(),
        profiles=len(profiles),
        profile_events=sum(len(profile.get("events") or []) for profile in profiles),
        differences=examine(production.expected, profiles).differences,
        problems=problems,
        refused_429=stats["refused_429"],
        tokens_waited_s=last.tokens_waited_s,
        workers=len(running.workers),
        seconds=seconds,
    )


def _stop(workers: list[Child]) -> list[dict[str, Any]]:
    """Stop the workers as an operator would; their `summary` lines."""
    summaries = []
    for worker in workers:
        worker.ask_to_stop()
    for worker in workers:
        code = worker.exit_code(STOP_S)
        if code != 0:
            ending = "did not end" if code is None else f"ended with exit code {code}"
            raise DemoFailed(f"{worker.name} {ending} after SIGTERM", worker)
        summary = worker.logged("summary")
        if summary is None:
            raise DemoFailed(f"{worker.name} wrote no summary", worker)
        summaries.append(summary)
    return summaries


def _workers(count: int) -> str:
    return "one worker" if count == 1 else f"{count} workers"
