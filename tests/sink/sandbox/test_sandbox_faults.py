"""Faults on demand."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest


@pytest.mark.parametrize(
    ("mode", "status", "code"),
    [
        ("429", 429, "TOO_MANY_REQUESTS"),
        ("500", 500, "SERVER_ERROR"),
        ("503", 503, "MAINTENANCE_ERROR"),
        ("401", 401, "AUTHENTICATION_INVALID"),
    ],
)
async def test_a_refusing_fault_applies_nothing(
    client: Any, update: Any, mode: str, status: int, code: str
) -> None:
    assert (await client.fault(mode)).json["active"][0]["mode"] == mode

    refused = await client.update(update())
    assert (refused.status, refused.json["error_code"]) == (status, code)
    stats = await client.stats()
    assert (stats["updates"], stats["profiles"], stats["faults"]) == (0, 0, {mode: 1})

    await client.fault("off")
    assert (await client.update(update())).status == 202


async def test_a_proxy_may_answer_instead(client: Any, update: Any) -> None:
    await client.fault("bad_gateway")

    reply = await client.update(update())
    assert reply.status == 502
    assert reply.headers["Content-Type"].startswith("text/html")
    assert reply.body.startswith(b"<html>")


@pytest.mark.parametrize(("mode", "applied"), [("reset_before", 0), ("reset_after", 1)])
async def test_a_cut_connection_tells_nothing_of_what_was_applied(
    client: Any, update: Any, mode: str, applied: int
) -> None:
    await client.fault(mode)
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.update(update(events=[{"name": "bought"}]))

    stats = await client.stats()
    assert (stats["updates"], stats["events"]) == (applied, applied)
    assert stats["by_status"] == {"cut": 1}
    assert len(client.sandbox.profiles()) == applied
    (call,) = client.sandbox.calls()
    assert (call["status"], call["fault"]) == (None, mode)


async def test_a_slow_answer_is_late_but_applied(client: Any, update: Any) -> None:
    await client.fault("slow", delay_ms=60)

    assert (await client.update(update())).status == 202
    (call,) = client.sandbox.calls()
    assert call["seconds"] >= 0.06
    assert (await client.stats())["profiles"] == 1


async def test_a_partial_error_refuses_an_attribute_and_an_event(client: Any, update: Any) -> None:
    await client.fault("partial_error")
    reply = await client.update(
        update(attributes={"a": 1, "b": 2}, events=[{"name": "e1"}, {"name": "e2"}]),
        update("u2", attributes={"a": 1}),
    )

    assert reply.json["code"] == "SUCCESS_WITH_PARTIAL_ERRORS"
    assert [error.get("attribute") for error in reply.json["errors"]] == ["a", None]
    first, second = client.sandbox.profiles()
    assert first["attributes"] == {"b": 2}
    assert [event["name"] for event in first["events"]] == ["e2"]
    assert second["attributes"] == {"a": 1}


async def test_a_fault_hits_its_share_the_same_way_for_the_same_seed(client: Any, update: Any) -> None:
    rounds = []
    for _ in range(2):
        await client.fault("500", share=0.5, seed=7)
        rounds.append([(await client.update(update())).status for _ in range(40)])

    assert rounds[0] == rounds[1]
    assert 5 < rounds[0].count(500) < 35


async def test_a_share_of_nothing_hits_nothing(client: Any, update: Any) -> None:
    await client.fault("500", share=0)

    assert [(await client.update(update())).status for _ in range(20)] == [202] * 20


async def test_a_fault_ends_by_itself(client: Any, update: Any) -> None:
    await client.fault("503", seconds=0.000001)

    assert (await client.update(update())).status == 202
    assert (await client.get("/_sandbox/faults")).json == {"active": []}


async def test_faults_of_several_modes_are_on_together(client: Any, update: Any) -> None:
    await client.fault("500", share=0)
    active = (await client.fault("503", seconds=60)).json["active"]
    assert [fault["mode"] for fault in active] == ["500", "503"]
    assert (await client.update(update())).status == 503

    active = (await client.fault("500", share=1)).json["active"]
    assert [(fault["mode"], fault["share"]) for fault in active] == [("503", 1.0), ("500", 1.0)]


async def test_a_fault_can_say_when_to_try_again(client: Any, update: Any) -> None:
    for mode in ("429", "503"):
        await client.fault("off")
        await client.fault(mode, retry_after_s=4)
        assert (await client.update(update())).headers["Retry-After"] == "4"


async def test_bad_credentials_come_before_faults(client: Any, update: Any) -> None:
    await client.fault("503")

    assert (await client.update(update(), headers={})).status == 401
    assert (await client.stats())["faults"] == {}


async def test_an_unknown_mode_is_refused_with_the_ones_there_are(client: Any) -> None:
    refused = await client.fault("flood")

    assert refused.status == 400
    for mode in ("429", "500", "503", "401", "reset_before", "reset_after", "slow", "bad_gateway", "off"):
        assert mode in refused.reason


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"mode": "500", "share": 2}, "share is a probability"),
        ({"mode": "500", "share": -1}, "share must be a number"),
        ({"mode": "500", "share": "half"}, "share must be a number"),
        ({"mode": "500", "seconds": True}, "seconds must be a number"),
        ({"mode": "slow"}, "needs delay_ms"),
        ({"mode": "500", "seed": "x"}, "seed must be an integer"),
        ({"mode": "500", "duration": 5}, "Unknown key duration"),
        ({}, "The modes are"),
        ([], "must be an object"),
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused(client: Any, asked: Any, reason: str) -> None:
    refused = await client.request("POST", "/_sandbox/faults", json=asked)

    assert refused.status == 400
    assert reason in refused.reason
    assert (await client.get("/_sandbox/faults")).json == {"active": []}


async def test_a_status_may_be_given_as_a_number(client: Any, update: Any) -> None:
    await client.fault(503)

    assert (await client.update(update())).status == 503
