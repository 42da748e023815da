"""The two routes that take profile updates, and the answer where Batch has no route."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sink.sandbox import formats
from sink.sandbox.access import access_refusal, project_of
from sink.sandbox.answers import MALFORMED, Answer, echoing, refusal
from sink.sandbox.calls import Incoming, decide
from sink.sandbox.inflight import Flight
from sink.sandbox.record import Call, body_violations, custom_ids
from sink.sandbox.state import Endpoint, State
from sink.sandbox.updates import RefusedCallError, decompress, read_items

STATE: web.AppKey[State] = web.AppKey("state", State)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_CUT_AT_ONCE = struct.pack("ii", 1, 0)
"""The linger option of a socket that resets its connection on close."""


def profiles_handler(endpoint: Endpoint) -> Handler:
    """The handler of one of the two routes that take updates."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await _take_call(request.app[STATE], endpoint, request)

    return handle


async def no_route(request: web.Request) -> web.StreamResponse:
    """404 for everything else, with what there is."""
    message = (
        "The sandbox has no such route or method. Of Batch it has POST /2.x/profiles/update, mass-update and "
        "export, GET /2.x/exports/view and /2.x/exports/download; its own are listed by GET /_sandbox."
    )
    return respond(refusal(404, "ROUTE_NOT_FOUND", message))


async def _take_call(state: State, endpoint: Endpoint, request: web.Request) -> web.StreamResponse:
    loop = asyncio.get_running_loop()
    call = Call(loop.time(), formats.write_time(state.clock()), endpoint.route, list(request.headers))
    state.record.received(call, keep=not state.settings.light)
    _note_headers(state, request)
    items = await _read(state, endpoint, request, call)
    flight = None
    if isinstance(items, list) and not state.settings.light:
        flight = _enter(state, request, call, items)
    try:
        answer = await _answer(state, endpoint, request, call, items)
    finally:
        if flight is not None:
            state.in_flight.leave(flight, loop.time())
    if answer is not None:
        call.status, call.code = answer.status, answer.code
    state.record.answered(call, loop.time())
    if answer is None:
        _cut(request)
        return web.Response()
    return respond(answer)


async def _answer(
    state: State, endpoint: Endpoint, request: web.Request, call: Call, items: list[Any] | Answer
) -> Answer | None:
    """The answer, when it is due; None if the connection is to be cut then."""
    loop = asyncio.get_running_loop()
    late_ms = state.settings.latency_ms
    answer = access_refusal(state, request)
    if answer is None:
        fault = state.faults.draw(loop.time())
        if fault is not None:
            call.fault = fault.mode
            late_ms += fault.delay_ms
        answer = decide(state, call, Incoming(endpoint, project_of(request), items, fault))
        if answer is not None and state.settings.echo_values and isinstance(items, list):
            answer = echoing(answer, items)
    remaining = call.received + late_ms / 1000 - loop.time()
    if remaining > 0:
        await asyncio.sleep(remaining)
    return answer


async def _read(state: State, endpoint: Endpoint, request: web.Request, call: Call) -> list[Any] | Answer:
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        limit = state.settings.max_body_bytes
        return refusal(413, "PAYLOAD_TOO_LARGE", f"The body is larger than {limit:,} bytes.")
    except (web.RequestPayloadError, ConnectionError):
        return refusal(400, MALFORMED, "The body could not be read to its end.")
    call.size = len(body)
    try:
        if "Content-Encoding" in request.headers:
            body = decompress(body, request.headers["Content-Encoding"], state.settings.max_body_bytes)
        items = read_items(body, endpoint.max_updates, state.settings.empty_array)
    except RefusedCallError as error:
        return error.answer
    call.updates = len(items)
    return items


def _enter(state: State, request: web.Request, call: Call, items: list[Any]) -> Flight:
    call.ids = custom_ids(items)
    state.record.violations.update(body_violations(items, call.ids))
    flight, overlaps = state.in_flight.enter(call.received, call.ids, lambda: _is_connected(request))
    state.record.violations["same_profile_in_flight"] += overlaps
    return flight


def _note_headers(state: State, request: web.Request) -> None:
    if "Content-Encoding" in request.headers:
        state.record.violations["content_encoding"] += 1
    if request.content_type != "application/json":
        state.record.violations["content_type"] += 1


def _is_connected(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _cut(request: web.Request) -> None:
    """Reset the connection as a failing network does: the client gets no byte of an answer."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CUT_AT_ONCE)
    transport.abort()


def respond(answer: Answer) -> web.Response:
    """The answer as aiohttp sends it."""
    return web.Response(
        status=answer.status, body=answer.body, content_type=answer.content_type, headers=answer.headers
    )
