"""The client of exports against the sandbox: statuses, several files, links that expire, limits, failures."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sink import exports
from sink.client import Credentials
from sink.exports import ExportClient, ExportError
from sink.sandbox import RunningSandbox, SandboxSettings, start_sandbox

KEYS = Credentials("a-secret-key", "project")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "FIRST_LOOK_S", 0.01)


@asynccontextmanager
async def sandbox(**settings: Any) -> AsyncIterator[RunningSandbox]:
    settings = {"export_ms": 0, "export_rate": 1000, "export_burst": 1000, **settings}
    running = await start_sandbox(SandboxSettings(port=0, **settings))
    try:
        async with aiohttp.ClientSession() as session:
            body = [
                {"identifiers": {"custom_id": f"u{number}"}, "attributes": {"plan": "gold"}}
                for number in range(20)
            ]
            headers = {"Authorization": "Bearer a-secret-key", "X-Batch-Project": "project"}
            async with session.post(f"{running.url}/2.11/profiles/update", json=body, headers=headers):
                pass
        yield running
    finally:
        await running.stop()


def client_of(url: str, credentials: Credentials = KEYS) -> ExportClient:
    return ExportClient(url, "2.11", credentials, timeout_s=10, pace_s=0.01)


async def read(client: ExportClient, statuses: list[str] | None = None) -> list[str]:
    """The custom ids of an export of the plan."""
    seen = [] if statuses is None else statuses
    export = await client.done(await client.ask(["plan"]), seen.append, 20)
    lines = [json.loads(line) for file in export.files async for line in client.lines(file)]
    assert all(line["attributes"] == {"plan": "gold"} for line in lines)
    return [line["identifiers"]["custom_id"] for line in lines]


async def test_all_files_of_an_export_that_takes_its_time() -> None:
    async with sandbox(export_ms=300, export_file_bytes=200) as batch, client_of(batch.url) as client:
        statuses: list[str] = []
        assert await read(client, statuses) == [f"u{number}" for number in range(20)]
        assert statuses[-1] == "SUCCESS"
        assert set(statuses) <= {"CREATED", "PENDING", "RUNNING", "SUCCESS"}


async def test_429_is_waited_for() -> None:
    async with sandbox(export_rate=50, export_burst=1) as batch, client_of(batch.url) as client:
        assert len(await read(client)) == 20


async def test_an_export_that_fails() -> None:
    async with sandbox(export_outcome="error") as batch, client_of(batch.url) as client:
        with pytest.raises(ExportError, match="ended with ERROR"):
            await read(client)


async def test_an_export_that_takes_too_long() -> None:
    async with sandbox(export_ms=3_600_000) as batch, client_of(batch.url) as client:
        export_id = await client.ask(["plan"])
        with pytest.raises(ExportError, match="not done after 0 s"):
            await client.done(export_id, lambda status: None, 0)


async def test_wrong_keys_are_told_with_the_setting_and_never_shown() -> None:
    async with sandbox(rest_api_key="another") as batch, client_of(batch.url) as client:
        with pytest.raises(ExportError, match=r"401.*batch\.rest_api_key") as error:
            await client.ask(["plan"])
        assert "a-secret-key" not in str(error.value)


async def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "ATTEMPTS", 2)
    async with client_of("http://127.0.0.1:1") as client:
        with pytest.raises(ExportError, match=r"batch\.base_url"):
            await client.ask(["plan"])


async def test_a_download_that_breaks_or_expires_goes_on_after_what_was_read() -> None:
    """The file store cuts the first download in its middle, and says of the second link that it has expired; no
    request to it has a key."""
    content = b"".join(b'{"n":%d}\n' % number for number in range(2000))
    asked: list[dict[str, str]] = []

    async def link(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer a-secret-key"
        return web.Response(status=307, headers={"Location": f"{request.url.origin()}/store"})

    async def store(request: web.Request) -> web.StreamResponse:
        asked.append(dict(request.headers))
        if len(asked) == 2:
            return web.Response(status=403)
        response = web.StreamResponse(headers={"Content-Length": str(len(content))})
        await response.prepare(request)
        if len(asked) == 1:
            await response.write(content[:5000])
            assert request.transport is not None
            request.transport.close()
            return response
        await response.write(content)
        return response

    app = web.Application()
    app.router.add_get("/2.11/exports/download", link)
    app.router.add_get("/store", store)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with client_of(f"http://127.0.0.1:{runner.addresses[0][1]}") as client:
            lines = [line async for line in client.lines(exports.ExportFile("file_1", len(content)))]
    finally:
        await runner.cleanup()

    assert [json.loads(line)["n"] for line in lines] == list(range(2000))
    assert len(asked) == 3
    assert not any("Authorization" in headers or "X-Batch-Project" in headers for headers in asked)


async def test_an_unknown_export_is_told_with_the_option_to_look_at() -> None:
    async with sandbox() as batch, client_of(batch.url) as client:
        with pytest.raises(ExportError, match=r"no export with this id; is the id of --export right"):
            await client.done("nope", lambda status: None, 20)
