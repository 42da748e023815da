"""What may be asked for in `POST /profiles/export` (Batch, "Profiles export")."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from sink.sandbox.answers import MALFORMED, MISSING, Answer, refusal

LOOK_BACK_S = 90 * 86_400
"""Events and reachability go back 90 days."""
REACHABILITY_SINCE = datetime(2024, 10, 10, tzinfo=UTC).timestamp()
"""Batch keeps the history of opt-ins since then."""
SCOPES = {
    "ATTRIBUTES": "PROFILE_ATTRIBUTES",
    "EVENTS": "PROFILE_EVENTS",
    "REACHABILITY": "PROFILE_REACHABILITY",
}
_IDENTIFIERS = ("custom_id", "installation_ids")


class ExportRequest(NamedTuple):
    """A request that is in order."""

    body: dict[str, Any]
    kind: str
    attributes: frozenset[str] = frozenset()
    identifiers: frozenset[str] = frozenset()
    since: float = 0.0
    """Seconds since 1970: older events are left out."""


def read_export_request(body: bytes, now: float) -> ExportRequest | Answer:
    """The request, or its refusal. `now` is in seconds since 1970."""
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError:
        return refusal(400, MALFORMED, "The body is not valid JSON.")
    if not isinstance(asked, dict):
        return refusal(400, MALFORMED, "The body must be a JSON object.")
    kind = asked.get("export_type")
    if kind is None:
        return refusal(400, MISSING, f"export_type is missing: one of {', '.join(SCOPES)}.")
    if kind not in SCOPES:
        return refusal(400, MALFORMED, f"export_type must be one of {', '.join(SCOPES)}.")
    if kind == "ATTRIBUTES":
        return _attributes(asked)
    return _history(asked, kind, now)


def _attributes(asked: dict[str, Any]) -> ExportRequest | Answer:
    names, identifiers = asked.get("attributes", []), asked.get("identifiers", [])
    for key, value in (("attributes", names), ("identifiers", identifiers)):
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            return refusal(400, MALFORMED, f"{key} must be an array of names.")
    if not names and not identifiers:
        return refusal(400, MISSING, "At least one of attributes and identifiers is needed.")
    if not set(identifiers) <= set(_IDENTIFIERS):
        return refusal(400, MALFORMED, f"identifiers are {' and '.join(_IDENTIFIERS)}.")
    if asked.get("filter") is not None:
        return refusal(400, MALFORMED, "filter names a segment, and the sandbox has none.")
    return ExportRequest(asked, "ATTRIBUTES", frozenset(names), frozenset(identifiers))


def _history(asked: dict[str, Any], kind: str, now: float) -> ExportRequest | Answer:
    oldest = now - LOOK_BACK_S
    since = asked.get("from")
    if since is None:
        return ExportRequest(asked, kind, since=oldest)
    try:
        moment = datetime.fromisoformat(since)
        at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return refusal(400, MALFORMED, "from must be an RFC 3339 time.")
    if at < oldest:
        return refusal(400, MALFORMED, "from is more than 90 days ago: Batch exports the last 90 days.")
    if kind == "REACHABILITY" and at < REACHABILITY_SINCE:
        return refusal(400, MALFORMED, "from is before 2024-10-10, when the history of opt-ins begins.")
    return ExportRequest(asked, kind, since=at)
