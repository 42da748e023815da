"""`segbatch map`: what would be posted for each event."""

from __future__ import annotations

import sys
from typing import Annotated

import orjson
import typer

from mapping.mapper import compile_matcher
from streams.commands.lines import LinesFile, numbered_lines, opened, say_that_none_came
from streams.commands.meaning import Clock, Meaning, documented_meaning, message_id, posted_meaning
from streams.commands.moments import milliseconds
from streams.commands.options import (
    ConfigFile,
    MappingsFile,
    fail,
    load_or_exit,
    mappings_or_exit,
)
from streams.mapping_settings import mapping_settings
from streams.mappings_file import LoadedMappings


def map_events(
    file: LinesFile = "-",
    now: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="The clock (ISO 8601, UTC if it names no zone): turns on the rule that Batch takes events of the "
            "last 24 hours.",
        ),
    ] = None,
    documented: Annotated[
        bool,
        typer.Option(
            "--documented",
            help="Updates in the shape of Segment's document: names as they came, and no time.",
        ),
    ] = False,
    mappings: MappingsFile = None,
    config: ConfigFile = None,
) -> None:
    """Show what would be posted for Segment events: JSON lines in, a JSON line out for each.

    Needs no keys and no Kafka. Each line out has messageId, outcome (mapped, skipped or rejected), reason, updates
    as they would be posted, the fields that were left out or changed, with the reason, and the names of the mappings
    that matched. What is wrong with a rejected line is said on standard error, with the line's number.
    """
    settings = load_or_exit(config, with_mappings=mappings is None and not documented).settings
    clock = Clock(None if now is None else milliseconds("map", "--now", now), settings.late_events)
    rules = mapping_settings(settings)
    if documented and mappings is not None:
        fail("map: --documented shows the preset, as Segment's page does: it goes without --mappings")
    chosen = LoadedMappings() if documented else mappings_or_exit(settings, mappings, warn=True)
    mapping_set = chosen.mapping_set
    read = documented_meaning(rules, clock) if documented else posted_meaning(rules, clock, mapping_set)
    matching = compile_matcher(rules, mapping_set)
    with opened(file) as stream:
        out = sys.stdout.buffer
        number = 0
        for number, line in numbered_lines(stream):
            found = read(line)
            out.write(_shown(line, found, matching(line)))
            out.flush()
            if found.detail is not None:
                print(f"segbatch: map: line {number}: {found.reason}: {found.detail}", file=sys.stderr)
    if not number:
        say_that_none_came(file)


def _shown(line: bytes, found: Meaning, mappings: tuple[str, ...]) -> bytes:
    shown = {
        "messageId": message_id(line),
        "outcome": found.outcome,
        "reason": found.reason,
        "updates": list(found.updates),
        "fields": [{"field": problem.field, "reason": problem.reason} for problem in found.fields],
        "mappings": mappings,
    }
    return orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE)
