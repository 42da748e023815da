"""The figures that segbatch is to reach, each with what was measured and whether that is enough."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any, NamedTuple

Results = dict[str, Any]
Runs = list[dict[str, Any]]


class Goal(NamedTuple):
    """One figure."""

    what: str
    wanted: str
    measured: str
    met: bool


def median(runs: Runs, field: str) -> float:
    return float(statistics.median(run[field] for run in runs))


def events_per_s(runs: Runs) -> float:
    return float(statistics.median(run["events"] / run["seconds"] for run in runs))


def cpu_per_million(runs: Runs) -> float:
    """CPU seconds a million committed events, start-up included."""
    return float(statistics.median(run["cpu_s"] / max(1, run["events"]) * 1e6 for run in runs))


def running_cpu_per_million(runs: Runs) -> float:
    """The same without what the process had used when it got its partitions."""
    return float(
        statistics.median(
            (run["cpu_s"] - run["start_up_cpu_s"]) / max(1, run["events"]) * 1e6 for run in runs
        )
    )


def goals(results: Results) -> Iterator[Goal]:
    """The goals of the parts that were measured."""
    if "drain" in results:
        yield from _drain(results["drain"])
    for title, part in results.get("limited", {}).items():
        yield from _limited(title, part)
    for title, part in results.get("latency", {}).items():
        yield Goal(f"latency, {title}: p99", "under 300 ms", f"{part['p99']} ms", part["p99"] < 300)
    if memory := results.get("memory"):
        growth = memory["last_quarter_mb"] / memory["second_quarter_mb"]
        yield Goal("memory, bounds full", "under 400 MB", f"{memory['peak_mb']} MB", memory["peak_mb"] < 400)
        yield Goal("memory, last quarter to second", "flat (at most 1.05)", f"{growth:.2f}", growth <= 1.05)


def _drain(drain: dict[str, Runs]) -> Iterator[Goal]:
    ours = drain["segbatch"]
    speed, cpu = events_per_s(ours), running_cpu_per_million(ours)
    yield Goal("drain, one worker", "50,000 events/s", f"{speed:,.0f} events/s", speed >= 50_000)
    yield Goal("drain, CPU a million events, without start-up", "at most 14 s", f"{cpu:.1f} s", cpu <= 14)
    for name, factor in (("Faust", 8), ("Quix Streams", 1), ("Arroyo", 1), ("aiokafka", 1)):
        if name in drain:
            ratio = speed / events_per_s(drain[name])
            yield Goal(f"drain, speed against {name}", f"at least {factor}", f"{ratio:.2f}", ratio >= factor)
    if "Bento" in drain:
        ratio = cpu / running_cpu_per_million(drain["Bento"])
        yield Goal("drain, CPU an event against Bento", "at most 0.6", f"{ratio:.2f}", ratio <= 0.6)
    ratio = running_cpu_per_million(drain["two workers"]) / cpu
    yield Goal("drain, CPU an event of two workers to one", "at most 1.10", f"{ratio:.2f}", ratio <= 1.10)
    ratio = cpu / running_cpu_per_million(drain["smaller"])
    yield Goal(
        "drain, CPU an event against a topic a quarter as large",
        "at most 1.10",
        f"{ratio:.2f}",
        ratio <= 1.10,
    )


def _limited(title: str, part: dict[str, Any]) -> Iterator[Goal]:
    runs, floor = part["runs"]["segbatch"], part["floor"]
    seconds, refused = median(runs, "sending_s"), max(run["refused"] for run in runs)
    if floor["seconds"]:
        ratio = seconds / floor["seconds"]
        yield Goal(f"limited, {title}: time to the floor", "at most 1.03", f"{ratio:.3f}", ratio <= 1.03)
    yield Goal(f"limited, {title}: calls refused (429)", "0", f"{refused}", refused == 0)
