"""Processes of the bench: started on given cores, and what they cost. Linux only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CACHE = Path(__file__).parents[1] / ".bench"
"""Where the bench keeps what it made: workloads, environments of contenders, results. Git ignores it."""

COMMAND = str(Path(sys.executable).with_name("segbatch"))
UNLIMITED = "1000000000"
STOP_S = 15.0
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Process:
    """A child on cores of its own, in a process group of its own."""

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        cores: Sequence[int] = (),
        log: Path | None = None,
    ) -> None:
        pinned = ["taskset", "-c", ",".join(map(str, cores)), *command] if cores else list(command)
        output = subprocess.DEVNULL if log is None else log.open("ab")
        self.started = time.monotonic()
        # In the cache's folder there are no settings to be found, and what a contender leaves is out of the way.
        self._child = subprocess.Popen(
            pinned,
            env={**os.environ, **environ},
            cwd=CACHE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    @property
    def ended(self) -> bool:
        return self._child.poll() is not None

    def cpu_s(self) -> float:
        """CPU seconds so far, of all threads."""
        fields = Path(f"/proc/{self._child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND

    def peak_mb(self) -> float:
        """The most memory it had at once, MB."""
        return self._memory_mb("VmHWM")

    def memory_mb(self) -> float:
        """Resident memory now, MB."""
        return self._memory_mb("VmRSS")

    def hang_up(self) -> None:
        """SIGHUP: segbatch reads its settings again."""
        self._child.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for all that is left of its group if it has not ended by then."""
        if not self.ended:
            self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()

    def _memory_mb(self, name: str) -> float:
        for line in Path(f"/proc/{self._child.pid}/status").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024 / 1e6
        return 0.0


class Sandbox:
    """The local Batch in a process of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def update_url(self) -> str:
        return f"{self.url}/2.11/profiles/update"

    def stats(self) -> dict[str, Any]:
        """What `GET /_sandbox/stats` answers."""
        return dict(json.loads(self.get("stats")))

    def get(self, route: str) -> bytes:
        with urllib.request.urlopen(f"{self.url}/_sandbox/{route}") as answer:
            return bytes(answer.read())

    def reset(self) -> None:
        urllib.request.urlopen(f"{self.url}/_sandbox/reset", data=b"").close()


@contextmanager
def sandbox(*options: str) -> Iterator[Sandbox]:
    """Run `segbatch sandbox` with these options on a free port."""
    command = [COMMAND, "sandbox", "--port", "0", *options]
    child = launched(command, {**os.environ, "SEGBATCH_LOG__FORMAT": "json"})
    try:
        yield Sandbox(str(ready(child)["web"]))
    finally:
        child.terminate()
        child.communicate(timeout=30)


def busy_s(cores: Sequence[int]) -> float:
    """CPU seconds that these cores have worked since the machine was started, for whomever."""
    names = {f"cpu{core}" for core in cores}
    lines = (line.split() for line in Path("/proc/stat").read_text().splitlines())
    # Of each core: user, nice, system, idle, iowait, irq, softirq, steal; steal is time that another machine had.
    ticks = (sum(map(int, (*line[1:4], *line[6:9]))) for line in lines if line and line[0] in names)
    return sum(ticks) / _TICKS_A_SECOND


def wait_until(condition: Callable[[], bool], timeout_s: float, every_s: float = 0.05) -> bool:
    """Wait for the condition; whether it came true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True


def launched(command: Sequence[str], environ: Mapping[str, str]) -> subprocess.Popen[str]:
    """A process of segbatch whose standard output `ready` reads."""
    return subprocess.Popen(command, env=dict(environ), stdout=subprocess.PIPE, text=True)


def ready(child: subprocess.Popen[str]) -> dict[str, Any]:
    """What its log says when it is ready. Raises SystemExit if it ends before."""
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("{") and (entry := json.loads(line)).get("event") == "ready":
            return dict(entry)
    raise SystemExit(f"{child.args} ended before it was ready")
