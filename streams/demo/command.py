"""`segbatch demo`: everything together, on this machine."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from streams.demo.run import DemoOptions
    from streams.demo.summary import Summary

EXIT_EQUAL = 0
EXIT_FAILED = 1
EXIT_SIGNAL = 128
"""Plus the number of the signal: 130 for Ctrl-C."""

DEFAULT_EVENTS = 40_000
LINES_SHOWN = 12
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal to end. No Exception, so that nothing takes it for a failure to go on after."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


def demo(
    events: Annotated[int, typer.Option(min=1, help="Segment events to produce.")] = DEFAULT_EVENTS,
    seconds: Annotated[float, typer.Option(min=0.1, help="Produce them over so many seconds.")] = 20.0,
    users: Annotated[int, typer.Option(min=1, help="People the events are about.")] = 1500,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Workers that share the topic.")] = 1,
    rate: Annotated[
        float,
        typer.Option(min=1, help="Profile updates a second that the local Batch takes; Batch's own is 300."),
    ] = 300.0,
    burst: Annotated[
        float, typer.Option(min=20, help="Profile updates it takes at once; Batch's own is 1,000.")
    ] = 1000.0,
    kafka: Annotated[
        str | None,
        typer.Option(
            metavar="BROKERS",
            help="A real Kafka (host:port, without TLS or login) instead of the embedded one; topics and group of "
            "the demo are removed afterwards.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed makes other events.")] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="The summary as one JSON object on standard output.")
    ] = False,
) -> None:
    """See it work: Kafka, a local Batch, the real worker and realistic Segment traffic, in half a minute.

    Nothing is needed and nothing leaves this machine. Afterwards every profile in the local Batch is compared
    with what was produced. Exit codes: 0 all equal and lag 0, 1 not, 130 Ctrl-C.
    """
    from streams.demo.embedded import MOST_EVENTS
    from streams.demo.run import DemoOptions

    if kafka is None and events > MOST_EVENTS:
        message = f"the embedded Kafka holds {MOST_EVENTS:,} events at most; --kafka takes more"
        raise typer.BadParameter(message, param_hint="--events")
    options = DemoOptions(events, seconds, users, seed, workers, kafka, rate, burst)
    raise typer.Exit(_demonstrate(options, as_json))


def _demonstrate(options: DemoOptions, as_json: bool) -> int:
    """Run it and say how it ended; the exit code."""
    from rich.console import Console

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # not every terminal has a check mark
    console = Console(stderr=as_json)
    folder = Path(tempfile.mkdtemp(prefix="segbatch-demo-"))
    try:
        with _interruptible():
            summary = _run(options, console, folder)
    except Interrupted as interruption:
        shutil.rmtree(folder, ignore_errors=True)
        _say(console, f"stopped by {interruption}; nothing was left running", "yellow")
        return EXIT_SIGNAL + interruption.signum
    if isinstance(summary, str):
        logs = str(folder) if folder.exists() else None
        _tell_json(as_json, {"ok": False, "error": summary, "logs": logs})
        return EXIT_FAILED
    _close(console, summary, folder)
    _tell_json(as_json, summary.as_json())
    return EXIT_EQUAL if summary.ok else EXIT_FAILED


def _run(options: DemoOptions, console: Console, folder: Path) -> Summary | str:
    """The summary, or what went wrong, which has been shown then."""
    from confluent_kafka import KafkaException

    from streams.demo.failure import DemoFailed
    from streams.demo.run import run_demo
    from streams.demo.view import Heading, open_view

    heading = Heading(
        "embedded Kafka" if options.kafka is None else f"Kafka at {options.kafka}",
        "1 worker" if options.workers == 1 else f"{options.workers} workers",
        f"local Batch ({options.rate:,.0f} updates/s, burst {options.burst:,.0f})",
    )
    try:
        with open_view(console, heading) as view:
            return run_demo(options, view, folder)
    except DemoFailed as failure:
        message, child = str(failure), failure.child
    except KafkaException as error:
        message, child = f"Kafka: {error.args[0].str()}", None
    except OSError as error:
        message, child = str(error), None
    _say(console, f"The demo failed: {message}.", "bold red")
    if child is not None:
        _say(console, f"The end of the log of {child.name}:")
        for line in child.last_lines(LINES_SHOWN):
            _say(console, f"  {line}", "dim")
    _keep_logs(console, folder)
    return message


def _close(console: Console, summary: Summary, folder: Path) -> None:
    """The closing words. The logs are kept only if something is wrong."""
    from rich.padding import Padding

    from streams.demo.view import WIDEST
    from streams.demo.words import closing_words

    for paragraph in closing_words(summary):
        if console.is_terminal:
            console.print(Padding(paragraph, (0, 1)), width=min(console.width, WIDEST))
        else:
            console.print(paragraph, soft_wrap=True)
    if summary.ok:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        _keep_logs(console, folder)


def _keep_logs(console: Console, folder: Path) -> None:
    """Say where the logs are; a folder without any is removed."""
    try:
        folder.rmdir()
    except OSError:
        _say(console, f"All logs are in {folder}")


@contextmanager
def _interruptible() -> Iterator[None]:
    """Inside, the first signal to end raises Interrupted; further ones do not disturb the cleaning up."""

    def interrupt(signum: int, _: Any) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(signum)

    before = {signum: signal.signal(signum, interrupt) for signum in _SIGNALS}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style, soft_wrap=True, highlight=False, markup=False)


def _tell_json(wanted: bool, result: dict[str, Any]) -> None:
    if wanted:
        sys.stderr.flush()
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    typer.run(demo)
