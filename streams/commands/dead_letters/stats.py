"""`segbatch dead-letters stats`: how many letters there are, of what kind, and what was done with them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streams.commands.dead_letters.listing import state
from streams.commands.dead_letters.nothing import nothing_found
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
from streams.commands.dead_letters.topics import Stored, open_topics
from streams.commands.options import ConfigFile, load_or_exit

_NAME_WIDTH = 24
"""Of the first column, at least: with it a table fits into 80 columns."""
_SHORT_TIME = slice(len("2026-"), None)
_WIDE = 100
"""Columns in which a table has room for times with their year."""


@dataclass(slots=True)
class Group:
    """Letters that have something in common."""

    letters: int = 0
    states: Counter[str] = field(default_factory=Counter)
    first: str = ""
    """When the first and the last of them failed, ISO 8601."""
    last: str = ""

    def add(self, stored: Stored) -> None:
        """Count one."""
        failed_at = stored.letter.failed_at
        self.letters += 1
        self.states[state(stored)] += 1
        self.first = min(self.first or failed_at, failed_at)
        self.last = max(self.last, failed_at)

    def as_json(self) -> dict[str, Any]:
        """`letters` is the sum of `open`, `replayed` and `delivered`."""
        states = {name: self.states[name] for name in ("open", "replayed", "delivered")}
        return {"letters": self.letters, **states, "first_failed_at": self.first, "last_failed_at": self.last}


class Statistics:
    """Counts of letters: all, and by what they have in common."""

    def __init__(self) -> None:
        self.all = Group()
        self.by: dict[str, defaultdict[str, Group]] = {
            name: defaultdict(Group) for name in ("reason", "mapping", "part", "partition")
        }

    def add(self, stored: Stored) -> None:
        """Count one."""
        self.all.add(stored)
        topic, partition = stored.place
        self.by["reason"][stored.letter.reason].add(stored)
        self.by["part"][stored.letter.part].add(stored)
        self.by["partition"][f"{topic} {partition}"].add(stored)
        for name in stored.letter.mappings:
            self.by["mapping"][name].add(stored)

    def as_json(self) -> dict[str, Any]:
        """`{letters, open, replayed, delivered, …, by_reason: {invalid_json: {letters, …}}, by_mapping …}`."""
        groups = {
            f"by_{name}": {key: group.as_json() for key, group in sorted(groups.items())}
            for name, groups in self.by.items()
        }
        return {**self.all.as_json(), **groups}

    def tables(self, columns: int) -> list[Table | Text]:
        """A table for each thing that letters have in common, for a terminal of so many columns; one of partitions for
        each topic, below its name."""
        narrow = columns < _WIDE
        tables: list[Table | Text] = [
            _table(name, groups, narrow=narrow)
            for name, groups in self.by.items()
            if groups and name != "partition"
        ]
        topics: defaultdict[str, dict[str, Group]] = defaultdict(dict)
        for place, group in self.by["partition"].items():
            topic, _, partition = place.partition(" ")
            topics[topic][partition] = group
        for topic, groups in topics.items():
            tables += [Text(topic, "bold"), _table("partition", groups, narrow=narrow)]
        return tables


def stats(
    reason: Reasons = None,
    from_: From = None,
    to: To = None,
    mapping: Mappings = None,
    partition: Partitions = None,
    user: User = None,
    in_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    topic: Topic = None,
    config: ConfigFile = None,
) -> None:
    """Count letters by reason, mapping, part and partition: open, replayed, or copies of what was delivered."""
    settings = load_or_exit(config, ("kafka.brokers", "kafka.topics")).settings
    chosen = selection(reason, mapping, partition, from_, to, user)
    found = Statistics()
    with open_topics(settings, topic, chosen.partitions) as topics:
        topics.look(chosen)
        for stored in topics.letters(chosen):
            found.add(stored)
        nothing = "" if found.all.letters or in_json else nothing_found(topics, chosen)
    if in_json:
        typer.echo(orjson.dumps(found.as_json(), option=orjson.OPT_INDENT_2))
    elif nothing:
        typer.echo(nothing)
    else:
        console = Console()
        for table in found.tables(console.width):
            console.print(table)


def _table(name: str, groups: dict[str, Group], *, narrow: bool) -> Table:
    """In a narrow terminal the times go without their year, and long names take two lines."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(name, overflow="fold", min_width=min(max(map(len, groups)), _NAME_WIDTH))
    for column in ("letters", "open", "replayed", "delivered"):
        table.add_column(column, justify="right", no_wrap=True)
    for column in ("first fail", "last fail") if narrow else ("first failed", "last failed"):
        table.add_column(column, no_wrap=True)
    for key, group in sorted(groups.items(), key=lambda item: -item[1].letters):
        states = (str(group.states[each]) for each in ("open", "replayed", "delivered"))
        times = (
            _minute(moment)[_SHORT_TIME if narrow else slice(None)] for moment in (group.first, group.last)
        )
        table.add_row(key, str(group.letters), *states, *times)
    table.add_section()
    return table


def _minute(moment: str) -> str:
    """`2026-03-02 09:14`."""
    return moment[:16].replace("T", " ")
