"""The machine that the bench runs on: its cores, and the words for the report. Linux only."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import NamedTuple

from tests.kafka.broker import KAFKA_VERSION

LIBRARIES = ("aiohttp", "aiokafka", "confluent-kafka", "faust-streaming", "orjson", "uvloop")


class Cores(NamedTuple):
    """Who runs where: a contender has one core to itself, Kafka, the sandbox and the bench have the others."""

    contender: tuple[int, ...]
    second: tuple[int, ...]
    """The core of a second worker, where there is one to spare."""
    others: tuple[int, ...]
    pinned: bool


def share_out() -> Cores:
    """Give the last core to the contender and move this process, and so Kafka and the sandbox, to the others."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        return Cores(tuple(usable), tuple(usable), tuple(usable), False)
    second = usable[-2:-1] if len(usable) > 2 else usable
    others = [core for core in usable[:-1] if core not in second] if len(usable) > 2 else usable[:-1]
    os.sched_setaffinity(0, others)
    return Cores((usable[-1],), tuple(second), tuple(others), True)


def described(cores: Cores) -> list[str]:
    """What the figures depend on: processor, cores, memory, versions. No names of hosts, no paths."""
    memory_kb = int(_first_line("/proc/meminfo", "MemTotal").split()[0])
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    return [
        f"{_first_line('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores, {memory_kb / 2**20:.0f} GiB",
        _sharing(cores),
        f"Linux {platform.release().split('-')[0]}, Python {platform.python_version()}, Apache Kafka {KAFKA_VERSION}",
        versions,
    ]


def _sharing(cores: Cores) -> str:
    if not cores.pinned:
        return "one core for everything: nothing is pinned"
    others = "the other" if len(cores.others) == 1 else f"{len(cores.others)} others"
    return f"a contender has one core; Kafka, the sandbox and the bench have {others}"


def _first_line(file: str, key: str) -> str:
    for line in Path(file).read_text().splitlines():
        if line.startswith(key):
            return line.partition(":")[2].strip()
    return "unknown"
