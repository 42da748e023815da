"""The answers that Batch gives, as far as they are known (Batch, Profiles API, "Responses")."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from sink.sandbox.settings import RefusalBody

JSON = "application/json"

MALFORMED = "MALFORMED_PARAMETER"
MISSING = "MISSING_PARAMETER"


class Answer(NamedTuple):
    """One HTTP answer. `code` is Batch's word for it, kept for the call log."""

    status: int
    code: str
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = {}


class Problem(NamedTuple):
    """Why an attribute or an event is refused, in plain English; never holds its value."""

    reason: str


def refusal(status: int, code: str, message: str) -> Answer:
    """An error answer: `{"error_code": ..., "error_message": ...}`."""
    return Answer(status, code, orjson.dumps({"error_code": code, "error_message": message}))


def partial_error(
    category: str, bulk_index: int, reason: str, attribute: str | None = None
) -> dict[str, Any]:
    """One entry of `errors`; `bulk_index` is the 0-based place of the update in the call."""
    error: dict[str, Any] = {"category": category, "bulk_index": bulk_index, "reason": reason}
    if attribute is not None:
        error["attribute"] = attribute
    return error


_SUCCESS = Answer(202, "SUCCESS", b'{"code":"SUCCESS"}')


def accepted(errors: Sequence[Mapping[str, Any]] = ()) -> Answer:
    """202, with the partial errors if there are any."""
    if not errors:
        return _SUCCESS
    code = "SUCCESS_WITH_PARTIAL_ERRORS"
    return Answer(202, code, orjson.dumps({"code": code, "errors": errors}))


def too_many_requests(message: str, body: RefusalBody, retry_after_s: float | None) -> Answer:
    """429 in the form that the settings ask for: Batch documents neither its body nor its headers."""
    headers = {} if retry_after_s is None else {"Retry-After": str(math.ceil(retry_after_s))}
    code = "TOO_MANY_REQUESTS"
    if body == "text":
        return Answer(429, code, message.encode(), "text/plain", headers)
    if body == "empty":
        return Answer(429, code, b"", "text/plain", headers)
    return refusal(429, code, message)._replace(headers=headers)


BAD_GATEWAY = Answer(
    502,
    "BAD_GATEWAY",
    b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>",
    "text/html",
)


def echoing(answer: Answer, items: Any) -> Answer:
    """The same answer; messages in it end in what the call held, as JSON and without its quotes."""
    if answer.content_type != JSON or answer.body == _SUCCESS.body:
        return answer
    held = orjson.dumps(items).decode()
    echo = f": {held} {held.replace(chr(34), '')}"
    said = orjson.loads(answer.body)
    for error in said.get("errors", ()):
        error["reason"] += echo
    if "error_message" in said:
        said["error_message"] += echo
    return answer._replace(body=orjson.dumps(said))
