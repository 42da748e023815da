"""A whole user base brought over while the live stream goes on, and the process killed twice.

    python -m bench.backfill                                    # 2,000,000 identifies of 400,000 users
    python -m bench.backfill --fold-only --events 10000000 --users 2000000

Half of the history lies in gzip files, roughly in order of time, half in a topic of a real Kafka. Each event sets some
of five attributes, so the fold matters. The sandbox applies calls late, and lets mass-update and update overtake one
another; a worker delivers live events of some of the same users all the while. In the end its profiles must be the fold
of everything. `--fold-only` reads and folds the files alone (a dry run). Ratios are to orjson.loads of the same events.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from bench.processes import COMMAND, launched, ready
from streams.letter import iso_time
from tests.kafka import KafkaCluster, Record, real_kafka

NAMES = ("plan", "city", "logins", "newsletter", "score")
FILES = 8
SPAN_S = 100 * 24 * 3600
FIRST_S = 1_767_225_600
PARTITIONS = 6
LOOK_S = 0.2
LIVE_MARK = 10**9
"""Values of live events begin here, so that they are told from history."""


class Event(NamedTuple):
    """An identify, and what it says: `values` by attribute number."""

    user: int
    at_s: int
    values: dict[int, int]

    def line(self) -> bytes:
        """The Segment event."""
        return orjson.dumps(
            {
                "type": "identify",
                "userId": f"user-{self.user:07}",
                "messageId": f"ajs-next-{self.values}"[:60],
                "anonymousId": "5f0c3a52-0b4e-4a5f-9d1c-2f6f4f5d8c1a",
                "timestamp": iso_time(self.at_s),
                "projectId": "shop",
                "context": {"library": {"name": "analytics.js", "version": "2.11.1"}, "ip": "203.0.113.7"},
                "integrations": {},
                "traits": {NAMES[name]: value for name, value in self.values.items()},
            }
        )


def events(count: int, users: int, seed: int) -> Iterator[Event]:
    """Events in order of time, but for an hour."""
    chance = random.Random(seed)
    for number in range(count):
        names = chance.sample(range(len(NAMES)), 3)
        at_s = FIRST_S + SPAN_S * number // count + chance.randrange(3_600)
        yield Event(chance.randrange(users), at_s, dict.fromkeys(names, number))


class Expected:
    """What Batch must hold: by user and attribute the last value, and when a file said so."""

    def __init__(self) -> None:
        self._held: dict[tuple[int, int], tuple[int, int]] = {}

    def add_of_file(self, event: Event) -> None:
        """Files go by time, then place."""
        for name, value in event.values.items():
            held = self._held.get((event.user, name))
            if held is None or event.at_s >= held[0]:
                self._held[event.user, name] = (event.at_s, value)

    def add_of_topic(self, event: Event) -> None:
        """Topics go by record order, after files."""
        for name, value in event.values.items():
            self._held[event.user, name] = (2**60, value)

    def profiles(self) -> dict[str, dict[str, int]]:
        """Attributes by custom_id."""
        found: dict[str, dict[str, int]] = {}
        for (user, name), (_, value) in self._held.items():
            found.setdefault(f"user-{user:07}", {})[NAMES[name]] = value
        return found


def write_files(folder: Path, count: int, users: int, expected: Expected | None) -> list[bytes]:
    """An archive, and a sample of its lines."""
    folder.mkdir(parents=True)
    sample: list[bytes] = []
    made = events(count, users, seed=1)
    for file in range(FILES):
        with gzip.open(folder / f"{file:03}.gz", "wb", compresslevel=1) as out:
            for event in islice(made, count // FILES):
                line = event.line()
                out.write(line + b"\n")
                if expected is not None:
                    expected.add_of_file(event)
                if len(sample) < 100_000:
                    sample.append(line)
    return sample


def fill_topic(kafka: KafkaCluster, topic: str, count: int, users: int, expected: Expected) -> None:
    """The half of the history that is still in Kafka."""

    def records() -> Iterator[Record]:
        for event in events(count, users, seed=2):
            expected.add_of_topic(event)
            yield Record(event.line(), f"user-{event.user:07}".encode())

    kafka.produce(topic, records())


class Live(threading.Thread):
    """Live events of the first users, at a steady rate, until stopped."""

    def __init__(self, kafka: KafkaCluster, topic: str, users: int, rate: float, expected: Expected) -> None:
        super().__init__(daemon=True)
        self._kafka, self._topic, self._users, self._rate = kafka, topic, users, rate
        self._expected = expected
        self.stop = threading.Event()
        self.sent = 0

    def run(self) -> None:
        chance, producer = random.Random(3), self._kafka.producer()
        started = time.monotonic()
        while not self.stop.wait(0.05):
            while self.sent < (time.monotonic() - started) * self._rate:
                self.sent += 1
                names = chance.sample(range(len(NAMES)), 2)
                event = Event(
                    chance.randrange(self._users),
                    int(time.time()),
                    dict.fromkeys(names, LIVE_MARK + self.sent),
                )
                producer.produce(self._topic, event.line(), key=f"user-{event.user:07}".encode())
                self._expected.add_of_topic(event)
            producer.poll(0)
        producer.flush(60)


class Run(NamedTuple):
    """How one process of the command ended."""

    code: int
    wall_s: float
    cpu_s: float
    peak_mb: float


class Command:
    """`segbatch backfill` as a process."""

    def __init__(self, folder: Path, environ: dict[str, str], *arguments: str) -> None:
        self._out = folder / f"out-{time.monotonic_ns()}"
        self._started = time.monotonic()
        self._peak_mb = 0.0
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(
                [COMMAND, "backfill", *arguments], env=environ, cwd=folder, stdout=out
            )

    def wait(self) -> Run:
        """Wait for its end."""
        while True:
            self._look_at_memory()
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(LOOK_S)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        wall_s = time.monotonic() - self._started
        return Run(self.process.returncode, wall_s, usage.ru_utime + usage.ru_stime, self._peak_mb)

    def _look_at_memory(self) -> None:
        """Its own high-water mark: what the kernel tells at its end holds the memory of this process as well."""
        with suppress(OSError):
            found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())
            self._peak_mb = max(self._peak_mb, int(found[1]) / 1024 if found else 0.0)

    def kill_when(self, condition: Callable[[], bool], what: str) -> Run:
        """Kill it once the condition holds."""
        while not condition():
            self._look_at_memory()
            if not Path(f"/proc/{self.process.pid}/fd/1").exists():
                raise SystemExit(f"it ended before it was {what}: {self.printed()}")
            time.sleep(LOOK_S)
        self.process.kill()
        run = self.wait()
        print(f"killed while {what}: {_shown(run)}", flush=True)
        return run

    def printed(self) -> str:
        """What it printed."""
        return self._out.read_text()


def _shown(run: Run) -> str:
    return f"{run.wall_s:.1f} s, {run.cpu_s:.1f} CPU s, peak memory {run.peak_mb:.0f} MB"


def main() -> None:
    """Run the bench and print its figures."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--events", type=int, default=2_000_000)
    options.add_argument("--users", type=int, default=400_000)
    options.add_argument("--live-users", type=int, default=20_000)
    options.add_argument("--live-rate", type=float, default=150)
    options.add_argument("--memory", type=int, default=512, help="MB")
    options.add_argument("--settle", type=float, default=5)
    options.add_argument("--apply-delay-ms", type=float, default=2_000)
    options.add_argument("--fold-only", action="store_true")
    args = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="segbatch-bench-") as place:
        if args.fold_only:
            fold_only(Path(place), args)
        else:
            whole(Path(place), args)


