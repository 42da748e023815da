"""`segbatch map`: what would be posted for each event."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from mapping.profile import FieldProblem
from sink.encoding import encode_update
from streams.commands.lines import LinesFile, lines_of, opened
from streams.commands.meaning import compile_documented, compile_meaning, message_id
from streams.commands.options import ConfigFile, fail, load_or_exit
from streams.mapping_settings import mapping_settings


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
    config: ConfigFile = None,
) -> None:
    """Show what would be posted for Segment events: JSON lines in, a JSON line out for each.

    Needs no keys and no Kafka. Each line out has messageId, outcome (mapped, skipped or rejected), reason, updates
    as they would be posted, and the fields that were left out or changed, with the reason.
    """
    line_of = _line_writer(config, _milliseconds(now), documented)
    with opened(file) as stream:
        out = sys.stdout.buffer
        for line in lines_of(stream):
            out.write(line_of(line))
            out.flush()


def _line_writer(config: Path | None, now_ms: float | None, documented: bool) -> Callable[[bytes], bytes]:
    settings = load_or_exit(config).settings
    rules = mapping_settings(settings)
    if documented:
        in_document = compile_documented(rules, settings.late_events, now_ms)

        def documented_line(line: bytes) -> bytes:
            found = in_document(line)
            return _line(line, found.outcome, found.reason, list(found.updates), found.fields)

        return documented_line
    meaning_of = compile_meaning(rules, settings.late_events, now_ms)

    def line_as_posted(line: bytes) -> bytes:
        found = meaning_of(line)
        updates = [orjson.Fragment(encode_update(update)) for update in found.updates]
        return _line(line, found.outcome, found.reason, updates, found.fields)

    return line_as_posted


def _line(
    line: bytes, outcome: str, reason: str | None, updates: list[Any], fields: tuple[FieldProblem, ...]
) -> bytes:
    shown = {
        "messageId": message_id(line),
        "outcome": outcome,
        "reason": reason,
        "updates": updates,
        "fields": [{"field": problem.field, "reason": problem.reason} for problem in fields],
    }
    return orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE)


def _milliseconds(now: str | None) -> float | None:
    if now is None:
        return None
    try:
        moment = datetime.fromisoformat(now)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000
    except (ValueError, OverflowError):
        fail(f"map: --now {now!r} is not an ISO 8601 time such as 2026-01-31T08:00:00Z")
