"""A sandbox that listens on a free port, and a client that talks to it as a user of Batch would."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import aiohttp
import pytest

from sink.sandbox import RunningSandbox, SandboxSettings, start_sandbox

HEADERS = {"Authorization": "Bearer a-key", "X-Batch-Project": "project_a"}


class Reply(NamedTuple):
    """One HTTP answer, its body read."""

    status: int
    body: bytes
    headers: Any

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]

    @property
    def reason(self) -> str:
        """The text of an error answer."""
        return str(self.json["error_message"])


class Client:
    """Talks to one running sandbox."""

    def __init__(self, sandbox: RunningSandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self._session = session

    async def request(self, method: str, path: str, **arguments: Any) -> Reply:
        async with self._session.request(method, self.sandbox.url + path, **arguments) as response:
            return Reply(response.status, await response.read(), response.headers)

    async def get(self, path: str, **arguments: Any) -> Reply:
        return await self.request("GET", path, **arguments)

    async def update(self, *updates: Any, route: str = "update", headers: Any = HEADERS) -> Reply:
        return await self.request("POST", f"/2.11/profiles/{route}", json=list(updates), headers=headers)

    async def stats(self) -> Any:
        return (await self.get("/_sandbox/stats")).json

    async def violations(self) -> dict[str, int]:
        """The violations that were seen."""
        return {name: count for name, count in (await self.stats())["violations"].items() if count}

    async def fault(self, mode: str, **more: Any) -> Reply:
        return await self.request("POST", "/_sandbox/faults", json={"mode": mode, **more})


def profile(custom_id: str = "u1", **parts: Any) -> dict[str, Any]:
    """One update of a call."""
    return {"identifiers": {"custom_id": custom_id}, **parts}


Start = Callable[..., Awaitable[Client]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts sandboxes with the settings asked for; all are stopped after the test."""
    clients: list[Client] = []
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:

        async def started(**settings: Any) -> Client:
            clients.append(Client(await start_sandbox(SandboxSettings(port=0, **settings)), session))
            return clients[-1]

        yield started
    for client in clients:
        await client.sandbox.stop()


@pytest.fixture
async def client(start: Start) -> Client:
    """A sandbox with its default settings."""
    return await start()


@pytest.fixture
def update() -> Callable[..., dict[str, Any]]:
    """Makes one update of a call: `update("u1", attributes={...})`."""
    return profile


@pytest.fixture
def good_headers() -> dict[str, str]:
    """Credentials that a sandbox with default settings accepts."""
    return dict(HEADERS)
