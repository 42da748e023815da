"""Traffic whose events are all about as large: plain, or mixed as the demo makes it.

Plain traffic is half identifies of five traits, half tracks of four properties, padded by a browser's context.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import orjson

from streams.demo.traffic import generate
from tests.kafka import Record

PLANS = ("free", "basic", "premium")
CITIES = ("Paris", "Lyon", "Lille", "Nantes")
CATEGORIES = ("shoes", "bags", "garden", "kitchen")


def plain_traffic(count: int, users: int, now: datetime, mean_bytes: int) -> Iterator[Record]:
    """Records keyed by userId, over the last hour before `now`, each about `mean_bytes` long."""
    chance = random.Random(1)
    for number in range(count):
        user = f"user-{chance.randrange(users):07}"
        at = now - timedelta(seconds=3600 * (1 - number / count))
        stamp = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"
        event = {
            "messageId": f"ajs-next-{chance.getrandbits(128):032x}",
            "userId": user,
            "anonymousId": f"{chance.getrandbits(128):032x}",
            "timestamp": stamp,
            "receivedAt": stamp,
            "sentAt": stamp,
            "context": {"library": {"name": "analytics.js", "version": "2.11.1"}},
            "integrations": {},
            **(_identify(chance, user) if number % 2 else _track(chance)),
        }
        padding = mean_bytes - len(orjson.dumps(event)) - len(',"userAgent":""')
        event["context"]["userAgent"] = "x" * max(0, padding)  # type: ignore[index]
        yield Record(orjson.dumps(event), user.encode())


def mixed_traffic(count: int, users: int, now: datetime, mean_bytes: int) -> Iterator[Record]:
    """The demo's: rich identifies, orders with arrays of products, Engage audiences and computed traits."""
    for produced in generate(count, users=users, seed=1, now=now, mean_bytes=mean_bytes, bad_share=0):
        yield Record(produced.value, produced.key)


TRAFFIC = {"plain": plain_traffic, "mixed": mixed_traffic}


def _identify(chance: random.Random, user: str) -> dict[str, object]:
    traits = {
        "email": f"{user}@example.com",
        "plan": chance.choice(PLANS),
        "city": chance.choice(CITIES),
        "logins": chance.randrange(1000),
        "newsletter": chance.random() < 0.5,
    }
    return {"type": "identify", "traits": traits}


def _track(chance: random.Random) -> dict[str, object]:
    properties = {
        "sku": f"SKU-{chance.randrange(10_000):05}",
        "price": round(chance.uniform(1, 500), 2),
        "currency": "EUR",
        "category": chance.choice(CATEGORIES),
    }
    return {"type": "track", "event": "Product Viewed", "properties": properties}
