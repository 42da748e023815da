"""The demonstration as users run it: a process of its own, small."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

COMMAND = (sys.executable, "-m", "streams.demo.command")
ROOT = Path(__file__).parents[3]
SAFETY_S = 180


def environment(folder: Path) -> dict[str, str]:
    """Of a shell where segbatch is set up for something else, which the demo must not touch."""
    return {
        **os.environ,
        "TMPDIR": str(folder),
        "SEGBATCH_BATCH__BASE_URL": "https://batch.invalid",
        "SEGBATCH_BATCH__RATE_PER_S": "1",
        "http_proxy": "http://127.0.0.1:9",
        "TERM": "dumb",
    }


def demonstrate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=SAFETY_S,
        check=False,
    )


def summary_of(run: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The last line of standard output."""
    summary: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return summary


def processes_in(folder: Path) -> list[str]:
    """The processes that work in the folder or below it."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if each.resolve(strict=True).is_relative_to(folder):
                found.append(each.parent.name)
        except OSError:
            continue
    return found


@pytest.fixture
def started(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A demo that would run for minutes, at the moment when it starts to produce."""
    arguments = ("--events", "20000", "--seconds", "120", "--json")
    with subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("producing"):
                break
        yield process
        process.kill()


def test_one_worker_delivers_everything_and_the_object_comes_last(tmp_path: Path) -> None:
    run = demonstrate(tmp_path, "--events", "1500", "--seconds", "3", "--users", "120", "--json")
    assert run.returncode == 0, run.stderr
    summary = summary_of(run)
    assert summary["ok"] is True
    assert summary["equal"] is True
    assert summary["lag"] == 0
    assert summary["produced"] == summary["events_in"] == 1500
    ended = [summary["accepted"], *summary["skipped"].values(), *summary["dead_lettered"].values()]
    assert sum(ended) == 1500
    assert {"invalid_json", "junk_user_id", "event_too_old"} <= summary["dead_lettered"].keys()
    assert {"no_user_id", "filtered_by_integrations"} <= summary["skipped"].keys()
    assert summary["profiles"] == 120
    assert 0 < summary["updates"] < summary["accepted"]
    assert summary["events_per_update"] == round(summary["accepted"] / summary["updates"], 2)
    assert summary["calls"] == summary["calls_by_status"]["202"]
    assert summary["refused_429"] == 0
    assert "Segment events became" in run.stderr
    assert "\x1b" not in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_two_workers_share_the_topic_and_it_is_said_in_words(tmp_path: Path) -> None:
    run = demonstrate(tmp_path, "--events", "1500", "--seconds", "3", "--workers", "2", "--seed", "7")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 workers" in run.stdout
    assert "of 1,500 Segment events became" in run.stdout
    assert "Lag is 0." in run.stdout
    assert "are exactly those expected" in run.stdout
    assert processes_in(tmp_path) == []


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_all_its_children(
    started: subprocess.Popen[str], tmp_path: Path, signum: signal.Signals, code: int
) -> None:
    running = processes_in(tmp_path)
    started.send_signal(signum)
    assert started.wait(SAFETY_S) == code
    assert len(running) == 2
    assert processes_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_dies_is_told_with_the_end_of_its_log(
    started: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert started.stderr is not None
    assert started.stdout is not None
    os.kill(pid_of("run", tmp_path), signal.SIGKILL)
    words, last = started.stderr.read(), started.stdout.read().splitlines()[-1]
    assert started.wait(SAFETY_S) == 1
    assert "worker 1 ended by itself with exit code -9" in words
    assert '"event":"ready"' in words
    failure = json.loads(last)
    assert failure["ok"] is False
    assert "worker 1" in failure["error"]
    assert (Path(failure["logs"]) / "worker-1.log").stat().st_size > 0
    assert processes_in(tmp_path) == []


def pid_of(command: str, folder: Path) -> int:
    """The process in the folder that runs this command of segbatch."""
    for pid in processes_in(folder):
        if command in Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0"):
            return int(pid)
    raise AssertionError(f"no process runs {command}")


def test_a_kafka_that_is_not_there_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    run = demonstrate(tmp_path, "--kafka", "127.0.0.1:1", "--json")
    assert run.returncode == 1
    assert "Kafka cannot be reached at 127.0.0.1:1" in summary_of(run)["error"]
    assert summary_of(run)["logs"] is None
    assert list(tmp_path.iterdir()) == []


def test_more_events_than_the_embedded_kafka_holds_are_refused(tmp_path: Path) -> None:
    run = demonstrate(tmp_path, "--events", "1000000")
    assert run.returncode == 2
    assert "--kafka takes more" in " ".join(run.stderr.replace("│", " ").split())
