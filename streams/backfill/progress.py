"""How far a backfill is: a bar on a terminal, a line now and then elsewhere. Both on standard error."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

LINE_EVERY_S = 10.0


class Shown(Protocol):
    """Shows one phase at a time. A context manager."""

    def __enter__(self) -> Shown: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def phase(self, name: str, what: str) -> None:
        """A phase begins; `what` is counted in it, such as `events`."""
        ...

    def at(self, done: float, count: int) -> None:
        """`done` of the phase, from 0 to 1, and how much was counted."""
        ...

    def say(self, text: str) -> None:
        """A line that stays."""
        ...


class Rate:
    """How much a second since the phase began."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._first: int | None = None

    def of(self, count: int) -> float:
        """Counted a second. What had been counted when the phase began does not count."""
        if self._first is None:
            self._first = count
        return (count - self._first) / max(0.001, time.monotonic() - self._since)

    def left_s(self, done: float) -> float | None:
        """Seconds until the end, if it goes on like this; None while nobody can know."""
        elapsed = time.monotonic() - self._since
        return elapsed * (1 - done) / done if done > 0 and elapsed > 1 else None


class Lines:
    """A line when a phase begins and then every ten seconds."""

    def __init__(self) -> None:
        self._name = self._what = ""
        self._rate = Rate()
        self._next = 0.0

    def __enter__(self) -> Lines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def phase(self, name: str, what: str) -> None:
        """A phase begins."""
        self._name, self._what, self._rate = name, what, Rate()
        self._next = time.monotonic() + LINE_EVERY_S
        self.say(name)

    def at(self, done: float, count: int) -> None:
        """Print a line if it is time for one."""
        rate = self._rate.of(count)
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LINE_EVERY_S
        left = self._rate.left_s(done)
        ending = "" if left is None else f", {left:,.0f} s left"
        self.say(f"{self._name}: {done:.0%}, {count:,} {self._what}, {rate:,.0f}/s{ending}")

    def say(self, text: str) -> None:
        """Print a line."""
        print(text, file=sys.stderr, flush=True)


class Bar:
    """A bar with rate and time left."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[counted]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=Console(stderr=True))
        self._task: TaskID | None = None
        self._what = ""
        self._rate = Rate()

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def phase(self, name: str, what: str) -> None:
        """A phase begins: the one before stays as it was."""
        self._what, self._rate = what, Rate()
        self._task = self._progress.add_task(name, total=1.0, counted="")

    def at(self, done: float, count: int) -> None:
        """Move the bar."""
        if self._task is not None:
            counted = f"{count:,} {self._what}, {self._rate.of(count):,.0f}/s"
            self._progress.update(self._task, completed=done, counted=counted)

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._progress.console.print(text, markup=False, highlight=False)


def progress_for_people() -> Shown:
    """A bar on a terminal, lines elsewhere."""
    return Bar() if sys.stderr.isatty() else Lines()
