"""`segbatch run` as a process of its own: started from environment variables alone, observed from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sysconfig
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

SEGBATCH = str(Path(sysconfig.get_path("scripts")) / "segbatch")
EXIT_S = 40.0
LINES_SHOWN = 60
FIELDS = "field left out or changed"


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without any setting of segbatch, and then `settings`, such as
    `{"KAFKA__TOPICS": "events"}`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SEGBATCH_")}
    return inherited | {f"SEGBATCH_{name}": value for name, value in settings.items()}


class Worker:
    """One process of `segbatch run`, or of another command that runs until SIGTERM. Its log is read all the time, as
    JSON lines."""

    def __init__(
        self, settings: Mapping[str, str], directory: Path, command: Sequence[str] = ("run",)
    ) -> None:
        self._process = subprocess.Popen(
            [SEGBATCH, *command],
            env=environment({"WEB__PORT": "0", **settings}),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[dict[str, Any]] = []
        self.not_json: list[str] = []
        self._ended = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for text in self._process.stdout or ():
            with self._news:
                try:
                    self.lines.append(json.loads(text))
                except ValueError:
                    self.not_json.append(text)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def wait_for(self, event: str, timeout_s: float = 45.0) -> dict[str, Any]:
        """The first log line with this `event`, when it comes. Raises AssertionError if it does not."""
        with self._news:
            self._news.wait_for(lambda: self._ended or self.logged(event), timeout_s)
            found = self.logged(event)
        if not found:
            raise AssertionError(f"no line {event!r} in {timeout_s:.0f} s:\n{self.log()}")
        return found[0]

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The log lines with this `event`."""
        return [line for line in self.lines if line.get("event") == event]

    def ready(self) -> Worker:
        """Wait until the group has assigned its partitions."""
        self.wait_for("ready")
        return self

    @property
    def web(self) -> str:
        return str(self.wait_for("ready")["web"])

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def terminate(self) -> None:
        """Send SIGTERM, and do not wait."""
        self._process.send_signal(signal.SIGTERM)

    def hang_up(self) -> None:
        """Send SIGHUP: what may change is read again."""
        self._process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait(EXIT_S)

    def exit_code(self) -> int:
        """Wait for its end."""
        code = self._process.wait(EXIT_S)
        self._reader.join(EXIT_S)
        return code

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.terminate()
        return self.exit_code()

    def close(self) -> None:
        """For the end of a test, whatever became of it."""
        if self.running:
            self.kill()
        self._reader.join(EXIT_S)
        if self._process.stdout is not None:
            self._process.stdout.close()

    @property
    def summary(self) -> dict[str, Any]:
        """The closing account of a worker that has ended."""
        return self.wait_for("summary")

    def readiness(self) -> tuple[int, dict[str, str]]:
        """Status and problems of `/readyz`."""
        return self._asked("readyz")

    def liveness(self) -> tuple[int, dict[str, str]]:
        """Status and problems of `/livez`."""
        return self._asked("livez")

    def page(self, name: str) -> dict[str, Any]:
        """A page of its own that answers 200, whole."""
        with urllib.request.urlopen(f"{self.web}/{name}", timeout=5) as response:
            return dict(json.load(response))

    def _asked(self, page: str) -> tuple[int, dict[str, str]]:
        try:
            with urllib.request.urlopen(f"{self.web}/{page}", timeout=5) as response:
                return int(response.status), json.load(response)["problems"]
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)["problems"]

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels; 0 without any."""
        with urllib.request.urlopen(f"{self.web}/metrics", timeout=5) as response:
            text = response.read().decode()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def log(self) -> str:
        """The end of its log, for a person."""
        lines = [json.dumps(line) for line in self.lines if line.get("event") != FIELDS] + self.not_json
        return "\n".join(line[:500].rstrip() for line in lines[-LINES_SHOWN:])


def total(workers: Iterable[Worker]) -> dict[str, Any]:
    """The records of the workers' summaries added up, as one summary's."""
    accepted = 0
    skipped: Counter[str] = Counter()
    dead_lettered: Counter[str] = Counter()
    for worker in workers:
        records = worker.summary["records"]
        accepted += records["accepted"]
        skipped.update(records["skipped"])
        dead_lettered.update(records["dead_lettered"])
    return {"accepted": accepted, "skipped": dict(skipped), "dead_lettered": dict(dead_lettered)}


def total_said(workers: Iterable[Worker]) -> dict[str, Any]:
    """As `total`, but a record of which Batch had everything already counts as accepted: whether it had depends on what
    waited together."""
    counts = total(workers)
    unchanged = counts["skipped"].pop("unchanged", 0)
    return {**counts, "accepted": counts["accepted"] + unchanged}


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = 45.0) -> None:
    """Return when the condition holds. Raises AssertionError if it does not in time."""
    pause = threading.Event()
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:.0f} s: {what}")
        pause.wait(0.1)
