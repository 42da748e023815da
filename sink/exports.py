"""Asks Batch for an export, waits for it, and reads its files (Batch, "Profiles export" and "Exports").

The export is the only way to read profiles back: a bulk job of seconds to half an hour.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple

import aiohttp
import orjson

from sink.breaker import REMEDIES
from sink.client import Credentials, Verdict, read_answer

PACE_S = 1.05
"""Batch's default is one call a second for each project key."""
FIRST_LOOK_S = 2.0
LONGEST_LOOK_S = 30.0
ATTEMPTS = 8
LONGEST_RETRY_S = 60.0
BLOCK_BYTES = 1 << 20
_UNKNOWN_EXPORT = f"is the id of --export right, and the export this project's? Else: {REMEDIES['404']}"
_LINKS_EXPIRE = (401, 403, 404, 410)
_NETWORK = (aiohttp.ClientError, TimeoutError, OSError)


class ExportError(Exception):
    """Batch does not give the export. The message says what to do; it holds no key and no value."""


class ExportFile(NamedTuple):
    """One file of an export; `size` in bytes."""

    id: str
    size: int


class Export(NamedTuple):
    """An export that is done."""

    id: str
    started_at: str
    """When Batch began to read the profiles, RFC 3339, as far as it tells."""
    files: tuple[ExportFile, ...]
    attributes: frozenset[str] | None
    """The names that were asked for, as far as Batch tells."""


class ExportClient:
    """Exports of one project. Use as an asynchronous context manager."""

    def __init__(
        self,
        base_url: str,
        api_version: str,
        credentials: Credentials,
        *,
        timeout_s: float,
        pace_s: float = PACE_S,
    ) -> None:
        self._root = f"{base_url}/{api_version}"
        self._headers = credentials.headers()
        self._timeout_s = timeout_s
        self._pace_s = pace_s
        self._next_call = 0.0
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> ExportClient:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._timeout_s, sock_read=self._timeout_s)
        self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, attributes: Sequence[str]) -> str:
        """Ask for these attributes (bare names, native ones with their `$`) of every profile; the export's id.
        Raises ExportError."""
        body = orjson.dumps(
            {"export_type": "ATTRIBUTES", "attributes": list(attributes), "identifiers": ["custom_id"]}
        )
        status, _, payload = await self._call("POST", "/profiles/export", body)
        export_id = payload.get("id")
        if status != 202 or not isinstance(export_id, str):
            raise ExportError(f"Batch answered {status} to the request, without the id of an export")
        return export_id

    async def done(self, export_id: str, on_status: Callable[[str], None], longest_s: float) -> Export:
        """Wait until the export is done. Raises ExportError if it fails, or takes longer than `longest_s`."""
        give_up = time.monotonic() + longest_s
        pause = FIRST_LOOK_S
        while True:
            _, _, payload = await self._call("GET", f"/exports/view?id={export_id}", None, _UNKNOWN_EXPORT)
            status = str(payload.get("status", ""))
            on_status(status)
            if status == "SUCCESS":
                return _export(export_id, payload)
            if status == "ERROR":
                raise ExportError(f"the export {export_id} ended with ERROR on Batch's side; try again later")
            if time.monotonic() + pause > give_up:
                raise ExportError(
                    f"the export {export_id} is not done after {longest_s:g} s ({status}); "
                    "raise --export-timeout, or look later with --export"
                )
            await asyncio.sleep(pause)
            pause = min(LONGEST_LOOK_S, pause * 1.5)

    async def lines(self, file: ExportFile) -> AsyncIterator[bytes]:
        """The file's lines. A download that breaks, or whose link expires, begins again after what was read.
        Raises ExportError."""
        given = 0
        for attempt in range(1, ATTEMPTS + 1):
            number = 0
            try:
                async for line in self._download(file):
                    number += 1
                    if number > given:
                        given = number
                        yield line
                return
            except _NETWORK as error:
                if attempt == ATTEMPTS:
                    raise ExportError(
                        f"file {file.id} cannot be downloaded: {type(error).__name__}"
                    ) from None
            await asyncio.sleep(min(LONGEST_RETRY_S, self._pace_s * 2**attempt))

    async def _download(self, file: ExportFile) -> AsyncIterator[bytes]:
        """Raises one of _NETWORK if the file did not come whole."""
        status, headers, _ = await self._call("GET", f"/exports/download?id={file.id}", None)
        place = headers.get("Location")
        if status != 307 or not place:
            raise ExportError(f"Batch answered {status} in place of a link to file {file.id}")
        async with self._open_session().get(place) as response:  # another host: it gets no keys
            if response.status in _LINKS_EXPIRE or response.status >= 500:
                raise aiohttp.ClientPayloadError(f"status {response.status}")
            if response.status != 200:
                raise ExportError(f"the link to file {file.id} was answered with {response.status}")
            rest = b""
            async for block in response.content.iter_chunked(BLOCK_BYTES):
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    yield line
            if rest:
                yield rest

    async def _call(
        self, method: str, path: str, body: bytes | None, if_unknown: str = REMEDIES["404"]
    ) -> tuple[int, Mapping[str, str], dict[str, Any]]:
        """Status, headers and JSON of an answer that is none of a refusal; what passes is tried again.
        `if_unknown` is what to do after a 404. Raises ExportError."""
        problem = ""
        for attempt in range(1, ATTEMPTS + 1):
            await self._keep_pace()
            wait_s = min(LONGEST_RETRY_S, self._pace_s * 2**attempt)
            try:
                async with self._open_session().request(
                    method, self._root + path, data=body, headers=self._headers, allow_redirects=False
                ) as response:
                    content = await response.read()
            except _NETWORK as error:
                problem = f"{type(error).__name__} (batch.base_url)"
            else:
                if response.status in (200, 202, 307):
                    return response.status, response.headers, _object(content)
                answer = read_answer(response.status, response.headers, content)
                problem = f"{answer.status} {answer.message}".strip()
                if answer.verdict is not Verdict.RETRY:
                    remedy = (REMEDIES | {"404": if_unknown}).get(answer.status)
                    raise ExportError(
                        f"Batch answers {problem.removesuffix('.')}" + (f"; {remedy}" if remedy else "")
                    )
                wait_s = answer.retry_after_s or wait_s
            if attempt < ATTEMPTS:
                await asyncio.sleep(wait_s)
        raise ExportError(f"Batch does not answer the export's call: {problem}")

    async def _keep_pace(self) -> None:
        now = time.monotonic()
        await asyncio.sleep(max(0.0, self._next_call - now))
        self._next_call = max(now, self._next_call) + self._pace_s

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the client is used outside `async with`")
        return self._session


def _export(export_id: str, payload: Mapping[str, Any]) -> Export:
    files = payload.get("files")
    if not isinstance(files, list):
        raise ExportError(f"the export {export_id} is done, and Batch names no files")
    found = [
        ExportFile(str(file["id"]), int(file.get("size") or 0))
        for file in sorted(files, key=lambda file: file.get("part") or 0)
    ]
    request = payload.get("request")
    names = request.get("attributes") if isinstance(request, dict) else None
    attributes = frozenset(map(str, names)) if isinstance(names, list) else None
    return Export(export_id, str(payload.get("start_date") or ""), tuple(found), attributes)


def _object(content: bytes) -> dict[str, Any]:
    try:
        payload = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return payload if isinstance(payload, dict) else {}