def fold_only(place: Path, args: argparse.Namespace) -> None:
    """Read and fold files."""
    sample = write_files(place / "archive", args.events, args.users, None)
    print(f"{args.events:,} identifies of {args.users:,} users in {FILES} gzip files", flush=True)
    command = Command(place, dict(os.environ), "archive", "--dry-run", "--memory", str(args.memory), "--json")
    run = command.wait()
    report = json.loads(command.printed())
    print(f"dry run: {_shown(run)}; {report['profiles']:,} profiles; seconds {report['seconds']}")
    _fold_speed(report, run.cpu_s, sample)


def _fold_speed(report: dict[str, Any], cpu_s: float, sample: list[bytes]) -> None:
    started = time.process_time()
    for line in sample:
        orjson.loads(line)
    decode_s = (time.process_time() - started) / len(sample)
    seconds = report["seconds"]["reading"] + report["seconds"]["merging"]
    each = seconds / report["events"]
    print(
        f"fold: {report['events'] / seconds:,.0f} events/s in one process (reading and merging), "
        f"{each / decode_s:.1f} times orjson.loads of the same events; whole command {cpu_s:.1f} CPU s"
    )


def whole(place: Path, args: argparse.Namespace) -> None:
    """History from both places, live stream, two kills; compares what Batch holds in the end."""
    expected = Expected()
    half = args.events // 2
    with real_kafka(heap_mb=1024) as kafka:
        topic = kafka.create_topic("backfill", partitions=PARTITIONS)
        kafka.create_topic(f"{topic}.dead-letter", partitions=PARTITIONS)
        write_files(place / "archive", half, args.users, expected)
        fill_topic(kafka, topic, args.events - half, args.users, expected)
        print(f"{args.events:,} identifies of {args.users:,} users, half in gzip files, half in Kafka")
        with _batch(args.apply_delay_ms) as url:
            environ = _environment(kafka, topic, url)
            worker = launched([COMMAND, "run"], environ)
            ready(worker)
            live = Live(kafka, topic, args.live_users, args.live_rate, expected)
            live.start()
            started = time.monotonic()
            runs, report = _killed_twice(place, environ, args, url, topic)
            wall_s = time.monotonic() - started
            live.stop.set()
            live.join()
            _until_quiet(kafka, topic, url)
            worker.send_signal(signal.SIGTERM)
            worker.communicate(timeout=60)
            differences = _differences(url, expected)
    floor_s = report["profiles"] / 10_000
    print(f"report: {json.dumps(report)}")
    print(f"last run: {_shown(runs[-1])}")
    print(
        f"wall {wall_s:.1f} s with two kills, of which settling {args.settle:.0f} s; "
        f"floor {floor_s:.1f} s ({report['profiles']:,} profiles at 10,000 a second)"
    )
    print(f"peak memory {max(run.peak_mb for run in runs):.0f} MB; {live.sent:,} live events meanwhile")
    cpu_s = sum(run.cpu_s for run in runs)
    print(f"{cpu_s:.1f} CPU s for all three processes, {cpu_s / report['events'] * 1e6:.1f} a million events")
    print(f"profiles that differ from the fold: {differences}")
    if differences:
        raise SystemExit(1)


