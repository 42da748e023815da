"""The parts of a Segment message around its traits or properties: ids, times, `context`, `integrations`.

The shapes are those of Segment's "Spec: Common Fields", and of what Engage sends (`context.personas`,
`sentAt: null`, nine decimals in `originalTimestamp`, `integrations` with `All: false`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any

from streams.demo.people import User

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = tuple(a + b for a in _BASE62 for b in _BASE62)

_BROWSER = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0 Safari/537.36"
)
_BROWSER_LIBRARY = {"name": "analytics.js", "version": "npm:next-1.70.0"}
_SERVER_LIBRARIES = (
    {"library": {"name": "analytics-python", "version": "2.3.2"}},
    {"library": {"name": "@segment/analytics-node", "version": "2.1.0"}},
    {"library": {"name": "analytics-ruby", "version": "2.4.0"}},
)
_APP = {"name": "Shop", "version": "4.2.0", "build": "1187", "namespace": "com.example.shop"}
_CAMPAIGN = {"name": "spring_sale", "source": "newsletter", "medium": "email", "content": "hero"}
_SPACE = "spa_kQ3vB7nM2xLpR9tYwZ4cHd"


def ksuid(random: Random) -> str:
    """27 base-62 characters, as Segment's message and computation ids have."""
    bits = random.getrandbits(160)
    pairs = [_PAIRS[(bits >> shift & 0x7FF) % len(_PAIRS)] for shift in range(0, 154, 11)]
    return "".join(pairs)[:27]


def uuid4(random: Random) -> str:
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


class Clock:
    """Writes milliseconds since 1970 as Segment does: `2026-03-02T09:14:07.512Z`."""

    def __init__(self) -> None:
        self._seconds: dict[int, str] = {}

    def text(self, milliseconds: int) -> str:
        second, rest = divmod(milliseconds, 1000)
        prefix = self._seconds.get(second)
        if prefix is None:
            prefix = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            self._seconds[second] = prefix
        return f"{prefix}.{rest:03d}Z"


def server_context(random: Random) -> dict[str, Any]:
    """What server libraries send: their own name only."""
    return dict(_SERVER_LIBRARIES[int(random.random() * len(_SERVER_LIBRARIES))])


def browser_context(user: User, padding: int, random: Random) -> dict[str, Any]:
    """What analytics.js sends; about `padding` bytes go into the query string of the page."""
    context: dict[str, Any] = {
        "ip": user.ip,
        "library": _BROWSER_LIBRARY,
        "locale": user.locale.sent,
        "page": {"path": "/sale", "title": "Sale | Shop", "url": "https://shop.example.com/sale"},
        "timezone": user.timezone,
        "userAgent": _BROWSER,
    }
    if padding > 0:
        context["page"]["search"] = f"?utm_source=newsletter&click={random.getrandbits(4 * padding):x}"
        context["campaign"] = _CAMPAIGN
    return context


def mobile_context(user: User) -> dict[str, Any]:
    return {
        "app": _APP,
        "device": {"id": user.anonymous_id, "manufacturer": "Apple", "model": "iPhone15,3", "type": "ios"},
        "library": {"name": "analytics-ios", "version": "4.1.8"},
        "locale": user.locale.sent,
        "network": {"cellular": False, "wifi": True},
        "os": {"name": "iOS", "version": "17.5"},
        "screen": {"height": 852, "width": 393},
        "timezone": user.timezone,
    }


def engage_context(computation_class: str, key: str) -> dict[str, Any]:
    """`context` of an audience or computed trait; its key is the trait or property that carries the value."""
    kind = "aud" if computation_class == "audience" else "tra"
    return {
        "integrations": {"personas": False},
        "library": {"name": "unknown", "version": "unknown"},
        "personas": {
            "computation_class": computation_class,
            "computation_id": f"{kind}_2rT8sQn0fVYw1kJbE6mZxCd4LpA",
            "computation_key": key,
            "namespace": _SPACE,
            "space_id": _SPACE,
        },
    }


def collected(
    user: User, call: dict[str, Any], context: dict[str, Any], time: str, received: str, random: Random
) -> dict[str, Any]:
    """A message of a website, an app or a server, as Segment passes it on."""
    return {
        "anonymousId": user.anonymous_id,
        "context": context,
        "integrations": {},
        "messageId": uuid4(random),
        "originalTimestamp": time,
        "receivedAt": received,
        "sentAt": time,
        "timestamp": time,
        "userId": user.sent_id,
        **call,
        "version": 2,
    }


def computed(
    user: User, call: dict[str, Any], context: dict[str, Any], time: str, received: str, random: Random
) -> dict[str, Any]:
    """A message of Engage, as it comes through Segment's Kafka destination."""
    return {
        **call,
        "userId": user.sent_id,
        "messageId": f"personas_{ksuid(random)}",
        "timestamp": time,
        "originalTimestamp": f"{time[:-1]}480913Z",
        "receivedAt": received,
        "sentAt": None,
        "context": context,
        "integrations": {"All": False, "Kafka": True, "Warehouses": {"all": False}},
        "version": 2,
    }
