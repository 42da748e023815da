"""The rules of a call and of the updates in it (Batch, Profiles API, "Update profiles")."""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import orjson

from sink.sandbox.answers import MALFORMED, MISSING, Answer, Problem, partial_error, refusal
from sink.sandbox.attributes import Attribute, read_attribute
from sink.sandbox.events import read_event
from sink.sandbox.settings import OnProblem, SandboxSettings

_GZIP_OR_ZLIB = 47
"""zlib's `wbits` for either format, whatever its window."""

MAX_EVENTS = 15
MAX_ATTRIBUTES = 50


class Update(NamedTuple):
    """What is left of one update after validation. `custom_id` is None for an installation."""

    bulk_index: int
    """Its place in the call, from 0."""
    custom_id: str | None
    attributes: tuple[Attribute, ...]
    events: tuple[dict[str, Any], ...]


class CheckedCall(NamedTuple):
    """A call that is accepted: what to apply and what was refused of it (`errors`, as answered)."""

    updates: list[Update]
    errors: list[dict[str, Any]]


class RefusedCallError(Exception):
    """Nothing of the call is applied. `answer` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.code)
        self.answer = answer


def decompress(body: bytes, encoding: str, most: int) -> bytes:
    """The body of a call that was sent compressed, which Batch does not document. Raises RefusedCallError if it is
    neither gzip nor deflate, is damaged, or has over `most` bytes."""
    if encoding.strip().lower() not in ("gzip", "deflate"):
        raise _refused(MALFORMED, "The body has a Content-Encoding that is not known: send plain JSON.")
    stream = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        plain = stream.decompress(body, most)
    except zlib.error:
        plain = b""
    if not stream.eof:
        raise _refused(MALFORMED, "The compressed body is damaged or too large: send plain JSON.")
    return plain


def read_items(body: bytes, most: int, empty_array: OnProblem) -> list[Any]:
    """The updates of a call, not yet validated. Raises RefusedCallError if the body is not a JSON array of
    at most `most` updates."""
    try:
        items = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _refused(MALFORMED, f"The body is not valid JSON: {error}.") from None
    if not isinstance(items, list):
        raise _refused(MALFORMED, "The body must be a JSON array of updates, also for a single one.")
    if len(items) > most:
        raise _refused(MALFORMED, f"A call holds at most {most:,} updates; this one has {len(items):,}.")
    if not items and empty_array == "reject_call":
        raise _refused(MISSING, "The array is empty: a call needs at least one update.")
    return items


def check_call(items: list[Any], settings: SandboxSettings, now: float) -> CheckedCall:
    """Validate every update; what is wrong with one attribute or event costs that one only. `now` is the
    server's clock, seconds since 1970. Raises RefusedCallError for an update that is not of the documented
    shape, or breaks a rule whose setting says `reject_call`."""
    checked = CheckedCall([], [])
    for index, item in enumerate(items):
        _check_shape(index, item)
        problem = _identifiers_problem(item.get("identifiers"), settings)
        if problem is not None:
            if settings.missing_identifiers == "reject_call":
                raise _refused(MISSING, f"Update {index}: {problem}.")
            checked.errors.append(partial_error("identifier", index, problem))
            continue
        attributes = _check_attributes(index, item.get("attributes", {}), settings, checked.errors)
        events = _check_events(index, item.get("events", []), settings, now, checked.errors)
        checked.updates.append(Update(index, item["identifiers"].get("custom_id"), attributes, events))
    return checked


def refuse_something(checked: CheckedCall) -> CheckedCall:
    """The same call with the first attribute and the first event of its first update refused."""
    if not checked.updates:
        return checked
    first = checked.updates[0]
    errors = list(checked.errors)
    reason = "refused by the partial_error fault of the sandbox"
    if first.attributes:
        errors.append(partial_error("attribute", first.bulk_index, reason, first.attributes[0].wire_key))
    if first.events:
        errors.append(partial_error("event", first.bulk_index, reason))
    rest = first._replace(attributes=first.attributes[1:], events=first.events[1:])
    return CheckedCall([rest, *checked.updates[1:]], errors)


def _refused(code: str, message: str) -> RefusedCallError:
    return RefusedCallError(refusal(400, code, message))


def _check_shape(index: int, item: Any) -> None:
    if not isinstance(item, dict):
        raise _refused(MALFORMED, f"Update {index} is not a JSON object.")
    if not isinstance(item.get("attributes", {}), dict):
        raise _refused(MALFORMED, f"Update {index}: attributes must be an object.")
    events = item.get("events", [])
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise _refused(MALFORMED, f"Update {index}: events must be an array of objects.")


def _identifiers_problem(identifiers: Any, settings: SandboxSettings) -> str | None:
    if not isinstance(identifiers, dict):
        return "identifiers, an object with a custom_id, is missing"
    if ("custom_id" in identifiers) == ("installation" in identifiers):
        return "identifiers must hold exactly one of custom_id and installation"
    if "installation" in identifiers:
        return _installation_problem(identifiers["installation"])
    custom_id = identifiers["custom_id"]
    if not isinstance(custom_id, str):
        return "custom_id must be a string"
    if not 1 <= len(custom_id) <= settings.max_custom_id_chars:
        return (
            f"custom_id must have 1 to {settings.max_custom_id_chars:,} characters; it has {len(custom_id):,}"
        )
    return None


def _installation_problem(installation: Any) -> str | None:
    keys = ("apikey", "installation_id")
    if isinstance(installation, dict) and all(isinstance(installation.get(key), str) for key in keys):
        return None
    return "installation must be an object with the strings apikey and installation_id"


def _check_attributes(
    index: int, attributes: dict[str, Any], settings: SandboxSettings, errors: list[dict[str, Any]]
) -> tuple[Attribute, ...]:
    reason = f"an update has at most {MAX_ATTRIBUTES} attributes; this one has {len(attributes):,}"
    if len(attributes) > MAX_ATTRIBUTES and settings.too_many_attributes == "reject_call":
        raise _refused(MALFORMED, f"Update {index}: {reason}.")
    kept: list[Attribute] = []
    for position, (key, value) in enumerate(attributes.items()):
        read = Problem(reason) if position >= MAX_ATTRIBUTES else read_attribute(key, value, settings)
        if isinstance(read, Problem):
            errors.append(partial_error("attribute", index, read.reason, key))
        else:
            kept.append(read)
    return tuple(kept)


def _check_events(
    index: int,
    events: list[dict[str, Any]],
    settings: SandboxSettings,
    now: float,
    errors: list[dict[str, Any]],
) -> tuple[dict[str, Any], ...]:
    reason = f"an update has at most {MAX_EVENTS} events; this one has {len(events):,}"
    if len(events) > MAX_EVENTS and settings.too_many_events == "reject_call":
        raise _refused(MALFORMED, f"Update {index}: {reason}.")
    kept: list[dict[str, Any]] = []
    for position, event in enumerate(events):
        read = Problem(reason) if position >= MAX_EVENTS else read_event(event, settings, now)
        if isinstance(read, Problem):
            errors.append(partial_error("event", index, read.reason))
        else:
            kept.append(read)
    return tuple(kept)
