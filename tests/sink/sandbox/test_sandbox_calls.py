"""How the sandbox answers a call as a whole: routes, credentials, bodies, rate, violations."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import pytest

UPDATE = "/2.11/profiles/update"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/2.11/profiles/update"),
        ("PUT", "/2.11/profiles/update"),
        ("POST", "/1.1/profiles/update"),
        ("POST", "/2.x/profiles/update"),
        ("POST", "/profiles/update"),
        ("POST", "/2.11/profiles/delete"),
        ("POST", "/2.11/profiles/update/"),
        ("DELETE", "/_sandbox/profiles"),
        ("GET", "/"),
    ],
)
async def test_there_are_no_other_routes(client: Any, good_headers: Any, method: str, path: str) -> None:
    reply = await client.request(method, path, json=[], headers=good_headers)

    assert reply.status == 404
    assert reply.json["error_code"] == "ROUTE_NOT_FOUND"


async def test_the_versions_can_be_set(start: Any, good_headers: Any) -> None:
    client = await start(versions=r"2\.11")
    body = [{"identifiers": {"custom_id": "u1"}}]

    assert (
        await client.request("POST", "/2.11/profiles/update", json=body, headers=good_headers)
    ).status == 202
    refused = await client.request("POST", "/2.12/profiles/update", json=body, headers=good_headers)
    assert refused.status == 404
    assert "no such API version" in refused.reason


CREDENTIALS = [
    ({}, "Authorization"),
    ({"Authorization": "Bearer right"}, "X-Batch-Project"),
    ({"X-Batch-Project": "project_right"}, "Authorization"),
    ({"Authorization": "right", "X-Batch-Project": "project_right"}, "Authorization"),
    ({"Authorization": "Bearer ", "X-Batch-Project": "project_right"}, "Authorization"),
    ({"Authorization": "Bearer wrong", "X-Batch-Project": "project_right"}, "REST API key"),
    ({"Authorization": "Bearer right", "X-Batch-Project": "project_wrong"}, "project key"),
    ({"X-Authorization": "right", "X-Batch-Project": "project_right"}, "Authorization"),
]


@pytest.mark.parametrize(("headers", "reason"), CREDENTIALS)
async def test_bad_credentials_are_refused(start: Any, update: Any, headers: Any, reason: str) -> None:
    client = await start(rest_api_key="right", project_key="project_right")
    refused = await client.update(update(), headers=headers)

    assert refused.status == 401
    assert refused.json["error_code"] == "AUTHENTICATION_INVALID"
    assert reason in refused.reason
    assert b"wrong" not in refused.body
    assert (await client.stats())["profiles"] == 0


async def test_the_right_credentials_are_accepted(start: Any, update: Any) -> None:
    client = await start(rest_api_key="right", project_key="project_right")
    headers = {"Authorization": "Bearer right", "X-Batch-Project": "project_right"}

    assert (await client.update(update(), headers=headers)).status == 202
    assert (await client.get("/2.11/exports/view?id=export_1", headers=headers)).status == 404


async def test_viewing_an_export_tells_bad_credentials_from_an_unknown_id(
    client: Any, good_headers: Any
) -> None:
    assert (await client.get("/2.11/exports/view?id=export_1")).json["error_code"] == "AUTHENTICATION_INVALID"
    assert (await client.get("/2.11/exports/view?id=export_1", headers=good_headers)).json[
        "error_code"
    ] == "NOT_FOUND"
    assert (await client.get("/2.11/exports/view", headers=good_headers)).status == 400
    assert (await client.stats())["calls"] == 0


BODIES = [
    (b"", "not valid JSON"),
    (b"[{]", "not valid JSON"),
    (b'[{"a": NaN}]', "not valid JSON"),
    (b"{}", "must be a JSON array"),
    (b"null", "must be a JSON array"),
    (b"[]", "empty"),
    (b"[1]", "Update 0 is not a JSON object"),
    (b'[{"identifiers": {"custom_id": "a"}}, []]', "Update 1 is not a JSON object"),
    (b'[{"identifiers": {"custom_id": "a"}, "attributes": []}]', "attributes must be an object"),
    (b'[{"identifiers": {"custom_id": "a"}, "events": {}}]', "events must be an array"),
    (b'[{"identifiers": {"custom_id": "a"}, "events": ["bought"]}]', "events must be an array of objects"),
    (b'[{"attributes": {"a": 1}}]', "identifiers, an object with a custom_id, is missing"),
    (b'[{"identifiers": "a"}]', "identifiers, an object with a custom_id, is missing"),
    (b'[{"identifiers": {}}]', "exactly one of custom_id and installation"),
    (
        b'[{"identifiers": {"custom_id": "a", "installation": {}}}]',
        "exactly one of custom_id and installation",
    ),
    (b'[{"identifiers": {"custom_id": 5}}]', "custom_id must be a string"),
    (b'[{"identifiers": {"custom_id": ""}}]', "1 to 1,024 characters"),
    (b'[{"identifiers": {"custom_id": "%s"}}]' % (b"x" * 1025), "1 to 1,024 characters"),
    (b'[{"identifiers": {"installation": "a"}}]', "apikey and installation_id"),
]


@pytest.mark.parametrize(("body", "reason"), BODIES)
async def test_a_malformed_call_is_refused_as_a_whole(
    client: Any, good_headers: Any, body: bytes, reason: str
) -> None:
    headers = {**good_headers, "Content-Type": "application/json"}
    refused = await client.request("POST", UPDATE, data=body, headers=headers)

    assert refused.status == 400
    assert refused.json["error_code"] in ("MALFORMED_PARAMETER", "MISSING_PARAMETER")
    assert reason in refused.reason
    assert (await client.stats())["profiles"] == 0


async def test_an_empty_array_and_missing_identifiers_can_be_let_through(start: Any, update: Any) -> None:
    client = await start(empty_array="partial_error", missing_identifiers="partial_error")

    assert (await client.update()).json == {"code": "SUCCESS"}
    reply = await client.update({"attributes": {"a": 1}}, update("u2", attributes={"a": 1}))
    assert reply.status == 202
    (error,) = reply.json["errors"]
    assert (error["category"], error["bulk_index"]) == ("identifier", 0)
    assert [profile["custom_id"] for profile in client.sandbox.profiles()] == ["u2"]


async def test_an_update_may_have_identifiers_only(client: Any, update: Any) -> None:
    installation = {"identifiers": {"installation": {"apikey": "a", "installation_id": "b"}}}

    assert (await client.update(update("x" * 1024), installation)).json == {"code": "SUCCESS"}
    assert [profile["custom_id"] for profile in client.sandbox.profiles()] == ["x" * 1024]


@pytest.mark.parametrize(("route", "most"), [("update", 200), ("mass-update", 10_000)])
async def test_a_call_has_a_largest_size(client: Any, update: Any, route: str, most: int) -> None:
    updates = [update(f"u{n}") for n in range(most + 1)]

    refused = await client.update(*updates, route=route)
    assert refused.status == 400
    assert f"at most {most:,} updates; this one has {most + 1:,}" in refused.reason
    assert (await client.stats())["profiles"] == 0
    assert (await client.update(*updates[1:], route=route)).status == 202
    assert (await client.stats())["profiles"] == most


async def test_a_body_that_is_too_large_is_refused(start: Any, update: Any) -> None:
    client = await start(max_body_bytes=1000)

    assert (await client.update(update(attributes={"a": "x" * 300}))).status == 202
    refused = await client.update(*(update(f"u{n}", attributes={"a": "x" * 300}) for n in range(4)))
    assert refused.status == 413
    assert "larger than 1,000 bytes" in refused.reason


async def test_the_rate_is_counted_in_updates(start: Any, update: Any) -> None:
    client = await start(rate=0.001, burst=5)

    assert (await client.update(*(update(f"u{n}") for n in range(3)))).status == 202
    refused = await client.update(*(update(f"v{n}") for n in range(3)))
    assert refused.status == 429
    assert "3 in this call" in refused.reason
    assert "There will be enough in" in refused.reason
    assert "Retry-After" not in refused.headers
    assert (await client.update(update("w1"), update("w2"))).status == 202
    stats = await client.stats()
    assert (stats["calls"], stats["updates"], stats["refused_429"], stats["profiles"]) == (3, 5, 1, 5)
    assert stats["by_status"] == {"202": 2, "429": 1}


async def test_more_than_the_burst_can_never_pass(start: Any, update: Any) -> None:
    client = await start(burst=2)

    refused = await client.update(update("a"), update("b"), update("c"))
    assert "2 is the most that can ever be taken at once" in refused.reason


async def test_the_bucket_fills_again(start: Any, update: Any) -> None:
    client = await start(rate=1000, burst=2)

    for _ in range(4):
        assert (await client.update(update("a"), update("b"))).status == 202
        await asyncio.sleep(0.01)


async def test_project_keys_and_routes_have_a_bucket_each(start: Any, update: Any) -> None:
    client = await start(rate=0.001, burst=1, mass_rate=2)
    other = {"Authorization": "Bearer a-key", "X-Batch-Project": "project_b"}

    statuses = [
        (await client.update(update())).status,
        (await client.update(update())).status,
        (await client.update(update(), headers=other)).status,
        (await client.update(update("a"), update("b"), route="mass-update")).status,
        (await client.update(update("a"), update("b"), update("c"), route="mass-update")).status,
    ]
    assert statuses == [202, 429, 202, 202, 429]


@pytest.mark.parametrize(("form", "body"), [("text", b"Too many"), ("empty", b"")])
async def test_a_429_can_have_another_body_and_a_retry_after(
    start: Any, update: Any, form: str, body: bytes
) -> None:
    client = await start(burst=1, rate=0.001, refusal_body=form, retry_after_s=2.5)

    refused = await client.update(update("a"), update("b"))
    assert refused.status == 429
    assert refused.headers["Retry-After"] == "3"
    assert refused.body.startswith(body)
    assert (form == "empty") == (refused.body == b"")


async def test_two_calls_in_flight_for_a_profile_are_a_violation(start: Any, update: Any) -> None:
    client = await start(latency_ms=1000)

    await asyncio.gather(client.update(update("a"), update("b")), client.update(update("b"), update("c")))
    assert await client.violations() == {"same_profile_in_flight": 1}
    assert (await client.stats())["updates"] == 4


async def test_calls_one_after_another_are_no_violation(start: Any, update: Any) -> None:
    client = await start(latency_ms=5)

    for _ in range(5):
        await asyncio.gather(client.update(update("a")), client.update(update("b")))
    assert await client.violations() == {}


async def test_a_call_whose_client_has_gone_is_not_in_flight(start: Any, update: Any) -> None:
    client = await start()
    await client.fault("slow", delay_ms=5000)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.update(update("a", events=[{"name": "e"}])), 0.2)
    await client.fault("off")

    assert (await client.update(update("a", events=[{"name": "e"}]))).status == 202
    assert await client.violations() == {}
    assert len(client.sandbox.profile("a")["events"]) == 2


async def test_a_profile_twice_in_a_call_is_a_violation_and_applied_in_order(
    client: Any, update: Any
) -> None:
    await client.update(update("a", attributes={"n": 1}), update("b"), update("a", attributes={"n": 2}))

    assert await client.violations() == {"repeated_in_call": 1}
    assert client.sandbox.profile("a")["attributes"] == {"n": 2}


async def test_keys_that_batch_does_not_know_are_violations(client: Any, update: Any) -> None:
    strange = update("a", event={"name": "e"}, events=[{"name": "e", "id": "1", "timestamp": "x"}])
    strange["identifiers"]["email"] = "x"

    assert (await client.update(strange)).status == 202
    assert await client.violations() == {"unknown_keys": 4}


async def test_one_name_in_two_forms_is_a_violation(client: Any, update: Any) -> None:
    await client.update(update("a", attributes={"day": "x", "date(day)": "1989-07-20T00:00:00Z"}))

    assert await client.violations() == {"repeated_attribute": 1}


async def test_a_compressed_body_is_a_violation(client: Any, update: Any, good_headers: Any) -> None:
    headers = {**good_headers, "Content-Encoding": "gzip", "Content-Type": "application/json"}
    body = gzip.compress(json.dumps([update("a")]).encode())

    assert (await client.request("POST", UPDATE, data=body, headers=headers)).status == 202
    assert await client.violations() == {"content_encoding": 1}
    assert client.sandbox.profile("a") is not None


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", b"[]"), ("br", b"[]"), ("gzip", gzip.compress(b"[" + b" " * 20_000 + b"]", mtime=0))],
)
async def test_a_body_that_cannot_be_decompressed_is_refused(
    start: Any, good_headers: Any, encoding: str, body: bytes
) -> None:
    client = await start(max_body_bytes=10_000)
    headers = {**good_headers, "Content-Encoding": encoding}
    refused = await client.request("POST", UPDATE, data=body, headers=headers)

    assert refused.status == 400
    assert "send plain JSON" in refused.reason


async def test_another_content_type_is_a_violation(client: Any, update: Any, good_headers: Any) -> None:
    headers = {**good_headers, "Content-Type": "text/plain"}
    await client.request("POST", UPDATE, data=json.dumps([update("a")]).encode(), headers=headers)

    assert await client.violations() == {"content_type": 1}
