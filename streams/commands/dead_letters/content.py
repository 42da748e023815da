"""Letters as JSON."""

from __future__ import annotations

import base64
from typing import Any

import orjson

from streams.commands.dead_letters.topics import Stored
from streams.letter import Letter, iso_time
from streams.records import Message
from streams.settlement import NO_TIMESTAMP


def summary(stored: Stored) -> dict[str, Any]:
    """What a letter is, without anything of the record but where it lies."""
    letter = stored.letter
    topic, partition = stored.place
    return {
        "topic": topic,
        "partition": partition,
        "offset": stored.offset,
        "failed_at": letter.failed_at,
        "reason": letter.reason,
        "detail": letter.detail,
        "part": letter.part,
        "profile": letter.profile,
        "mappings": list(letter.mappings),
        "http_status": letter.http_status,
        "batch_message": letter.batch_message,
        "attempts": letter.attempts,
        "delivered": letter.delivered,
        "replayed": stored.replayed,
        "value_left_out": letter.value_left_out,
        "backfill": letter.backfill,
        "record": {
            "topic": letter.topic,
            "partition": letter.partition,
            "offset": letter.offset,
            "appended_at": letter.record_at,
        },
    }


def part_in_words(letter: Letter, profile: str) -> str:
    """`event`; or, of a letter about one profile of several, which is called by `profile`: `event of one profile`, and
    `one profile` where nothing of that was settled."""
    if not letter.profile:
        return letter.part
    return profile if letter.part == "record" else f"{letter.part} of {profile}"


def with_headers(stored: Stored) -> dict[str, Any]:
    """The summary, and every header: the record's own and what was added."""
    headers = [{"name": name, **text("value", value)} for name, value in stored.message.headers() or ()]
    return {**summary(stored), "headers": headers}


def with_content(stored: Stored) -> dict[str, Any]:
    """Everything: `value` is the record's JSON with every digit as it came, or else `value_base64`; `key` is text, or
    else `key_base64`."""
    message = stored.message
    kind, written_ms = message.timestamp()
    timestamp = {"timestamp": iso_time(written_ms / 1000)} if kind != NO_TIMESTAMP else {}
    return {
        **with_headers(stored),
        **timestamp,
        **text("key", message.key()),
        **_json_value(message),
    }


def text(name: str, content: bytes | None) -> dict[str, str | None]:
    """`{name: text}`, or `{name_base64: …}` for what is not UTF-8."""
    if content is None:
        return {name: None}
    try:
        return {name: content.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(content).decode()}


def _json_value(message: Message) -> dict[str, Any]:
    value = message.value()
    if value is None:
        return {"value": None}
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return {"value_base64": base64.b64encode(value).decode()}
    # A line break in JSON can only stand between its parts: a blank says the same, and keeps the export's line whole.
    return {"value": orjson.Fragment(value.replace(b"\n", b" ").replace(b"\r", b" "))}
