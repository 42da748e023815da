"""Events for the benchmarks of the mapping: identifies, tracks and Engage audiences, the same for every run."""

from __future__ import annotations

import random
from typing import Any

import orjson

_PRODUCTS = ("Espresso machine", "Coffee grinder", "Milk frother", "Gift card")


def make_records(count: int) -> list[bytes]:
    """Half tracks, a third identifies, the rest Engage audiences; the same for every run."""
    dice = random.Random(7)
    kinds = (_track, _track, _track, _identify, _identify, _audience)
    return [
        orjson.dumps(_envelope(number, dice) | kinds[number % len(kinds)](dice)) for number in range(count)
    ]


def _envelope(number: int, dice: random.Random) -> dict[str, Any]:
    moment = f"2026-03-02T09:{number // 60 % 60:02}:{number % 60:02}.{number % 1000:03}Z"
    return {
        "userId": f"customer-{dice.randrange(50_000):06}",
        "messageId": f"ajs-next-{dice.getrandbits(128):032x}",
        "timestamp": moment,
        "originalTimestamp": moment,
        "sentAt": moment,
        "receivedAt": moment,
        "context": {
            "library": {"name": "analytics.js", "version": "next-1.70.0"},
            "locale": "fr-FR",
            "timezone": "Europe/Paris",
            "page": {"path": "/shop", "url": "https://shop.example.com/shop", "title": "Shop"},
        },
        "integrations": {},
        "version": 2,
    }


def _identify(dice: random.Random) -> dict[str, Any]:
    person = dice.randrange(50_000)
    traits = {
        "email": f"person.{person}@example.com",
        "phone": f"+3360000{person:05}",
        "firstName": "Camille",
        "plan": "premium",
        "logins": person % 50,
        "createdAt": "2024-05-17T08:30:00.000Z",
        "avatar": f"https://cdn.example.com/avatars/{person}.png",
        "interests": ["coffee", "tea"],
        "newsletter": True,
    }
    return {"type": "identify", "traits": traits}


def _track(dice: random.Random) -> dict[str, Any]:
    price = dice.randrange(1_000, 90_000) / 100
    properties = {
        "orderId": f"o-{dice.randrange(10**8)}",
        "total": price,
        "currency": "EUR",
        "coupon": None,
        "products": [
            {
                "sku": f"s-{dice.randrange(1000)}",
                "name": dice.choice(_PRODUCTS),
                "price": price,
                "quantity": 1,
            }
        ],
        "payment method": "card",
    }
    return {"type": "track", "event": "Order Completed", "properties": properties}


def _audience(dice: random.Random) -> dict[str, Any]:
    key = f"audience_{dice.randrange(40)}"
    personas = {
        "computation_class": "audience",
        "computation_id": "aud_2rT7hK1mNq3PzYw8",
        "computation_key": key,
    }
    return {
        "type": "identify",
        "traits": {key: dice.random() < 0.5},
        "context": {"library": {"name": "unknown", "version": "unknown"}, "personas": personas},
        "integrations": {"All": False, "Batch (Actions)": True, "Warehouses": {"all": False}},
    }
