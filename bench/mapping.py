"""What the mapping costs beside decoding: CPU microseconds an event, on one core.

    python -m bench.mapping [--events 2000] [--rounds 30]

The events are a mix of identifies, tracks and Engage audiences, about 0.7 KB each. `decode` is orjson.loads
alone; `map` is everything from the bytes to the profile update, decoding included. The rounds of the two take
turns, and the best of each counts, so that other work on the machine does the least harm.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from typing import Any

import orjson

from mapping.mapper import compile_mapper
from mapping.settings import MappingSettings

_PRODUCTS = ("Espresso machine", "Coffee grinder", "Milk frother", "Gift card")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--events", type=int, default=2_000)
    arguments.add_argument("--rounds", type=int, default=30)
    chosen = arguments.parse_args()
    records = list(make_records(chosen.events))
    mapper = compile_mapper(MappingSettings())
    decode = mapped = float("inf")
    for _ in range(chosen.rounds):
        decode = min(decode, microseconds(orjson.loads, records))
        mapped = min(mapped, microseconds(mapper, records))
    size = sum(map(len, records)) / len(records)
    print(f"events   {len(records)}, {size:.0f} bytes each")
    print(f"decode   {decode:.2f} us an event")
    print(f"map      {mapped:.2f} us an event, {mapped / decode:.1f} times decoding")


def microseconds(function: Callable[[bytes], Any], records: list[bytes]) -> float:
    """CPU time of a record, on average."""
    start = time.process_time()
    for record in records:
        function(record)
    return (time.process_time() - start) / len(records) * 1e6


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


if __name__ == "__main__":
    main()
