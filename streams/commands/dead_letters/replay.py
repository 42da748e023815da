"""`segbatch dead-letters replay`: letters back to where their records came from."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import Annotated

import typer

from streams.commands.dead_letters.options import (
    From,
    Mappings,
    Partitions,
    Reasons,
    To,
    Topic,
    User,
    selection,
)
from streams.commands.dead_letters.originals import Originals
from streams.commands.dead_letters.replaying import LATE_REASON, TRANSACTION_TIMEOUT_S, Replaying, choose
from streams.commands.dead_letters.topics import open_topics
from streams.commands.dead_letters.transactions import Transactions
from streams.commands.findings import counted
from streams.commands.interruption import interruptible
from streams.commands.options import EXIT_FAILED, ConfigFile, load_or_exit
from streams.commands.progress import progress
from streams.letter import Letter
from streams.replay_headers import ReplayLate

SHARE = 0.1
"""Of the rate that Batch allows: what a replay takes of it unless told otherwise."""
MAY_OVERWRITE = (
    "Attributes of replayed records may overwrite newer ones: the workers send them as they were when the record "
    "was made."
)
HISTORY = "They are history, and may overwrite what the live stream has said since."
COME_BACK = (
    f"Letters that are {LATE_REASON} will come back: Batch takes events of the last 24 hours. "
    "--late send_without_time sends them without their time."
)


@dataclass(frozen=True, slots=True)
class Planned:
    """What there is to replay."""

    reasons: Counter[str] = field(default_factory=Counter)
    backfills: Counter[str] = field(default_factory=Counter)
    """Letters that a backfill wrote, by its id."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Letters that are not replayed, by why."""

    @property
    def letters(self) -> int:
        """How many are to be replayed."""
        return self.reasons.total()

    def add(self, letter: Letter) -> None:
        """Count one that is to be replayed."""
        self.reasons[letter.reason] += 1
        if letter.backfill:
            self.backfills[letter.backfill] += 1

    def announce(self, *, late_is_sent: bool) -> None:
        """Say it to a person."""
        typer.echo(f"{counted(self.letters, 'letter')} to replay")
        for name, count in self.reasons.most_common():
            typer.echo(f"  {count:>9,}  {name}")
        for name, count in self.backfills.items():
            typer.echo(f"of backfill {name}: {counted(count, 'letter')}. {HISTORY}")
        for why, count in self.left_out.most_common():
            typer.echo(f"left out: {count:,} {why}")
        if self.reasons[LATE_REASON] and not late_is_sent:
            typer.echo(COME_BACK)


def replay(
    reason: Reasons = None,
    from_: From = None,
    to: To = None,
    mapping: Mappings = None,
    partition: Partitions = None,
    user: User = None,
    late: Annotated[
        ReplayLate | None,
        typer.Option(help="Events older than 24 hours: Batch dates them at their arrival."),
    ] = None,
    delivered: Annotated[
        bool,
        typer.Option(
            "--delivered", help="Also copies of records that Batch has: their events may be repeated."
        ),
    ] = False,
    all_profiles: Annotated[
        bool,
        typer.Option(
            "--all-profiles",
            help="Of records of several profiles: also those that were sent, which repeats their events.",
        ),
    ] = False,
    rate: Annotated[
        float | None,
        typer.Option(min=0.01, help="Records a second; else a tenth of batch.rate_per_s."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be replayed.")] = False,
    topic: Topic = None,
    config: ConfigFile = None,
) -> None:
    """Write letters back to their source topic and partition: workers map and send them with today's mappings.

    Of each only the part that was not settled is sent. No letter is ever replayed twice, however often this is
    interrupted and run again.
    """
    settings = load_or_exit(config, ("kafka.brokers", "kafka.topics")).settings
    chosen = selection(reason, mapping, partition, from_, to, user)
    with open_topics(settings, topic, chosen.partitions) as topics:
        # First of all: it ends another replay, whose last letters could else be replayed again here.
        transactions = None if dry_run else Transactions(settings, TRANSACTION_TIMEOUT_S)
        topics.look(chosen)
        planned = Planned()
        for stored in choose(topics.letters(chosen), settings.kafka.topics, delivered, planned.left_out):
            planned.add(stored.letter)
        planned.announce(late_is_sent=late is not None or settings.late_events != "dead_letter")
        if transactions is None:
            typer.echo(MAY_OVERWRITE)
            return
        speed = rate or settings.batch.rate_per_s * SHARE
        with (
            interruptible() as asked,
            closing(Originals(settings)) as originals,
            progress("replayed", planned.letters) as report,
        ):
            work = Replaying(transactions, originals, late, all_profiles, speed, asked, report)
            work.run(choose(topics.letters(chosen), settings.kafka.topics, delivered, Counter()))
    _account(work, planned.letters)


def _account(work: Replaying, planned: int) -> None:
    typer.echo(f"{work.written:,} of {counted(planned, 'letter')} replayed")
    for why, count in work.refused.most_common():
        print(f"{count:,} cannot be replayed: {why}", file=sys.stderr)
    if work.passed < planned:
        print("interrupted: run it again to go on, no letter is replayed twice", file=sys.stderr)
    if work.written < planned:
        raise typer.Exit(EXIT_FAILED)
