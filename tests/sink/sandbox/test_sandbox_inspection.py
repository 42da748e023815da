"""The routes under /_sandbox, and the ways in which a sandbox can be run."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from sink.sandbox import SandboxSettings, start_sandbox
from sink.sandbox.faults import MODES
from sink.sandbox.inspection import ROUTES
from sink.sandbox.record import VIOLATIONS

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "sandbox.md"


async def test_stats_of_a_fresh_sandbox(client: Any) -> None:
    stats = await client.stats()

    assert {key: stats[key] for key in ("calls", "updates", "events", "refused_429", "seconds")} == {
        "calls": 0,
        "updates": 0,
        "events": 0,
        "refused_429": 0,
        "seconds": 0,
    }
    assert stats["violations"] == dict.fromkeys(VIOLATIONS, 0)


async def test_seconds_run_from_the_first_call_to_the_last_accepted_one(client: Any, update: Any) -> None:
    await client.fault("500")
    await client.update(update())
    assert (await client.stats())["seconds"] == 0
    await client.fault("off")
    await asyncio.sleep(0.05)
    await client.update(update())
    seconds = (await client.stats())["seconds"]
    assert seconds >= 0.05

    await client.fault("500")
    await client.update(update())
    assert (await client.stats())["seconds"] == seconds


async def test_profiles_are_json_lines(client: Any, update: Any) -> None:
    await client.update(*(update(f"u{n}", attributes={"n": n}) for n in range(200)))
    await client.update(*(update(f"v{n}") for n in range(101)))

    profiles = (await client.get("/_sandbox/profiles")).lines
    assert len(profiles) == 301
    assert profiles[7] == {"custom_id": "u7", "attributes": {"n": 7}, "events": []}


@pytest.mark.parametrize("custom_id", ["a b", "a/b", "a%2Fb", "é@example.com", "a?b#c", "{a}", "x+y"])
async def test_a_profile_is_found_by_its_quoted_id(client: Any, update: Any, custom_id: str) -> None:
    await client.update(update(custom_id, attributes={"a": 1}))

    found = await client.get("/_sandbox/profiles/" + quote(custom_id, safe=""))
    assert found.json == {"custom_id": custom_id, "attributes": {"a": 1}, "events": []}


async def test_an_unknown_profile_is_not_found(client: Any) -> None:
    missing = await client.get("/_sandbox/profiles/nobody")

    assert missing.status == 404
    assert "no profile" in missing.reason


async def test_the_log_of_calls_tells_everything_but_the_keys(client: Any, update: Any) -> None:
    await client.update(update("a", events=[{"name": "e"}]), update("b", attributes={"Bad": 1}))
    await client.update({"attributes": {}}, update("c"))

    reply = await client.get("/_sandbox/calls")
    first, second = reply.lines
    assert first["route"] == "update"
    assert (first["updates"], first["events"], first["ids"]) == (2, 1, ["a", "b"])
    assert (first["status"], first["code"]) == (202, "SUCCESS_WITH_PARTIAL_ERRORS")
    assert first["partial_errors"] == 1
    assert first["size"] > 50
    assert {"Authorization", "X-Batch-Project", "Content-Type"} <= set(first["headers"])
    assert (second["status"], second["code"], second["ids"]) == (400, "MISSING_PARAMETER", ["c"])
    assert b"a-key" not in reply.body


async def test_the_log_of_calls_is_bounded(start: Any, update: Any) -> None:
    client = await start(call_log_size=2)
    for custom_id in ("a", "b", "c"):
        await client.update(update(custom_id))

    assert [call["ids"] for call in (await client.get("/_sandbox/calls")).lines] == [["b"], ["c"]]


async def test_the_log_of_updates_tells_what_was_applied_and_by_which_call(start: Any, update: Any) -> None:
    client = await start(update_log_size=2)
    await client.update(update("a", attributes={"plan": "free"}))
    await client.update(
        update("b", attributes={"date(born)": "2000-01-01T00:00:00Z", "Bad": 1}, events=[{"name": "e"}]),
        update("a", attributes={"plan": "pro"}),
    )

    first, second = (await client.get("/_sandbox/updates")).lines
    calls = (await client.get("/_sandbox/calls")).lines
    assert [call["number"] for call in calls] == [1, 2]
    assert (first["call"], second["call"]) == (2, 2)
    assert first["received_at"] == calls[1]["time"]
    assert (first["custom_id"], first["attributes"]) == ("b", {"date(born)": "2000-01-01T00:00:00Z"})
    assert first["events"] == [{"name": "e"}]
    assert (second["custom_id"], second["attributes"], second["events"]) == ("a", {"plan": "pro"}, [])


async def test_a_call_that_was_applied_but_cut_is_in_the_log_of_updates(start: Any, update: Any) -> None:
    client = await start(update_log_size=10)
    await client.fault("reset_after")
    with pytest.raises(aiohttp.ClientError):
        await client.update(update("a"))
    await client.fault("off")
    await client.fault("503")
    await client.update(update("b"))

    assert [each["custom_id"] for each in (await client.get("/_sandbox/updates")).lines] == ["a"]


async def test_a_rest_api_key_is_replaced(start: Any, update: Any) -> None:
    client = await start(rest_api_key="a-key")
    assert (await client.update(update())).status == 202

    reply = await client.request("POST", "/_sandbox/rest-api-key", json={"rest_api_key": "new"})
    assert reply.status == 200
    assert (await client.update(update())).status == 401
    headers = {"Authorization": "Bearer new", "X-Batch-Project": "project_a"}
    assert (await client.update(update(), headers=headers)).status == 202

    assert (await client.request("POST", "/_sandbox/rest-api-key", json={})).status == 400
    await client.request("POST", "/_sandbox/reset")
    assert (await client.update(update())).status == 202


async def test_reset_forgets_everything(start: Any, update: Any) -> None:
    client = await start(rate=0.001, burst=1, update_log_size=10)
    await client.update(update())
    await client.fault("503")
    await client.request("POST", "/_sandbox/reset")

    assert (await client.stats())["calls"] == 0
    assert (await client.get("/_sandbox/profiles")).lines == []
    assert (await client.get("/_sandbox/calls")).lines == []
    assert (await client.get("/_sandbox/updates")).lines == []
    assert (await client.update(update())).status == 202


async def test_the_index_lists_the_routes(client: Any) -> None:
    assert (await client.get("/_sandbox")).json == ROUTES


async def test_an_accepted_call_need_not_show_yet(start: Any, update: Any) -> None:
    client = await start(apply_delay_ms=60_000)
    await client.update(update())

    assert client.sandbox.profiles() == []
    stats = await client.stats()
    assert (stats["updates"], stats["waiting_to_apply"]) == (1, 1)
    client.sandbox.reset()
    assert (await client.stats())["waiting_to_apply"] == 0


async def test_delayed_calls_show_in_their_order(start: Any, update: Any) -> None:
    client = await start(apply_delay_ms=50)
    for number in range(10):
        await client.update(update(events=[{"name": f"e{number}"}]))
    await _all_applied(client)

    names = [event["name"] for event in client.sandbox.profile("u1")["events"]]
    assert names == [f"e{number}" for number in range(10)]


async def test_calls_may_overtake_one_another(start: Any, update: Any) -> None:
    client = await start(apply_delay_ms=300, apply_out_of_order=True, seed=1)
    for number in range(20):
        await client.update(update(events=[{"name": f"e{number}"}]))
    await _all_applied(client)

    names = [event["name"] for event in client.sandbox.profile("u1")["events"]]
    assert sorted(names) == sorted(f"e{number}" for number in range(20))
    assert names != [f"e{number}" for number in range(20)]


async def test_calls_of_different_routes_may_overtake_one_another(start: Any, update: Any) -> None:
    client = await start(apply_delay_ms=300, apply_routes_apart=True, seed=1)
    for number in range(20):
        await client.update(update(events=[{"name": f"e{number}"}]))
        await client.update(update(events=[{"name": f"m{number}"}]), route="mass-update")
    await _all_applied(client)

    names = [event["name"] for event in client.sandbox.profile("u1")["events"]]
    assert [name for name in names if name[0] == "e"] == [f"e{number}" for number in range(20)]
    assert [name for name in names if name[0] == "m"] == [f"m{number}" for number in range(20)]
    assert names != [f"{route}{number}" for number in range(20) for route in "em"]


async def _all_applied(client: Any) -> None:
    async with asyncio.timeout(10):
        while True:
            if not (await client.stats())["waiting_to_apply"]:
                return
            await asyncio.sleep(0.01)


async def test_late_answers_do_not_hold_up_other_calls(start: Any, update: Any) -> None:
    client = await start(latency_ms=400)
    replies = await asyncio.gather(*(client.update(update()) for _ in range(10)))

    assert [reply.status for reply in replies] == [202] * 10
    assert await client.violations() == {"same_profile_in_flight": 9}


async def test_light_counts_only(start: Any, update: Any) -> None:
    client = await start(light=True, rate=0.001, burst=5)

    assert (await client.update(update("a", events=[{"name": "NO"}]), update("a"))).json == {
        "code": "SUCCESS"
    }
    assert (await client.update(*(update(f"u{n}") for n in range(4)))).status == 429
    assert (await client.update(update(), headers={})).status == 401
    assert (await client.update("no update")).status == 400
    assert (await client.update(*(update(f"u{n}") for n in range(201)))).status == 400
    await client.fault("503")
    assert (await client.update(update())).status == 503

    stats = await client.stats()
    assert (stats["calls"], stats["updates"], stats["events"], stats["refused_429"]) == (6, 2, 1, 1)
    assert stats["profiles"] == 0
    assert (await client.get("/_sandbox/calls")).lines == []


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"burst": 0}, "burst must be a number greater than 0"),
        ({"rate": -1}, "rate must be a number that is not negative"),
        ({"rate": float("nan")}, "rate must be"),
        ({"empty_array": "accept"}, "empty_array must be one of reject_call, partial_error"),
        ({"upper_case_names": "lower"}, "upper_case_names must be one of strict, fold"),
        ({"refusal_body": "xml"}, "refusal_body must be one of json, text, empty"),
        ({"versions": "("}, "versions is not a regular expression"),
        ({"apply_out_of_order": True}, "needs apply_delay_ms"),
        ({"apply_routes_apart": True}, "needs apply_delay_ms"),
        ({"apply_routes_apart": True, "apply_out_of_order": True, "apply_delay_ms": 1}, "choose one"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        SandboxSettings(**settings)


def test_the_keys_are_not_printed() -> None:
    assert "secret" not in repr(SandboxSettings(rest_api_key="secret", project_key="secret"))


async def test_a_port_that_is_taken_is_an_error(client: Any) -> None:
    port = int(client.sandbox.url.rpartition(":")[2])

    with pytest.raises(OSError, match=str(port)):
        await start_sandbox(SandboxSettings(port=port))


def test_the_documentation_names_everything() -> None:
    text = DOCUMENTATION.read_text()
    names = [field.name for field in dataclasses.fields(SandboxSettings)]
    names += [*VIOLATIONS, *MODES, *ROUTES]

    assert [name for name in names if f"`{name}`" not in text] == []
