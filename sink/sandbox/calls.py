"""What becomes of a call that may come in: a fault, a refusal, or acceptance."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from sink.sandbox.answers import (
    BAD_GATEWAY,
    MALFORMED,
    Answer,
    accepted,
    refusal,
    too_many_requests,
)
from sink.sandbox.faults import Fault
from sink.sandbox.record import Call
from sink.sandbox.state import Endpoint, State
from sink.sandbox.store import Source
from sink.sandbox.updates import RefusedCallError, check_call, refuse_something


class Incoming(NamedTuple):
    """A call with good credentials. `items` is the refusal instead, if the body cannot be read as updates."""

    endpoint: Endpoint
    project: str
    items: list[Any] | Answer
    fault: Fault | None


def decide(state: State, call: Call, incoming: Incoming) -> Answer | None:
    """The answer to a call, which is applied if that is an acceptance; None if the connection is to be cut.
    Completes `call` with the counts."""
    mode = "" if incoming.fault is None else incoming.fault.mode
    if mode == "reset_before":
        return None
    answer = _injected(state, incoming.fault) or _judged(state, call, incoming)
    return None if mode == "reset_after" else answer


def _judged(state: State, call: Call, incoming: Incoming) -> Answer:
    if isinstance(incoming.items, Answer):
        return incoming.items
    try:
        if state.settings.light:
            return _count(state, call, incoming, incoming.items)
        return _apply(state, call, incoming, incoming.items)
    except RefusedCallError as error:
        return error.answer


def _count(state: State, call: Call, incoming: Incoming, items: list[Any]) -> Answer:
    try:
        call.events = sum(len(item.get("events", ())) for item in items)
    except (AttributeError, TypeError):
        return refusal(400, MALFORMED, "Each update must be an object, and its events an array.")
    _take_tokens(state, incoming, len(items))
    state.record.accepted(call, asyncio.get_running_loop().time())
    return accepted()


def _apply(state: State, call: Call, incoming: Incoming, items: list[Any]) -> Answer:
    checked = check_call(items, state.settings, state.clock())
    _take_tokens(state, incoming, len(items))
    if incoming.fault is not None and incoming.fault.mode == "partial_error":
        checked = refuse_something(checked)
    call.events = sum(len(update.events) for update in checked.updates)
    call.partial_errors = len(checked.errors)
    state.record.accepted(call, asyncio.get_running_loop().time())
    state.applier.submit(checked.updates, Source(call.number, call.time, call.route))
    return accepted(checked.errors)


def _take_tokens(state: State, incoming: Incoming, cost: int) -> None:
    now = asyncio.get_running_loop().time()
    bucket = state.bucket(incoming.project, incoming.endpoint, now)
    wait = bucket.take(cost, now)
    if not wait:
        return
    message = f"Too many profile updates: {cost:,} in this call; the limit is {bucket.rate:g} a second"
    if math.isinf(wait):
        message += f", and {bucket.capacity:g} is the most that can ever be taken at once."
    else:
        message += f" (burst {bucket.capacity:g}). There will be enough in {wait:.2f} s."
    settings = state.settings
    raise RefusedCallError(too_many_requests(message, settings.refusal_body, settings.retry_after_s))


def _injected(state: State, fault: Fault | None) -> Answer | None:
    """The answer of a fault that refuses a call; None if there is no fault or it does something else."""
    if fault is None:
        return None
    reason = f"This is the {fault.mode} fault of the sandbox."
    settings = state.settings
    match fault.mode:
        case "429":
            wait = settings.retry_after_s if fault.retry_after_s is None else fault.retry_after_s
            return too_many_requests(reason, settings.refusal_body, wait)
        case "500":
            return refusal(500, "SERVER_ERROR", reason)
        case "503":
            return refusal(503, "MAINTENANCE_ERROR", reason)._replace(headers=_retry_after(fault))
        case "401":
            return refusal(401, "AUTHENTICATION_INVALID", reason)
        case "bad_gateway":
            return BAD_GATEWAY
    return None


def _retry_after(fault: Fault) -> Mapping[str, str]:
    return {} if fault.retry_after_s is None else {"Retry-After": str(math.ceil(fault.retry_after_s))}
