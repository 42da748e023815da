"""One POST to Batch's Profiles API and what its answer means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from types import TracebackType
from typing import Any, NamedTuple

import aiohttp
import orjson

MAX_UPDATES = 200
"""Batch, Profile API, "Update": at most 200 profiles a call."""
MASS_MAX_UPDATES = 10_000
"""Batch, Profile API, "Mass update profile": at most 10,000 profiles a call."""
MAX_BYTES = 4_000_000
LONGEST_WAIT_S = 3600.0
SPLIT_STATUSES = frozenset({400, 413, 422})
RETRY_STATUSES = frozenset({408, 425, 429})


class Verdict(Enum):
    """What to do with the updates of a call."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    SPLIT = "split"
    HALT = "halt"


class PartialError(NamedTuple):
    """One entry of `SUCCESS_WITH_PARTIAL_ERRORS`. Without an attribute it is an event that was refused."""

    bulk_index: int
    attribute: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one call."""

    verdict: Verdict
    status: str
    """The HTTP status, or `timeout`, `connection_lost`, `connection_failed`."""
    message: str = ""
    """What Batch, or the network, says. Not masked."""
    retry_after_s: float | None = None
    errors: tuple[PartialError, ...] = ()
    ambiguous: bool = False
    """The call may have been applied although it was not confirmed."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The two keys of Batch's dashboard: never logged."""

    rest_api_key: str
    project_key: str

    def headers(self) -> dict[str, str]:
        """The headers of a call (Batch, API overview, "Authentication")."""
        return {
            "Authorization": f"Bearer {self.rest_api_key}",
            "X-Batch-Project": self.project_key,
            "Content-Type": "application/json",
            "User-Agent": "segbatch",
        }

    def __repr__(self) -> str:
        return "Credentials(********)"


class BatchClient:
    """Posts to one project. Use as an asynchronous context manager."""

    def __init__(
        self, base_url: str, api_version: str, credentials: Credentials, *, connections: int, timeout_s: float
    ) -> None:
        self._root = f"{base_url.rstrip('/')}/{api_version}"
        self._connections = connections
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(10.0, timeout_s))
        self.credentials = credentials
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> BatchClient:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=30),
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def update_profiles(self, body: bytes) -> Answer:
        """POST `/profiles/update` with a JSON array of at most 200 updates."""
        return await self._call("POST", "/profiles/update", body)

    async def mass_update_profiles(self, body: bytes) -> Answer:
        """POST `/profiles/mass-update` with a JSON array of at most 10,000 updates: for whole user bases."""
        return await self._call("POST", "/profiles/mass-update", body)

    async def send_test_record(self, body: bytes) -> tuple[Answer, bytes]:
        """As `update_profiles`, with the response's content as it came; empty if there was none."""
        return await self._exchange("POST", "/profiles/update", body)

    async def view_export(self, export_id: str) -> Answer:
        """GET `/exports/view`: harmless, and tells a wrong key (401) from a right one (404 for an unknown id)."""
        return await self._call("GET", f"/exports/view?id={export_id}", None)

    async def _call(self, method: str, path: str, body: bytes | None) -> Answer:
        answer, _ = await self._exchange(method, path, body)
        return answer

    async def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[Answer, bytes]:
        if self._session is None:
            raise RuntimeError("the client is used outside `async with`")
        try:
            async with self._session.request(
                method,
                self._root + path,
                data=body,
                headers=self.credentials.headers(),
                allow_redirects=False,
            ) as response:
                content = await response.read()
                return read_answer(response.status, response.headers, content), content
        except aiohttp.ClientConnectorError as error:
            reason = error.os_error.strerror or str(error.os_error) or type(error).__name__
            message = f"cannot connect to {error.host}:{error.port} (batch.base_url): {reason}"
            return Answer(Verdict.RETRY, "connection_failed", message), b""
        except TimeoutError:
            return Answer(Verdict.RETRY, "timeout", "no answer in time", ambiguous=True), b""
        except (aiohttp.ClientError, OSError) as error:
            return Answer(Verdict.RETRY, "connection_lost", _network_message(error), ambiguous=True), b""


def read_answer(status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    """What a response means (Batch, Profile API, "Responses"; statuses it does not document halt)."""
    payload = _parse(content)
    code = str(payload.get("code", ""))
    if status == 202 or (200 <= status < 300 and code.startswith("SUCCESS")):
        return Answer(Verdict.ACCEPTED, str(status), errors=_partial_errors(payload))
    message = _message(payload)
    if 200 <= status < 300:
        return Answer(Verdict.RETRY, str(status), "the answer is not Batch's", ambiguous=True)
    if status >= 500 or status in RETRY_STATUSES:
        ambiguous = status >= 500 and status != 503
        return Answer(
            Verdict.RETRY,
            str(status),
            message,
            parse_retry_after(headers.get("Retry-After")),
            ambiguous=ambiguous,
        )
    if status in SPLIT_STATUSES:
        return Answer(Verdict.SPLIT, str(status), message)
    return Answer(Verdict.HALT, str(status), message)


def parse_retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds to wait, from seconds or an HTTP date (RFC 9110, "Retry-After"); None if there is none that can
    be read. Never more than an hour."""
    if not value:
        return None
    if value.strip().isdecimal():
        return min(LONGEST_WAIT_S, float(value))
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(LONGEST_WAIT_S, max(0.0, (at - (now or datetime.now(UTC))).total_seconds()))


def _parse(content: bytes) -> dict[str, Any]:
    try:
        payload = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return payload if isinstance(payload, dict) else {}


def _message(payload: Mapping[str, Any]) -> str:
    words = (payload.get("error_code"), payload.get("error_message") or payload.get("message"))
    return ": ".join(str(word) for word in words if word)


def _partial_errors(payload: Mapping[str, Any]) -> tuple[PartialError, ...]:
    errors = payload.get("errors")
    found = []
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict) and isinstance(error.get("bulk_index"), int):
            attribute = error.get("attribute")
            name = attribute if isinstance(attribute, str) and attribute else None
            found.append(PartialError(error["bulk_index"], name, str(error.get("reason", ""))))
    return tuple(found)


def _network_message(error: BaseException) -> str:
    """What the system says. What aiohttp says may quote what a server has sent."""
    reason = (isinstance(error, OSError) and error.strerror) or "the connection ended before the answer"
    return f"{type(error).__name__}: {reason}"
