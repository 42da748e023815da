"""Posts to Batch from threads, tried again until they are accepted."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import orjson
import requests
from settings import HEADERS, RETRY_S, URL

_of_thread = threading.local()


def post(updates: Sequence[dict[str, Any]]) -> None:
    """Return when Batch has accepted the call."""
    body = orjson.dumps(updates)
    while True:
        answer = _session().post(URL, data=body, headers=HEADERS, timeout=30)
        if answer.status_code == 202:
            return
        if answer.status_code != 429 and answer.status_code < 500:
            answer.raise_for_status()
        time.sleep(float(answer.headers.get("Retry-After", RETRY_S)))


def _session() -> requests.Session:
    if not hasattr(_of_thread, "session"):
        _of_thread.session = requests.Session()
    session: requests.Session = _of_thread.session
    return session
