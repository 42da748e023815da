"""Exports: asked for, viewed until they are done, downloaded by links that expire."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.sink.sandbox.conftest import HEADERS, Client, Reply, Start, profile

ATTRIBUTES = {"export_type": "ATTRIBUTES", "attributes": ["plan", "$region"], "identifiers": ["custom_id"]}


class Clock:
    """The server's clock, stopped at so many seconds after now."""

    def __init__(self) -> None:
        self.began = time.time()
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.began + self.seconds


def clock(client: Client) -> Clock:
    """Stops the clock of a sandbox."""
    stopped = Clock()
    client.sandbox._state.clock = stopped  # type: ignore[method-assign]
    return stopped


async def ask(client: Client, body: Any = ATTRIBUTES) -> Reply:
    return await client.request("POST", "/2.11/profiles/export", json=body, headers=HEADERS)


async def view(client: Client, export_id: str) -> Any:
    reply = await client.get(f"/2.11/exports/view?id={export_id}", headers=HEADERS)
    assert reply.status == 200
    return reply.json


async def download(client: Client, file_id: str) -> Reply:
    path = f"/2.11/exports/download?id={file_id}"
    return await client.get(path, headers=HEADERS, allow_redirects=False)


def path_of(reply: Reply) -> str:
    """Where a 307 leads, without the host."""
    assert reply.status == 307
    return "/" + str(reply.headers["Location"]).split("/", 3)[3]


async def lines(client: Client, export_id: str) -> list[Any]:
    found = []
    for file in (await view(client, export_id))["files"]:
        reply = await client.get(path_of(await download(client, file["id"])))
        assert len(reply.body) == file["size"]
        found += reply.lines
    return found


async def test_attributes_are_those_of_the_moment_it_was_asked_for(start: Start) -> None:
    client = await start(export_ms=0)
    await client.update(
        profile("u1", attributes={"plan": "gold", "$region": "FR", "city": "Lyon"}),
        profile("u2", attributes={"city": "Lyon"}),
    )
    reply = await ask(client)
    assert reply.status == 202
    await client.update(profile("u1", attributes={"plan": "silver"}))

    assert await lines(client, reply.json["id"]) == [
        {"identifiers": {"custom_id": "u1"}, "attributes": {"plan": "gold", "$region": "FR"}},
        {"identifiers": {"custom_id": "u2"}, "attributes": {}},
    ]


@pytest.mark.parametrize(("keys", "name"), [("bare", "born"), ("posted", "date(born)")])
async def test_names_are_bare_or_as_posted(start: Start, keys: str, name: str) -> None:
    client = await start(export_ms=0, export_keys=keys)
    await client.update(profile("u1", attributes={"date(born)": "1990-01-02T03:04:05Z"}))
    export_id = (await ask(client, {**ATTRIBUTES, "attributes": ["born"]})).json["id"]

    [line] = await lines(client, export_id)
    assert line["attributes"] == {name: "1990-01-02T03:04:05Z"}


async def test_an_export_is_created_pending_running_and_then_done(start: Start) -> None:
    client = await start(export_ms=900)
    at = clock(client)
    await client.update(profile("u1", attributes={"plan": "gold"}))
    export_id = (await ask(client)).json["id"]

    for seconds, status in ((0, "CREATED"), (0.4, "PENDING"), (0.7, "RUNNING")):
        at.seconds = seconds
        shown = await view(client, export_id)
        assert (shown["status"], shown["files"], shown["completion_date"]) == (status, [], None)
    at.seconds = 0.9
    shown = await view(client, export_id)
    assert shown["status"] == "SUCCESS"
    assert shown["scope"] == "PROFILE_ATTRIBUTES"
    assert shown["request"] == ATTRIBUTES
    assert shown["request_date"] < shown["start_date"] < shown["completion_date"]
    [file] = shown["files"]
    assert file["part"] == 0
    assert file["url"].endswith(f"/2.11/exports/download?id={file['id']}")


