"""Starts and stops a sandbox."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from ssl import SSLContext
from typing import Any

from aiohttp import web

from sink.sandbox import inspection
from sink.sandbox.batch_routes import STATE, no_route, profiles_handler
from sink.sandbox.export_routes import add_export_routes
from sink.sandbox.settings import SandboxSettings
from sink.sandbox.state import MASS_UPDATE, UPDATE, State

_STOP_WAIT_S = 1.0
"""How long calls in flight may go on when the sandbox is stopped, seconds."""

_OBJECTS_BEFORE_COLLECTION = 100_000
"""More than one call makes."""


class RunningSandbox:
    """A sandbox that listens. `url` is `http://host:port`, without a version."""

    def __init__(self, url: str, state: State, runner: web.AppRunner) -> None:
        self.url = url
        self._state = state
        self._runner = runner

    @property
    def settings(self) -> SandboxSettings:
        """What it was started with."""
        return self._state.settings

    def stats(self) -> dict[str, Any]:
        """What `GET /_sandbox/stats` answers."""
        return self._state.stats()

    def profile(self, custom_id: str) -> dict[str, Any] | None:
        """What `GET /_sandbox/profiles/{custom_id}` answers; None for an unknown profile."""
        return self._state.store.get(custom_id)

    def profiles(self) -> list[dict[str, Any]]:
        """What `GET /_sandbox/profiles` answers."""
        return list(self._state.store.all())

    def calls(self) -> list[dict[str, Any]]:
        """What `GET /_sandbox/calls` answers."""
        return [call.shown() for call in self._state.record.log()]

    def reset(self) -> None:
        """What `POST /_sandbox/reset` does."""
        self._state.reset()

    async def stop(self) -> None:
        """Stop listening and close every connection. What waits to be applied is dropped."""
        await self._runner.cleanup()
        self._state.applier.clear()


async def start_sandbox(settings: SandboxSettings, tls: SSLContext | None = None) -> RunningSandbox:
    """Start a sandbox on the running event loop, with https if `tls` is given. Raises OSError if the address cannot
    be listened on."""
    state = State(settings)
    runner = web.AppRunner(
        _application(state),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=_STOP_WAIT_S,
        auto_decompress=False,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port, ssl_context=tls).start()
    except OSError:
        await runner.cleanup()
        raise
    port = runner.addresses[0][1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    scheme = "http" if tls is None else "https"
    return RunningSandbox(f"{scheme}://{host}:{port}", state, runner)


def _application(state: State) -> web.Application:
    app = web.Application(client_max_size=state.settings.max_body_bytes)
    app[STATE] = state
    for endpoint in (UPDATE, MASS_UPDATE):
        app.router.add_post(f"/{{version}}/profiles/{endpoint.route}", profiles_handler(endpoint))
    add_export_routes(app)
    inspection.add_routes(app)
    app.router.add_route("*", "/{rest:.*}", no_route)
    if state.settings.light:
        app.cleanup_ctx.append(_rare_garbage_collection)
    return app


async def _rare_garbage_collection(app: web.Application) -> AsyncIterator[None]:
    """Parsing a call makes thousands of short-lived objects; looking for cycles among them takes as long
    again, for nothing."""
    thresholds = gc.get_threshold()
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTION)
    yield
    gc.set_threshold(*thresholds)
