"""The sandbox on a thread of its own, asked over HTTP as any client would."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.request
from concurrent.futures import Future
from ssl import SSLContext
from typing import Any

from sink.sandbox.server import RunningSandbox, start_sandbox
from sink.sandbox.settings import SandboxSettings

WAIT_S = 20.0


class LocalBatch:
    """A sandbox with Batch's own limits, unless `settings` (of SandboxSettings) say otherwise."""

    def __init__(self, tls: SSLContext | None = None, **settings: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._sandbox: RunningSandbox = self._run(start_sandbox(SandboxSettings(port=0, **settings), tls))
        self.url = self._sandbox.url

    def close(self) -> None:
        self._run(self._sandbox.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_S)
        self._loop.close()

    def fault(self, mode: str, **more: Any) -> None:
        """Turn a fault on, or all of them `off`."""
        self._post("/_sandbox/faults", {"mode": mode, **more})

    def replace_rest_api_key(self, key: str) -> None:
        """From now on Batch takes no other."""
        self._post("/_sandbox/rest-api-key", {"rest_api_key": key})

    def stats(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._get("/_sandbox/stats"))
        return answer

    def profiles(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._get("/_sandbox/profiles").splitlines()]

    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._get("/_sandbox/calls").splitlines()]

    def updates(self) -> list[dict[str, Any]]:
        """As they were applied; it takes the setting `update_log_size`."""
        return [json.loads(line) for line in self._get("/_sandbox/updates").splitlines()]

    def attributes(self) -> dict[str, dict[str, Any]]:
        """Of every profile, by custom_id."""
        return {profile["custom_id"]: profile["attributes"] for profile in self.profiles()}

    def _post(self, path: str, body: dict[str, Any]) -> None:
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=WAIT_S):
            pass

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=WAIT_S) as response:
            body: bytes = response.read()
        return body

    def _run(self, work: Any) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(WAIT_S)