async def test_an_export_that_fails_has_no_files(start: Start) -> None:
    client = await start(export_ms=0, export_outcome="error")
    shown = await view(client, (await ask(client)).json["id"])

    assert (shown["status"], shown["files"]) == ("ERROR", [])


async def test_large_exports_come_in_several_files(start: Start) -> None:
    client = await start(export_ms=0, export_file_bytes=200, export_burst=100)
    ids = [f"u{number}" for number in range(9)]
    await client.update(*(profile(each, attributes={"plan": "gold"}) for each in ids))
    export_id = (await ask(client)).json["id"]

    files = (await view(client, export_id))["files"]
    assert [file["part"] for file in files] == [0, 1, 2]
    assert all(file["size"] <= 200 for file in files)
    assert [line["identifiers"]["custom_id"] for line in await lines(client, export_id)] == ids


async def test_a_link_needs_no_key_and_expires(start: Start) -> None:
    client = await start(export_ms=0)
    at = clock(client)
    await client.update(profile("u1"))
    [file] = (await view(client, (await ask(client)).json["id"]))["files"]
    link = path_of(await download(client, file["id"]))
    assert (await client.get(link)).status == 200

    at.seconds = 1201
    reply = await client.get(link)
    assert reply.status == 403
    assert (await client.get(path_of(await download(client, file["id"])))).status == 200


async def test_calls_of_the_export_routes_have_a_rate_of_their_own(start: Start) -> None:
    client = await start(export_ms=0, export_rate=0, export_burst=2)
    export_id = (await ask(client)).json["id"]
    await view(client, export_id)

    reply = await client.get(f"/2.11/exports/view?id={export_id}", headers=HEADERS)
    assert reply.status == 429
    assert (await client.update(profile("u1"))).status == 202


async def test_events_of_the_last_90_days(start: Start) -> None:
    client = await start(export_ms=0)
    await client.update(profile("u1", events=[{"name": "bought", "attributes": {"total": 5}}]))
    since = (datetime.now(UTC) - timedelta(days=89)).isoformat()
    export_id = (await ask(client, {"export_type": "EVENTS", "from": since})).json["id"]

    [line] = await lines(client, export_id)
    assert (line["identifiers"], line["name"]) == ({"custom_id": "u1"}, "bought")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ([], "must be a JSON object"),
        ({}, "export_type is missing"),
        ({"export_type": "PROFILES"}, "must be one of ATTRIBUTES"),
        ({"export_type": "ATTRIBUTES"}, "At least one of attributes and identifiers"),
        ({**ATTRIBUTES, "attributes": "plan"}, "attributes must be an array of names"),
        ({**ATTRIBUTES, "identifiers": ["email"]}, "identifiers are custom_id and installation_ids"),
        ({**ATTRIBUTES, "filter": {"segment": "vip"}}, "the sandbox has none"),
        ({"export_type": "EVENTS", "from": "yesterday"}, "must be an RFC 3339 time"),
        ({"export_type": "EVENTS", "from": "2020-01-01T00:00:00Z"}, "90 days"),
        ({"export_type": "REACHABILITY", "from": "2020-01-01T00:00:00Z"}, "90 days"),
    ],
)
async def test_what_cannot_be_exported(client: Client, body: Any, reason: str) -> None:
    reply = await ask(client, body)
    assert reply.status == 400
    assert reason in reply.reason


async def test_what_is_unknown_or_has_no_key(client: Client) -> None:
    reply = await client.request("POST", "/2.11/profiles/export", data=b"{", headers=HEADERS)
    assert reply.status == 400
    for path in ("/2.11/exports/view?id=export_x", "/2.11/exports/download?id=file_x"):
        assert (await client.get(path, headers=HEADERS)).status == 404
        assert (await client.get(path)).status == 401
    assert (await client.get("/2.11/exports/view", headers=HEADERS)).status == 400
    assert (await client.get("/_sandbox/export-files/none")).status == 403
    body = json.dumps(ATTRIBUTES)
    assert (await client.request("POST", "/2.11/profiles/export", data=body)).status == 401
