"""The closing words: what was seen, whether it is right, and what to do next."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping

from rich.text import Text

from streams.commands.findings import counted
from streams.demo.comparison import DIFFERENCES_SHOWN
from streams.demo.summary import Summary

BATCH_UPDATES_PER_S = 300


def reasons_in_words(reasons: Mapping[str, int]) -> str:
    """`junk_user_id 12, tombstone 3`; empty without any."""
    return ", ".join(f"{reason} {count:,}" for reason, count in reasons.items())


def closing_words(summary: Summary) -> Iterator[Text]:
    """The paragraphs at the end."""
    account = summary.account
    yield Text(
        f"{account.accepted:,} of {counted(account.ended, 'Segment event')} became "
        f"{counted(account.updates, 'profile update')} in {counted(summary.calls, 'call')}: "
        f"{summary.events_per_update:.1f} events an update.",
        style="bold",
    )
    one_by_one, merged = account.accepted / BATCH_UPDATES_PER_S, account.updates / BATCH_UPDATES_PER_S
    yield Text(
        f"Batch takes {BATCH_UPDATES_PER_S} updates a second: {one_by_one:,.0f} s for these events one by one, "
        f"{merged:,.0f} s for these updates."
    )
    yield _others(summary)
    yield _limits(summary)
    yield _verdict(summary)
    for line in (*summary.differences[:DIFFERENCES_SHOWN], *summary.problems):
        yield Text(f"  - {line}", style="red")
    hidden = len(summary.differences) - DIFFERENCES_SHOWN
    if hidden > 0:
        yield Text(f"  - and {hidden:,} more", style="red")
    if summary.ok:
        yield Text(_next(), style="dim")


def _next() -> str:
    command = "segbatch" if shutil.which("segbatch") else sys.argv[0]
    return (
        f"Next: {command} sandbox is this local Batch, to develop against; {command} map shows what an event of yours "
        f"becomes. With Kafka and Batch's keys in the environment, {command} check, then {command} run."
    )


def _others(summary: Summary) -> Text:
    account = summary.account
    parts = []
    for words, reasons in (("skipped", account.skipped), ("in the dead-letter topic", account.dead_lettered)):
        total = sum(reasons.values())
        parts.append(f"{total:,} {words}" + (f" ({reasons_in_words(reasons)})" if total else ""))
    return Text(f"The others: {', '.join(parts)}. Lag is {summary.lag:,}.")


def _limits(summary: Summary) -> Text:
    refused = summary.refused_429
    limited = f"Batch refused {counted(refused, 'call')} (429)" if refused else "Batch refused no call (429)"
    waited = f"calls waited {summary.tokens_waited_s:.1f} s for tokens, in which events merged"
    return Text(f"{limited}: {waited}. It took {summary.seconds:.0f} s.")


def _verdict(summary: Summary) -> Text:
    seen = f"{counted(summary.profiles, 'profile')} and {counted(summary.profile_events, 'event')} in Batch"
    if summary.ok:
        return Text(f"✓ {seen} are exactly those expected from what was produced.", style="bold green")
    if summary.differences:
        return Text(
            f"✗ {seen} differ from what was produced in {counted(len(summary.differences), 'place')}:",
            style="bold red",
        )
    if summary.lag:
        return Text(f"✗ {summary.lag:,} records were not committed.", style="bold red")
    return Text("✗ The counts do not add up:", style="bold red")
