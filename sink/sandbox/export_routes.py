"""Batch's three routes of exports: ask for one, view it, download its files."""

from __future__ import annotations

import asyncio

from aiohttp import web

from sink.sandbox.access import access_refusal, project_of
from sink.sandbox.answers import MISSING, Answer, refusal, too_many_requests
from sink.sandbox.batch_routes import STATE, respond
from sink.sandbox.export_request import read_export_request
from sink.sandbox.state import State

FILES = "/_sandbox/export-files/{token}"
"""Where links lead, as Batch's lead to a file store: without credentials, for a while."""


def add_export_routes(app: web.Application) -> None:
    """Add the three routes, and the one that links lead to."""
    app.router.add_post("/{version}/profiles/export", _ask)
    app.router.add_get("/{version}/exports/view", _view)
    app.router.add_get("/{version}/exports/download", _download)
    app.router.add_get(FILES, _file)


async def _ask(request: web.Request) -> web.StreamResponse:
    state = request.app[STATE]
    refused = _refused(state, request)
    if refused is not None:
        return respond(refused)
    now = state.clock()
    asked = read_export_request(await request.read(), now)
    if isinstance(asked, Answer):
        return respond(asked)
    export = state.exports.make(asked, state.store, now)
    return web.json_response({"id": export.id}, status=202)


async def _view(request: web.Request) -> web.StreamResponse:
    state = request.app[STATE]
    refused = _refused(state, request) or _without_id(request)
    if refused is not None:
        return respond(refused)
    export = state.exports.get(request.query["id"])
    if export is None:
        return respond(refusal(404, "NOT_FOUND", "There is no export with this id."))
    root = f"{request.url.origin()}/{request.match_info['version']}"
    return web.json_response(export.shown(state.clock(), root))


async def _download(request: web.Request) -> web.StreamResponse:
    state = request.app[STATE]
    refused = _refused(state, request) or _without_id(request)
    if refused is not None:
        return respond(refused)
    token = state.exports.link(request.query["id"], state.clock())
    if token is None:
        return respond(refusal(404, "NOT_FOUND", "There is no file with this id, or its export is not done."))
    place = f"{request.url.origin()}{FILES.format(token=token)}"
    return web.Response(status=307, headers={"Location": place})


async def _file(request: web.Request) -> web.StreamResponse:
    state = request.app[STATE]
    content = state.exports.linked(request.match_info["token"], state.clock())
    if content is None:
        return respond(refusal(403, "EXPIRED", "This link is unknown or has expired."))
    return web.Response(body=content, content_type="application/json")


def _refused(state: State, request: web.Request) -> Answer | None:
    """404, 401 or 429; None if the request may come in."""
    refused = access_refusal(state, request)
    if refused is not None:
        return refused
    now = asyncio.get_running_loop().time()
    wait = state.export_bucket(project_of(request), now).take(1, now)
    if not wait:
        return None
    settings = state.settings
    message = f"Too many calls of the export routes; the limit is {settings.export_rate:g} a second."
    return too_many_requests(message, settings.refusal_body, settings.retry_after_s)


def _without_id(request: web.Request) -> Answer | None:
    if request.query.get("id"):
        return None
    return refusal(400, MISSING, "The id is missing: ?id=export_... or ?id=file_...")
