"""Child processes that run the commands of segbatch, with their logs in files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from streams.demo.failure import DemoFailed

START_S = 60.0
STOP_S = 35.0
"""More than a worker's `shutdown_timeout_s`."""
END_S = 5.0
_LOOK_EVERY_S = 0.05
_COMMAND = (sys.executable, "-c", "from streams.cli import main; main()")


class Child:
    """A `segbatch` command that runs in a process and a session of its own, set by its environment only.

    It works in `folder`, where no settings file lies, and gets none of our own SEGBATCH_ variables. A Ctrl-C in
    the terminal does not reach it: it is ended by us.
    """

    def __init__(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> None:
        self.name = name
        self.log = folder / f"{name.replace(' ', '-')}.log"
        ours = {key: value for key, value in os.environ.items() if not key.upper().startswith("SEGBATCH_")}
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [*_COMMAND, *arguments],
                cwd=folder,
                env={**ours, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def logged(self, event: str) -> dict[str, Any] | None:
        """The first JSON line of its log with this `event`; None if there is none yet."""
        for line in self.log.read_bytes().splitlines():
            with suppress(orjson.JSONDecodeError):
                entry = orjson.loads(line)
                if isinstance(entry, dict) and entry.get("event") == event:
                    return entry
        return None

    def last_lines(self, count: int) -> list[str]:
        """The end of its log."""
        return self.log.read_text(errors="replace").splitlines()[-count:]

    def check(self) -> None:
        """Raises DemoFailed if it has ended."""
        code = self._process.poll()
        if code is not None:
            raise DemoFailed(f"{self.name} ended by itself with exit code {code}", self)

    def ask_to_stop(self) -> None:
        """Send SIGTERM, if it still runs."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def exit_code(self, within_s: float) -> int | None:
        """Its exit code; None if it has not ended in time."""
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """End it at once, if it still runs."""
        self._process.kill()
        self._process.wait()


class Children:
    """Every process started inside the block has ended after it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._all: list[Child] = []

    def __enter__(self) -> Children:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for child in self._all:
                child.ask_to_stop()
            deadline = time.monotonic() + END_S
            for child in self._all:
                child.exit_code(max(0.0, deadline - time.monotonic()))
        finally:
            for child in self._all:
                child.kill()

    def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Child:
        """Start `segbatch` with these arguments."""
        child = Child(name, arguments, environment, self._folder)
        self._all.append(child)
        return child

    def check(self) -> None:
        """Raises DemoFailed if one has ended by itself."""
        for child in self._all:
            child.check()

    def wait_until(self, done: Callable[[], bool], what: str, child: Child) -> None:
        """Return when `done()` is true. Raises DemoFailed when a child ends before, or after a minute."""
        deadline = time.monotonic() + START_S
        while not done():
            self.check()
            if time.monotonic() > deadline:
                raise DemoFailed(f"{what} is not there after {START_S:.0f} s", child)
            time.sleep(_LOOK_EVERY_S)

    def address(self, child: Child) -> str:
        """The address a command's `ready` line tells, once it is there."""
        self.wait_until(lambda: child.logged("ready") is not None, f"the `ready` of {child.name}", child)
        ready = child.logged("ready")
        return str(ready["web"]) if ready else ""
