"""`segbatch backfill` as a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.integration.workers import SEGBATCH, environment

EXIT_S = 120.0


class Backfill:
    """One run of the command. Its standard error is read at its end."""

    def __init__(self, settings: Mapping[str, str], directory: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [SEGBATCH, "backfill", *arguments],
            env=environment(settings),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, code: int = 0) -> str:
        """Wait for its end with this exit code; what it printed."""
        out, errors = self._process.communicate(timeout=EXIT_S)
        assert self._process.returncode == code, f"exit code {self._process.returncode}\n{out}\n{errors}"
        return out + errors

    def report(self) -> dict[str, Any]:
        """Wait for its end; the report that `--json` prints."""
        out, errors = self._process.communicate(timeout=EXIT_S)
        assert self._process.returncode == 0, f"exit code {self._process.returncode}\n{out}\n{errors}"
        found: dict[str, Any] = json.loads(out)
        return found

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.communicate(timeout=EXIT_S)

    def interrupt(self) -> None:
        """Ctrl-C, once."""
        self._process.send_signal(signal.SIGINT)

    def close(self) -> None:
        """For the end of a test, whatever became of it."""
        if self._process.poll() is None:
            self.kill()


def the_id(directory: Path) -> str:
    """The id of the one backfill whose state lies in `directory`."""
    (found,) = (directory / ".segbatch").glob("*/state.sqlite")
    return found.parent.name
