"""`segbatch dead-letters show`: one letter."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import orjson
import typer

from streams.commands.dead_letters.content import part_in_words, with_content, with_headers
from streams.commands.dead_letters.options import Selection, Topic
from streams.commands.dead_letters.topics import Span, Stored, open_topics
from streams.commands.findings import counted
from streams.commands.options import EXIT_FAILED, ConfigFile, fail, load_or_exit
from streams.letter import Letter
from streams.settings import dead_letter_topic

_CONTENT = ("key", "key_base64", "value", "value_base64")


class Where(NamedTuple):
    """Where a letter lies in its topic."""

    partition: int
    offset: int


def show(
    where: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="Where the letter lies.")],
    value: Annotated[
        bool, typer.Option("--value", help="The record's key and value too: personal data.")
    ] = False,
    in_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    topic: Topic = None,
    config: ConfigFile = None,
) -> None:
    """Show one letter: what happened, where its record lies, and its headers."""
    settings = load_or_exit(config, ("kafka.brokers", "kafka.topics")).settings
    place = _where(where)
    names = dict.fromkeys(dead_letter_topic(settings, each) for each in settings.kafka.topics)
    if topic is None and len(names) > 1:
        fail(f"dead-letters show: --topic is needed to choose among {', '.join(names)}")
    with open_topics(settings, topic, [place.partition]) as topics:
        topics.look()
        (found,) = topics.spans
        last = topics.spans[found].high
        topics.spans[found] = Span(max(place.offset, topics.spans[found].low), min(place.offset + 1, last))
        stored = next((each for each in topics.letters(Selection()) if each.offset == place.offset), None)
    if stored is None:
        fail(f"dead-letters show: no dead letter lies at {where} of {found[0]}", EXIT_FAILED)
    content = with_content(stored) if value else with_headers(stored)
    typer.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2) if in_json else _text(stored, content))


def _where(text: str) -> Where:
    partition, _, offset = text.partition(":")
    if not (partition.isdecimal() and offset.isdecimal()):
        fail(f"dead-letters show: {text!r} is not a place such as 3:17, as `dead-letters list` shows them")
    return Where(int(partition), int(offset))


def _text(stored: Stored, content: dict[str, Any]) -> str:
    letter = stored.letter
    state = ["replayed" if stored.replayed else "not replayed"]
    if letter.delivered:
        state.append("a copy of a record that was delivered")
    if letter.value_left_out:
        state.append("the value was too large for this topic")
    lines = [
        f"reason    {letter.reason}",
        f"detail    {letter.detail}",
        f"part      {part_in_words(letter, f'profile {letter.profile}')} was not settled",
        f"record    {_record(letter)}",
        f"failed    {letter.failed_at}, sent {counted(letter.attempts, 'time')}",
        f"mappings  {', '.join(letter.mappings) or '-'}",
        f"batch     {' '.join(part for part in (letter.http_status, letter.batch_message) if part) or '-'}",
        f"state     {', '.join(state)}",
        "headers",
        *(_header(header) for header in content["headers"]),
    ]
    for name in _CONTENT:
        if name in content:
            shown = content[name]
            lines += [name, f"  {shown if isinstance(shown, str) else orjson.dumps(shown).decode()}"]
    return "\n".join(lines)


def _record(letter: Letter) -> str:
    if letter.backfill:
        return f"none: an update of the backfill {letter.backfill}, for {letter.topic}"
    return f"{letter.topic} {letter.partition}:{letter.offset}, appended {letter.record_at or '-'}"


def _header(header: dict[str, Any]) -> str:
    shown = header["value_base64"] + " (base64)" if "value_base64" in header else header["value"]
    return f"  {header['name']}: {'' if shown is None else shown}".rstrip()
