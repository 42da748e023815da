"""Progress for people: a live picture on a terminal, elsewhere a line every few seconds."""

from __future__ import annotations

import time
from types import TracebackType
from typing import NamedTuple, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from streams.demo.observation import Reasons, Snapshot
from streams.demo.words import reasons_in_words

LINE_EVERY_S = 3.0
RATE_OVER_S = 3.0
WIDEST = 100

_Row = tuple[str, str, str, str]


class DemoView(Protocol):
    """A view that is open inside a `with` block."""

    def __enter__(self) -> DemoView: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def step(self, text: str) -> None: ...

    def show(self, snapshot: Snapshot) -> None: ...


class Heading(NamedTuple):
    """What the demonstration is made of, in words."""

    kafka: str
    workers: str
    batch: str


def open_view(console: Console, heading: Heading) -> DemoView:
    """The view that suits the console."""
    live = console.is_terminal and not console.is_dumb_terminal
    return LiveView(console, heading) if live else PlainView(console, heading)


class PlainView:
    """Each step, and a line about progress every few seconds."""

    def __init__(self, console: Console, heading: Heading) -> None:
        self._console = console
        self._heading = heading
        self._step = ""
        self._next_line = 0.0

    def __enter__(self) -> PlainView:
        self._print(f"segbatch demo: {', '.join(self._heading)}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open."""

    def step(self, text: str) -> None:
        if text != self._step:
            self._step = text
            self._print(f"{text} ...")

    def show(self, snapshot: Snapshot) -> None:
        if not snapshot.updates:  # the worker still joins: there is nothing to see
            return
        if snapshot.seconds < self._next_line and snapshot.lag != 0:
            return
        if snapshot.lag == 0 and snapshot.produced < snapshot.planned and snapshot.seconds < self._next_line:
            return
        self._next_line = snapshot.seconds + LINE_EVERY_S
        lag = "unknown" if snapshot.lag is None else f"{snapshot.lag:,}"
        letters = sum(snapshot.dead_lettered.values())
        self._print(
            f"{snapshot.seconds:3.0f} s  {snapshot.produced:,} produced, {snapshot.finished:,} done, "
            f"{snapshot.updates:,} updates in {snapshot.calls:,} calls ({events_per_update(snapshot)} events an "
            f"update), {letters:,} dead letters, lag {lag}"
        )

    def _print(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, highlight=False, markup=False)
        self._console.file.flush()


class LiveView:
    """One picture that is drawn over and over, and stays when it is closed."""

    def __init__(self, console: Console, heading: Heading) -> None:
        self._heading = heading
        self._step = "starting"
        self._spinner = Spinner("dots", style="cyan")
        self._console = console
        self._recent: list[Snapshot] = []
        self._closed = False
        self._started = time.monotonic()
        self._live = Live(console=console, refresh_per_second=8, get_renderable=self._picture)

    def __enter__(self) -> LiveView:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._live.stop()

    def step(self, text: str) -> None:
        self._step = text

    def show(self, snapshot: Snapshot) -> None:
        since = snapshot.seconds - RATE_OVER_S
        self._recent = [*(each for each in self._recent if each.seconds >= since), snapshot]

    def _picture(self) -> RenderableType:
        width = min(self._console.width, WIDEST)
        recent = self._recent
        head = Text("segbatch demo", style="bold")
        parts = Text(" → ".join(self._heading), style="dim")
        blocks: list[RenderableType] = [head, parts]
        if recent:
            # Once it is closed, how fast things go says nothing any more.
            blocks += ["", *picture(recent[-1:] if self._closed else recent, width)]
        if not self._closed:
            seconds = time.monotonic() - self._started
            self._spinner.update(text=Text(f"{self._step} …  {seconds:.0f} s"))
            blocks += ["", self._spinner]
        return Padding(Group(*blocks), (1, 1))


def picture(recent: list[Snapshot], width: int) -> list[RenderableType]:
    """The picture of the last of these moments; the others tell how fast things go."""
    last = recent[-1]
    return [_bars(last, width), "", _numbers(recent, width), "", _reasons(last, width)]


def _bars(last: Snapshot, width: int) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.width = width - 2
    table.add_column(width=9)
    table.add_column(ratio=1)
    table.add_column(justify="right", width=15)
    total = f"{last.planned:,}"
    for name, done, style in (("produced", last.produced, "cyan"), ("done", last.finished, "green")):
        bar = ProgressBar(last.planned, done, complete_style=style, finished_style=style)
        table.add_row(name, bar, f"{done:,}/{total}")
    return table


def _numbers(recent: list[Snapshot], width: int) -> RenderableType:
    first, last = recent[0], recent[-1]
    elapsed = last.seconds - first.seconds

    def pace(before: int, now: int) -> str:
        return f"{(now - before) / elapsed:,.0f}/s" if elapsed > 0 else ""

    lag = "?" if last.lag is None else f"{last.lag:,}"
    rows: list[tuple[_Row, _Row]] = [
        (
            ("events produced", f"{last.produced:,}", pace(first.produced, last.produced), "cyan"),
            ("profile updates", f"{last.updates:,}", pace(first.updates, last.updates), "green"),
        ),
        (
            ("events done", f"{last.finished:,}", pace(first.finished, last.finished), "green"),
            ("calls to Batch", f"{last.calls:,}", _throttled(last), "green"),
        ),
        (
            ("waiting to merge", f"{last.pending:,}", "", "yellow"),
            ("events an update", events_per_update(last), "", "bold magenta"),
        ),
        (
            ("lag", lag, f"{last.unread:,} unread", "yellow"),
            ("waited for tokens", f"{last.tokens_waited_s:.1f} s", "", "yellow"),
        ),
    ]
    table = Table.grid(padding=(0, 1))
    table.width = width - 2
    for _ in range(2):
        table.add_column(ratio=5)
        table.add_column(ratio=2, justify="right", min_width=7)
        table.add_column(ratio=4, min_width=10, style="dim")
    for left, right in rows:
        cells: list[RenderableType] = []
        for name, value, note, style in (left, right):
            cells += [name, Text(value, style=style), note]
        table.add_row(*cells)
    return table


def _reasons(last: Snapshot, width: int) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.width = width - 2
    table.add_column(width=12)
    table.add_column(width=5, justify="right")
    table.add_column(ratio=1, style="dim")
    for name, reasons, style in (
        ("skipped", last.skipped, ""),
        ("dead letters", last.dead_lettered, "red"),
    ):
        table.add_row(name, Text(f"{_total(reasons):,}", style=style), reasons_in_words(reasons))
    return table


def events_per_update(snapshot: Snapshot) -> str:
    """Accepted events for each update, to one decimal."""
    return f"{snapshot.accepted / snapshot.updates:.1f}" if snapshot.updates else "?"


def _throttled(last: Snapshot) -> str:
    return f"{last.refused_429:,} refused" if last.refused_429 else ""


def _total(reasons: Reasons) -> int:
    return sum(reasons.values())