def _killed_twice(
    place: Path, environ: dict[str, str], args: argparse.Namespace, url: str, topic: str
) -> tuple[list[Run], dict[str, Any]]:
    options = ["archive", "--topic", topic, "--from", "earliest", "--settle", str(args.settle)]
    command = Command(place, environ, *options, "--memory", str(args.memory))
    runs = [command.kill_when(lambda: _parts(place) > 0, "reading")]
    (state,) = (place / ".segbatch").glob("*/state.sqlite")
    resume = ["--resume", state.parent.name, "--json"]
    command = Command(place, environ, *resume)
    runs.append(command.kill_when(lambda: _stats(url)["profiles"] > args.users * 0.4, "sending"))
    command = Command(place, environ, *resume)
    runs.append(command.wait())
    if runs[-1].code:
        raise SystemExit(f"exit code {runs[-1].code}: {command.printed()}")
    found: dict[str, Any] = json.loads(command.printed())
    return runs, found


def _parts(place: Path) -> int:
    """Parts of the fold that are put down."""
    with suppress(sqlite3.OperationalError, ValueError):
        (state,) = (place / ".segbatch").glob("*/state.sqlite")
        database = sqlite3.connect(f"file:{state}?mode=ro", uri=True)
        count: int = database.execute("select count(*) from parts").fetchone()[0]
        database.close()
        return count
    return 0


@contextmanager
def _batch(apply_delay_ms: float) -> Iterator[str]:
    command = [
        COMMAND,
        "sandbox",
        "--port",
        "0",
        "--apply-routes-apart",
        "--apply-delay-ms",
        str(apply_delay_ms),
    ]
    process = launched([*command, "--call-log-size", "0"], dict(os.environ))
    try:
        yield str(ready(process)["web"])
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def _environment(kafka: KafkaCluster, topic: str, url: str) -> dict[str, str]:
    return {
        **os.environ,
        "SEGBATCH_KAFKA__BROKERS": kafka.brokers,
        "SEGBATCH_KAFKA__TOPICS": topic,
        "SEGBATCH_KAFKA__GROUP": "bench-backfill",
        "SEGBATCH_KAFKA__START": "latest",
        "SEGBATCH_BATCH__BASE_URL": url,
        "SEGBATCH_BATCH__REST_API_KEY": "rest-key",
        "SEGBATCH_BATCH__PROJECT_KEY": "project_key",
        "SEGBATCH_WEB__PORT": "0",
        "SEGBATCH_LOG__FORMAT": "json",
        "SEGBATCH_LOG__LEVEL": "info",
    }


def _stats(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/_sandbox/stats") as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def _until_quiet(kafka: KafkaCluster, topic: str, url: str) -> None:
    ends = kafka.end_offsets(topic)
    while kafka.committed("bench-backfill", topic) != ends or _stats(url)["waiting_to_apply"]:
        time.sleep(0.5)


def _differences(url: str, expected: Expected) -> int:
    wanted = expected.profiles()
    wrong = 0
    with urllib.request.urlopen(f"{url}/_sandbox/profiles") as answer:
        for line in answer:
            profile = orjson.loads(line)
            held = wanted.pop(profile["custom_id"], None)
            if profile["attributes"] != held:
                wrong += 1
                if wrong <= 5:
                    print(f"differs: {profile['custom_id']}: {profile['attributes']} instead of {held}")
    return wrong + len(wanted)


if __name__ == "__main__":
    main()
