"""What Batch's answers mean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import orjson
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from sink.client import (
    Answer,
    BatchClient,
    Credentials,
    PartialError,
    Verdict,
    parse_retry_after,
    read_answer,
)

Handler = Callable[[web.Request], Awaitable[web.Response]]


@pytest.mark.parametrize(
    ("status", "verdict", "ambiguous"),
    [
        (202, Verdict.ACCEPTED, False),
        (400, Verdict.SPLIT, False),
        (413, Verdict.SPLIT, False),
        (422, Verdict.SPLIT, False),
        (408, Verdict.RETRY, False),
        (425, Verdict.RETRY, False),
        (429, Verdict.RETRY, False),
        (500, Verdict.RETRY, True),
        (502, Verdict.RETRY, True),
        (503, Verdict.RETRY, False),
        (504, Verdict.RETRY, True),
        (599, Verdict.RETRY, True),
        (401, Verdict.HALT, False),
        (403, Verdict.HALT, False),
        (404, Verdict.HALT, False),
        (301, Verdict.HALT, False),
        (405, Verdict.HALT, False),
    ],
)
def test_each_status_has_its_verdict(status: int, verdict: Verdict, ambiguous: bool) -> None:
    answer = read_answer(status, {}, b"")
    assert (answer.verdict, answer.status, answer.ambiguous) == (verdict, str(status), ambiguous)


def test_a_200_that_batch_did_not_write_is_tried_again_and_ambiguous() -> None:
    answer = read_answer(200, {}, b"<html>a proxy's page</html>")
    assert (answer.verdict, answer.ambiguous) == (Verdict.RETRY, True)


def test_a_200_with_batchs_success_code_is_accepted() -> None:
    assert read_answer(200, {}, b'{"code":"SUCCESS"}').verdict is Verdict.ACCEPTED


def test_partial_errors_are_read_with_and_without_attribute() -> None:
    body = orjson.dumps(
        {
            "code": "SUCCESS_WITH_PARTIAL_ERRORS",
            "errors": [
                {"bulk_index": 3, "attribute": "plan", "reason": "too long"},
                {"bulk_index": 7, "reason": "event too old"},
                {"bulk_index": 8, "attribute": "", "reason": "?"},
            ],
        }
    )
    answer = read_answer(202, {}, body)
    assert answer.verdict is Verdict.ACCEPTED
    assert answer.errors == (
        PartialError(3, "plan", "too long"),
        PartialError(7, None, "event too old"),
        PartialError(8, None, "?"),
    )


@pytest.mark.parametrize(
    "errors", [None, {}, "x", [None, 1, "x", {}, {"bulk_index": "3"}, {"attribute": "a"}]]
)
def test_partial_errors_that_cannot_be_read_are_left_out(errors: object) -> None:
    answer = read_answer(202, {}, orjson.dumps({"code": "SUCCESS_WITH_PARTIAL_ERRORS", "errors": errors}))
    assert answer == Answer(Verdict.ACCEPTED, "202")


def test_the_message_is_batchs_code_and_text() -> None:
    body = b'{"error_code":"MALFORMED_PARAMETER","error_message":"Malformed parameter \'x\'"}'
    assert read_answer(400, {}, body).message == "MALFORMED_PARAMETER: Malformed parameter 'x'"


@given(st.integers(100, 599), st.binary(max_size=200))
def test_any_body_is_read_as_something(status: int, body: bytes) -> None:
    assert read_answer(status, {}, body).status == str(status)


NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("86400", 3600.0),
        ("9" * 400, 3600.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("\u00b2", None),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:59:00 GMT", 0.0),
        ("Thu, 01 Jan 2026 23:00:00 GMT", 3600.0),
        ("Thu, 01 Jan 2026 12:00:30 -0000", 30.0),
        ("Thu, 01 Jan 2026 12:00:30 +0100", 0.0),
        ("Thu, 99 Jan 2026 12:00:30 GMT", None),
        ("Thu, 01 Jan 2026 3000000000:00:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_over_an_hour(
    value: str | None, seconds: float | None
) -> None:
    assert parse_retry_after(value, NOW) == seconds


@given(st.text(max_size=60) | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ .{0,9}"))
def test_any_retry_after_is_a_bounded_wait_or_none(value: str) -> None:
    seconds = parse_retry_after(value, NOW)
    assert seconds is None or 0.0 <= seconds <= 3600.0


def test_retry_after_is_read_from_a_429_and_a_503() -> None:
    assert read_answer(429, {"Retry-After": "9"}, b"").retry_after_s == 9.0
    assert read_answer(503, {"Retry-After": "9"}, b"").retry_after_s == 9.0


def test_credentials_do_not_show_in_their_repr() -> None:
    shown = repr(Credentials("canary-rest", "canary-project"))
    assert "canary" not in shown


async def no_page(request: web.Request) -> web.Response:
    return web.Response(status=202)


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    """The address of a server that answers every call with the handler."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def client_of(url: str, timeout_s: float = 5.0) -> BatchClient:
    return BatchClient(url, "2.11", Credentials("rest", "project"), connections=2, timeout_s=timeout_s)


async def test_a_call_has_the_path_the_keys_and_the_body() -> None:
    seen: list[tuple[str, str, str, str, bytes]] = []

    async def handler(request: web.Request) -> web.Response:
        headers = request.headers
        body = await request.read()
        seen.append(
            (
                request.path,
                headers["Authorization"],
                headers["X-Batch-Project"],
                headers["Content-Type"],
                body,
            )
        )
        return web.json_response({"code": "SUCCESS"}, status=202)

    async with served(handler) as url, client_of(url + "/") as client:
        answer = await client.update_profiles(b"[]")
        assert await client.mass_update_profiles(b"[1]") == answer
    assert answer == Answer(Verdict.ACCEPTED, "202")
    keys = ("Bearer rest", "project", "application/json")
    assert seen == [
        ("/2.11/profiles/update", *keys, b"[]"),
        ("/2.11/profiles/mass-update", *keys, b"[1]"),
    ]


async def test_new_credentials_are_used_by_the_next_call() -> None:
    seen: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.Response(status=202)

    async with served(handler) as url, client_of(url) as client:
        await client.update_profiles(b"[]")
        client.credentials = Credentials("rotated", "project")
        await client.update_profiles(b"[]")
    assert seen == ["Bearer rest", "Bearer rotated"]


async def test_a_redirect_is_not_followed() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with served(handler) as url, client_of(url) as client:
        answer = await client.update_profiles(b"[]")
    assert (answer.verdict, answer.status) == (Verdict.HALT, "307")


async def test_nobody_listening_is_tried_again_and_was_surely_not_applied() -> None:
    async with served(no_page) as url:
        pass
    async with client_of(url) as client:
        answer = await client.update_profiles(b"[]")
    assert (answer.verdict, answer.status, answer.ambiguous) == (Verdict.RETRY, "connection_failed", False)


async def test_a_connection_lost_before_the_answer_is_ambiguous() -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with served(handler) as url, client_of(url) as client:
        answer = await client.update_profiles(b"[]")
    assert (answer.verdict, answer.status, answer.ambiguous) == (Verdict.RETRY, "connection_lost", True)


async def test_no_answer_in_time_is_ambiguous() -> None:
    released = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        await released.wait()
        return web.Response(status=202)

    async with served(handler) as url, client_of(url, timeout_s=0.05) as client:
        answer = await client.update_profiles(b"[]")
        released.set()
    assert (answer.verdict, answer.status, answer.ambiguous) == (Verdict.RETRY, "timeout", True)
