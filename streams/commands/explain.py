"""`segbatch explain`: what becomes of one event, step by step, and on request really sent."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Annotated, Any, NamedTuple

import orjson
import typer

from mapping.explain import explain as explain_event
from mapping.read import read_record
from sink.client import Answer, BatchClient, Credentials, Verdict
from streams.commands.explaining import explanation_json, explanation_lines, indented
from streams.commands.lines import numbered_lines, opened
from streams.commands.meaning import Clock
from streams.commands.moments import milliseconds
from streams.commands.options import (
    EXIT_FAILED,
    ConfigFile,
    MappingsFile,
    fail,
    load_or_exit,
    mappings_or_exit,
)
from streams.mapping_settings import mapping_settings
from streams.settings import Loaded
from streams.settings.masking import MASK

_KEYS = ("batch.rest_api_key", "batch.project_key")


class Response(NamedTuple):
    """What Batch answered, with the keys masked."""

    status: str
    """The HTTP status, or `timeout`, `connection_lost`, `connection_failed`."""
    body: str
    accepted: bool


def explain(
    event: Annotated[
        str, typer.Argument(metavar="EVENT.json", help="A file with one event; - is standard input.")
    ],
    line: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Of a file with an event a line: the line, from 1."),
    ] = None,
    send: Annotated[
        bool,
        typer.Option("--send", help="Really post it to the configured Batch, and show the answer."),
    ] = False,
    now: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="The clock (ISO 8601) for the rule of 24 hours; else the present."),
    ] = None,
    in_json: Annotated[bool, typer.Option("--json", help="The steps as one JSON object.")] = False,
    mappings: MappingsFile = None,
    config: ConfigFile = None,
) -> None:
    """Show what becomes of one event: consent, integrations, filters, every trigger and why, every mapping's part, and
    the call that would be made, with the profile updates that it costs.

    Needs no keys and no Kafka, unless --send posts it: "Send test record" of Segment. The exit code is then 1 if Batch
    does not accept it.
    """
    loaded = load_or_exit(config, _KEYS if send else (), with_mappings=mappings is None)
    chosen = mappings_or_exit(loaded.settings, mappings, warn=True)
    record = _record(event, line)
    clock = Clock(
        time.time() * 1000 if now is None else milliseconds("explain", "--now", now),
        loaded.settings.late_events,
    )
    explained = explain_event(record, mapping_settings(loaded.settings), chosen.mapping_set)
    shown = explanation_json(explained, clock)
    shown["call"] = call = _call(loaded, shown["updates"]) if shown["updates"] else None
    if send and call is None:
        fail(f"explain: there is nothing to send: {shown['outcome']}, {shown['reason']}", EXIT_FAILED)
    response = asyncio.run(_sent(loaded, orjson.dumps(shown["updates"]))) if send else None
    if response is not None:
        shown["response"] = {"status": response.status, "body": _json_or_text(response.body)}
    if in_json:
        typer.echo(json.dumps(shown, ensure_ascii=False))
    else:
        typer.echo("\n".join(explanation_lines(explained, shown)))
        _print_call(call, shown["tokens"], response)
    if response is not None and not response.accepted:
        raise typer.Exit(EXIT_FAILED)


def _record(file: str, line: int | None) -> bytes:
    """The one event of a file, or that of a line. Ends the command if there are several to choose from."""
    with opened(file) as stream:
        content = stream.read()
    lines = dict(numbered_lines(content.splitlines()))
    if line is not None:
        if line not in lines:
            fail(f"explain: {file} has nothing on line {line}")
        return lines[line]
    if len(lines) > 1 and all(map(_is_event, list(lines.values())[:2])):
        fail(f"explain: {file} has several events, a line each: choose one with --line {min(lines)}")
    return content


def _is_event(line: bytes) -> bool:
    return read_record(lambda event, problems: True, line) is True


def _call(loaded: Loaded, updates: list[Any]) -> dict[str, Any]:
    batch = loaded.settings.batch
    headers = Credentials(MASK, MASK).headers()
    url = f"{batch.base_url}/{batch.api_version}/profiles/update"
    return {"method": "POST", "url": url, "headers": headers, "body": updates}


async def _sent(loaded: Loaded, body: bytes) -> Response:
    batch = loaded.settings.batch
    credentials = Credentials(*loaded.credentials())
    client = BatchClient(
        batch.base_url, batch.api_version, credentials, connections=1, timeout_s=batch.request_timeout_s
    )
    async with client:
        answer, content = await client.send_test_record(body)
    text = content.decode(errors="replace") or answer.message
    for secret in credentials.rest_api_key, credentials.project_key:
        text = text.replace(secret, MASK)
    return Response(answer.status, text, _is_taken(answer))


def _is_taken(answer: Answer) -> bool:
    return answer.verdict is Verdict.ACCEPTED and not answer.errors


def _json_or_text(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _print_call(call: dict[str, Any] | None, tokens: int, response: Response | None) -> None:
    if call is None:
        return
    updates = "1 profile update" if tokens == 1 else f"{tokens} profile updates"
    typer.echo(f"\nThe call{' that was made' if response else ' that would be made'} costs {updates}:")
    typer.echo(f"  {call['method']} {call['url']}")
    for name, value in call["headers"].items():
        typer.echo(f"  {name}: {value}")
    typer.echo("\n".join(indented(call["body"], 2)))
    if response is not None:
        typer.echo(f"\nBatch answered {response.status}:")
        typer.echo(f"  {response.body}")
