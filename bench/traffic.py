"""The events of the bench's workloads: made up from a seed, half of 0.65 KB and half of 1.4 KB.

Their times lie in the hour `HOUR`, which `bench.workloads` replaces by the last full hour when they are produced: Batch
refuses events older than a day, and a workload is made once.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

import orjson

HOUR = b"2000-01-01T00:"
SMALL_BYTES, LARGE_BYTES = 650, 1400

AUDIENCES = tuple(f"audience_{number:02}" for number in range(40))
PLANS = ("free", "basic", "premium")
CITIES = ("Paris", "Lyon", "Lille", "Nantes")
PAGES = ("Home", "Pricing", "Product", "Basket", "Help")
BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari"

Values = dict[str, Any]


class Event(NamedTuple):
    """A record of a workload: the user's id, which is its key, and the event as JSON."""

    user: str
    value: bytes


def mixed(count: int, users: int, seed: int = 1) -> Iterator[Event]:
    """Events of users chosen evenly: of twenty, six identifies, six product views, two orders, two pages, a group, and
    three audiences of Engage."""
    dice = Random(seed)
    kinds = (_identify,) * 6 + (_view,) * 6 + (_order,) * 2 + (_page,) * 2 + (_group,) + (_audience,) * 3
    for number in range(count):
        person = dice.randrange(users)
        yield _event(dice, number, count, person, dice.choice(kinds)(dice, person))


def first_sync(users: int, audiences: int = 5, seed: int = 2) -> Iterator[Event]:
    """The first sync of some audiences with a destination: an identify for each member, audience by audience."""
    dice = Random(seed)
    count = users * audiences
    for number in range(count):
        event = _membership(AUDIENCES[number // users], True)
        yield _event(dice, number, count, number % users, event, SMALL_BYTES)


def day(users: int, seed: int = 3) -> Iterator[Event]:
    """A day of visits, two of each user, in no order of users: every visit begins with an identify, one in ten of the
    second ones with a new plan; then a product is looked at, and a page or an order follows."""
    dice = Random(seed)
    people = list(range(users))
    count = users * 6
    number = 0
    for visit in range(2):
        dice.shuffle(people)
        for person in people:
            plan = PLANS[(person + (visit and dice.random() < 0.1)) % len(PLANS)]
            last = _order if dice.random() < 0.2 else _page
            for event in (_known(person, plan), _view(dice, person), last(dice, person)):
                yield _event(dice, number, count, person, event)
                number += 1


def spent_at_least(events: Iterator[Event]) -> int:
    """The fewest profile updates that can carry these events: for each profile one, or as many as its events (15 an
    update) or its attributes (50 an update) need."""
    tracks: dict[str, int] = {}
    names: dict[str, set[str]] = {}
    for user, value in events:
        event = orjson.loads(value)
        if event["type"] not in ("identify", "track"):
            continue
        tracks.setdefault(user, 0)
        tracks[user] += event["type"] == "track"
        names.setdefault(user, set()).update(event.get("traits", ()))
    return sum(max(1, -(-count // 15), -(-len(names[user]) // 50)) for user, count in tracks.items())


def _event(
    dice: Random, number: int, count: int, person: int, kind: Values, size: int | None = None
) -> Event:
    """The envelope that Segment's Kafka destination writes around `kind`, padded to the size of its half."""
    size = size or (LARGE_BYTES if number % 2 else SMALL_BYTES)
    millisecond = 3_600_000 * number // count
    time = f"{HOUR.decode()}{millisecond // 60_000:02}:{millisecond // 1000 % 60:02}.{millisecond % 1000:03}Z"
    user = f"user-{person:07}"
    event = {
        "anonymousId": f"{dice.getrandbits(64):016x}",
        "messageId": f"ajs-next-{dice.getrandbits(64):016x}",
        "timestamp": time,
        "receivedAt": time,
        "userId": user,
        **kind,
    }
    context = {"library": {"name": "analytics.js", "version": "next-1.70.0"}, **kind.get("context", {})}
    if size == LARGE_BYTES:
        context |= _browser(dice, person) | {"page": _address(dice)}
        event |= {"originalTimestamp": time, "sentAt": time, "channel": "client", "version": 2}
    event["context"] = context
    padding = size - len(orjson.dumps(event)) - len(',"userAgent":""')
    context["userAgent"] = (BROWSER * 10)[: max(0, padding)]
    return Event(user, orjson.dumps(event))


def _browser(dice: Random, person: int) -> Values:
    return {
        "ip": f"192.0.2.{person % 256}",
        "locale": "fr-FR",
        "timezone": "Europe/Paris",
        "screen": {"width": 1512, "height": 982, "density": 2},
        "campaign": {"name": "autumn", "source": "newsletter", "medium": "email", "term": None},
        "os": {"name": "Mac OS", "version": "14.6"},
    }


def _address(dice: Random) -> Values:
    path = f"/products/{dice.randrange(10_000)}"
    return {
        "path": path,
        "referrer": "",
        "search": "",
        "title": "Shop",
        "url": f"https://shop.example.com{path}",
    }


def _identify(dice: Random, person: int) -> Values:
    return _known(person, dice.choice(PLANS))


def _known(person: int, plan: str) -> Values:
    traits = {
        "email": f"user.{person:07}@example.com",
        "firstName": "Camille",
        "plan": plan,
        "city": CITIES[person % len(CITIES)],
        "logins": person % 50,
        "newsletter": person % 3 == 0,
        "createdAt": "2024-05-17T08:30:00.000Z",
    }
    return {"type": "identify", "traits": traits}


def _view(dice: Random, person: int) -> Values:
    properties = {
        "sku": f"SKU-{dice.randrange(10_000):05}",
        "price": dice.randrange(100, 50_000) / 100,
        "currency": "EUR",
        "category": "kitchen",
    }
    return {"type": "track", "event": "Product Viewed", "properties": properties}


def _order(dice: Random, person: int) -> Values:
    product = {
        "sku": f"SKU-{dice.randrange(10_000):05}",
        "price": dice.randrange(100, 50_000) / 100,
        "quantity": 1,
    }
    properties = {
        "orderId": f"o-{dice.getrandbits(32):08x}",
        "revenue": product["price"],
        "products": [product],
    }
    return {"type": "track", "event": "Order Completed", "properties": properties}


def _page(dice: Random, person: int) -> Values:
    return {"type": "page", "name": dice.choice(PAGES), "properties": _address(dice)}


def _group(dice: Random, person: int) -> Values:
    return {
        "type": "group",
        "groupId": f"company-{person % 100}",
        "traits": {"name": "Example", "employees": 12},
    }


def _audience(dice: Random, person: int) -> Values:
    return _membership(dice.choice(AUDIENCES), dice.random() < 0.7)


def _membership(key: str, member: bool) -> Values:
    personas = {
        "computation_class": "audience",
        "computation_id": "aud_2rT7hK1mNq3PzYw8",
        "computation_key": key,
        "namespace": "spa_example",
        "space_id": "spa_example",
    }
    return {
        "type": "identify",
        "traits": {key: member},
        "context": {"personas": personas},
        "integrations": {"All": False, "Batch (Actions)": True},
    }
