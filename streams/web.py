"""The worker's own pages: is it alive, is it ready, what does it count."""

from __future__ import annotations

import errno
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest


def why_not_listening(error: OSError) -> str:
    """What the error of `start_web`, or of another server, says to a person, without asyncio's words."""
    if error.errno == errno.EADDRINUSE:
        return "another process listens there"
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return error.strerror or str(error)


Problems = Callable[[], Mapping[str, str]]
"""What is wrong now, by a short name: a sentence for a person. Empty if all is well."""
_PAGES = {
    "/livez": "is it alive? 200, or 503 with what failed",
    "/readyz": "does it do its work? 200, or 503 with each problem and the setting to look at",
    "/metrics": "what it counts, for Prometheus",
    "/status": "what it is doing now, as JSON; `segbatch status` shows it on one screen",
}


async def start_web(
    host: str,
    port: int,
    registry: CollectorRegistry,
    not_alive: Problems,
    not_ready: Problems,
    state: Callable[[], Mapping[str, Any]] = dict,
    status: Callable[[], Mapping[str, Any]] | None = None,
) -> tuple[web.AppRunner, str]:
    """Serve `/livez`, `/readyz`, `/metrics` and, if there is one, the page `/status`, and at `/` which these are; the
    runner to clean up, and the address. Port 0 takes any free. `state` is what `/readyz` tells besides.

    Raises OSError if the address cannot be had.
    """

    def page(
        problems: Problems, state: Callable[[], Mapping[str, Any]] = dict
    ) -> Callable[[web.Request], object]:
        async def answer(_: web.Request) -> web.Response:
            wrong = dict(problems())
            body = orjson.dumps({"ok": not wrong, "problems": wrong, **state()}) + b"\n"
            return web.Response(body=body, status=503 if wrong else 200, content_type="application/json")

        return answer

    def json_page(
        content: Callable[[], Mapping[str, Any]],
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(body=orjson.dumps(content()) + b"\n", content_type="application/json")

        return answer

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/livez", page(not_alive))  # type: ignore[arg-type]
    app.router.add_get("/readyz", page(not_ready, state))  # type: ignore[arg-type]
    app.router.add_get("/metrics", metrics)
    if status is not None:
        app.router.add_get("/status", json_page(status))
    served = [route for route in _PAGES if status is not None or route != "/status"]
    pages = "".join(f"{route:10}{_PAGES[route]}\n" for route in served)

    async def index(request: web.Request) -> web.Response:
        if request.path == "/":
            return web.Response(text=f"segbatch\n\n{pages}")
        return web.Response(text=f"There is no such page; there are\n\n{pages}", status=404)

    app.router.add_get("/{page:.*}", index)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    bound = runner.addresses[0]
    shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
    return runner, f"http://{shown}:{bound[1]}"
