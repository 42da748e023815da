"""The routes under `/_sandbox`, which Batch does not have: what arrived, what became of it, and faults."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

import orjson
from aiohttp import web

from sink.sandbox.answers import JSON, MALFORMED, refusal
from sink.sandbox.batch_routes import STATE
from sink.sandbox.faults import Fault, FaultRequestError, read_fault

JSON_LINES = "application/x-ndjson"
_LINES_AT_ONCE = 200

ROUTES = {
    "GET /_sandbox": "this list",
    "GET /_sandbox/stats": "totals and violations",
    "GET /_sandbox/profiles": "every profile, a JSON line each",
    "GET /_sandbox/profiles/{custom_id}": "one profile (the id URL-encoded)",
    "GET /_sandbox/calls": "the last calls, a JSON line each",
    "GET /_sandbox/updates": "the last updates as they were applied, a JSON line each",
    "GET /_sandbox/faults": "the faults that are on",
    "POST /_sandbox/faults": '{"mode", "share", "seconds", "delay_ms", "retry_after_s", "seed"}',
    "POST /_sandbox/rest-api-key": '{"rest_api_key"}: the only one accepted from now on',
    "POST /_sandbox/reset": "forget profiles, exports, totals, calls and faults; fill the buckets",
}


def add_routes(app: web.Application) -> None:
    """Add the inspection routes to the application."""
    app.router.add_get("/_sandbox", _index)
    app.router.add_get("/_sandbox/stats", _stats)
    app.router.add_get("/_sandbox/profiles", _profiles)
    app.router.add_get("/_sandbox/profiles/{custom_id:.+}", _profile)
    app.router.add_get("/_sandbox/calls", _calls)
    app.router.add_get("/_sandbox/updates", _updates)
    app.router.add_get("/_sandbox/faults", _faults)
    app.router.add_post("/_sandbox/faults", _set_fault)
    app.router.add_post("/_sandbox/rest-api-key", _replace_rest_api_key)
    app.router.add_post("/_sandbox/reset", _reset)


async def _index(request: web.Request) -> web.StreamResponse:
    return _json(ROUTES)


async def _stats(request: web.Request) -> web.StreamResponse:
    return _json(request.app[STATE].stats())


async def _profiles(request: web.Request) -> web.StreamResponse:
    return await _stream(request, request.app[STATE].store.all())


async def _profile(request: web.Request) -> web.StreamResponse:
    profile = request.app[STATE].store.get(request.match_info["custom_id"])
    if profile is None:
        answer = refusal(404, "NOT_FOUND", "There is no profile with this custom_id.")
        return web.Response(status=404, body=answer.body, content_type=JSON)
    return _json(profile)


async def _calls(request: web.Request) -> web.StreamResponse:
    return await _stream(request, (call.shown() for call in request.app[STATE].record.log()))


async def _updates(request: web.Request) -> web.StreamResponse:
    return await _stream(request, (applied.shown() for applied in request.app[STATE].store.log()))


async def _faults(request: web.Request) -> web.StreamResponse:
    now = asyncio.get_running_loop().time()
    return _json({"active": [_shown(fault, now) for fault in request.app[STATE].faults.active(now)]})


async def _set_fault(request: web.Request) -> web.StreamResponse:
    faults = request.app[STATE].faults
    now = asyncio.get_running_loop().time()
    try:
        fault, seed = read_fault(await request.read(), now)
    except FaultRequestError as error:
        return web.Response(status=400, body=refusal(400, MALFORMED, str(error)).body, content_type=JSON)
    if seed is not None:
        faults.seed(seed)
    if fault.mode == "off":
        faults.off()
    else:
        faults.set(fault)
    return await _faults(request)


async def _replace_rest_api_key(request: web.Request) -> web.StreamResponse:
    """As when a key is replaced in Batch's dashboard: calls with the old one are answered with 401."""
    try:
        asked = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        asked = None
    key = asked.get("rest_api_key") if isinstance(asked, dict) else None
    if not isinstance(key, str) or not key:
        message = 'The body must be an object such as {"rest_api_key": "the-new-one"}.'
        return web.Response(status=400, body=refusal(400, MALFORMED, message).body, content_type=JSON)
    request.app[STATE].rest_api_key = key
    return _json({"replaced": True})


async def _reset(request: web.Request) -> web.StreamResponse:
    request.app[STATE].reset()
    return _json({"reset": True})


def _shown(fault: Fault, now: float) -> dict[str, Any]:
    seconds = None if fault.until is None else round(fault.until - now, 3)
    return {"mode": fault.mode, "share": fault.share, "seconds": seconds, "delay_ms": fault.delay_ms}


def _json(value: Any) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type=JSON)


async def _stream(request: web.Request, values: Iterable[dict[str, Any]]) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_type = JSON_LINES
    await response.prepare(request)
    with suppress(ConnectionResetError):  # a reader such as `head` may leave early
        for lines in _chunks(iter(values)):
            await response.write(lines)
        await response.write_eof()
    return response


def _chunks(values: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    while some := list(islice(values, _LINES_AT_ONCE)):
        yield b"".join(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE) for value in some)
