"""Realistic Segment traffic, made up from a seed, each record with what delivering it must do.

The generator knows what each record means because it made it up: the expectation is written beside the record
from `catalogue`, never derived from the record. Nothing here knows of the mapping.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any

import orjson

from streams.demo.catalogue import (
    AUDIENCES,
    COMPUTED_TRAITS,
    EVENTS,
    JOURNEY_STEPS,
    MARKETING,
    PRODUCTS,
    TRAITS,
    whole,
)
from streams.demo.envelopes import (
    Clock,
    browser_context,
    collected,
    computed,
    engage_context,
    mobile_context,
    server_context,
)
from streams.demo.flaws import FLAWS, Moment
from streams.demo.people import User, make_user
from streams.demo.records import Expectation, Produced, accepted

__all__ = ["MIX", "Expectation", "Produced", "generate"]

# Of a hundred sound records.
MIX = {
    "identify": 30,
    "track": 32,
    "order": 6,
    "audience_identify": 14,
    "audience_track": 8,
    "trait_identify": 6,
    "trait_track": 4,
}
SKEW = 1.5  # above 1, low-numbered users act more often than others
SPREAD_MS = 3_590_000  # events happen within the last hour
JITTER_MS = 5_000  # and reach Kafka up to this much out of order
PASSAGE_MS = 400  # from the source to Segment
OLD_MS = 30 * 3_600_000
LARGEST_PADDING = 20_000  # Segment refuses events over 32 KB
SMALLEST_PADDING = 200

Values = dict[str, Any]
Made = tuple[Values, Expectation]


def generate(
    count: int,
    *,
    users: int,
    seed: int,
    now: datetime,
    mean_bytes: int | None = None,
    bad_share: float = 0.01,
) -> Iterator[Produced]:
    """Make `count` records about `users` people, in the order to be produced; same arguments, same records.

    Event times rise from an hour before `now` (aware) to `now`, never past it. `mean_bytes` steers the mean
    size of the values by choosing leaner or richer contexts; without it sizes are what they are (about 700
    bytes). `bad_share` of the records have one of the flaws of `streams.demo.flaws`.
    """
    traffic = _Traffic(users, Random(seed), seed, mean_bytes)
    end = int(now.timestamp() * 1000) - JITTER_MS - PASSAGE_MS
    for number in range(count):
        yield traffic.record(end - SPREAD_MS + SPREAD_MS * number // count, bad_share, end)


class _Traffic:
    def __init__(self, users: int, random: Random, seed: int, mean_bytes: int | None) -> None:
        self._users = users
        self._random = random
        self._seed = seed
        self._mean_bytes = mean_bytes
        self._credit = 0  # bytes that the records so far fell short of the wanted mean
        self._known: dict[int, User] = {}
        self._clock = Clock()
        self._flaws = 0
        makers = {
            "identify": self._identify,
            "track": self._track,
            "order": self._order,
            "audience_identify": self._audience_identify,
            "audience_track": self._audience_track,
            "trait_identify": self._trait_identify,
            "trait_track": self._trait_track,
        }
        self._mix = [makers[name] for name, share in MIX.items() for _ in range(share)]
        rows = range(len(TRAITS))
        self._choices = [
            [TRAITS[row] for row in random.sample(rows, random.randint(2, 9))] for _ in range(512)
        ]

    def record(self, about_ms: int, bad_share: float, end_ms: int) -> Produced:
        draw = self._random.random
        user = self._user()
        happened = about_ms + int(draw() * JITTER_MS)
        time, received = self._clock.text(happened), self._clock.text(happened + PASSAGE_MS)
        if draw() < bad_share:
            moment = Moment(time, received, self._clock.text(end_ms - OLD_MS))
            self._flaws += 1
            produced = FLAWS[(self._flaws - 1) % len(FLAWS)](user, moment, self._random)
        else:
            event, expectation = self._mix[int(draw() * len(self._mix))](user, time, received)
            produced = Produced(user.key, orjson.dumps(event), expectation)
        if self._mean_bytes is not None:
            self._credit += self._mean_bytes - len(produced.value or b"")
        return produced

    def _user(self) -> User:
        number = int(self._users * self._random.random() ** SKEW)
        user = self._known.get(number)
        if user is None:
            user = self._known[number] = make_user(self._seed, number)
        return user

    def _pick(self, options: Any) -> Any:
        return options[int(self._random.random() * len(options))]

    def _context(self, user: User) -> tuple[Values, Values]:
        """A context, and the native attributes that Batch must get for it."""
        if self._mean_bytes is None:
            draw = self._random.random()
            kind = "server" if draw < 0.4 else "mobile" if draw < 0.6 else "browser"
        else:
            kind = "server" if self._credit < 0 else "browser"
        if kind == "server":
            return server_context(self._random), {}
        natives = {**user.locale.attributes, "$timezone": user.timezone}
        if kind == "mobile":
            return mobile_context(user), natives
        padding = self._credit if self._credit >= SMALLEST_PADDING else 0
        return browser_context(user, min(padding, LARGEST_PADDING), self._random), natives

    def _identify(self, user: User, time: str, received: str) -> Made:
        context, attributes = self._context(user)
        traits: Values = {}
        for row in self._pick(self._choices):
            sent = self._pick(row)
            traits[sent.key] = sent.value
            attributes[sent.wire_key] = sent.wire_value
        self._add_contact(user, traits, context, attributes)
        self._add_marketing(traits, attributes)
        event = collected(user, {"type": "identify", "traits": traits}, context, time, received, self._random)
        return event, accepted(user.custom_id, attributes)

    def _add_contact(self, user: User, traits: Values, context: Values, attributes: Values) -> None:
        """`context.traits` comes first; a null there falls through to `traits`; a null found last clears."""
        draw = self._random.random()
        if draw < 0.50:
            traits["email"] = attributes["$email_address"] = user.email
        elif draw < 0.58:
            traits["email"] = user.former_email
            context["traits"] = {"email": user.email}
            attributes["$email_address"] = user.email
        elif draw < 0.62:
            traits["email"] = attributes["$email_address"] = user.former_email
            context["traits"] = {"email": None}
        elif draw < 0.64:
            traits["email"] = attributes["$email_address"] = None
        if self._random.random() < 0.25:
            traits["phone"] = attributes["$phone_number"] = user.phone if draw > 0.03 else None

    def _add_marketing(self, traits: Values, attributes: Values) -> None:
        draw = self._random.random()
        if draw < 0.20:
            traits["email_marketing"], attributes["$email_marketing"] = self._pick(MARKETING)
        if draw < 0.08:
            traits["sms_marketing"], attributes["$sms_marketing"] = self._pick(MARKETING)

    def _track(self, user: User, time: str, received: str) -> Made:
        name, wire_name, calls = self._pick(EVENTS)
        call = self._pick(calls)
        return self._tracked(user, time, received, (name, call.properties), (wire_name, call.attributes))

    def _order(self, user: User, time: str, received: str) -> Made:
        random = self._random
        products = [self._pick(PRODUCTS) for _ in range(1 + int(random.random() ** 3 * 5))]
        revenue = round(sum(product.properties["price"] for product in products), 2)
        shipping = self._pick((0.0, 4.9, 12.0))
        shared = {
            "order_id": f"ord-{random.getrandbits(32):08x}",
            "currency": "EUR",
            "is-gift": random.random() < 0.1,
        }
        properties = {
            **shared,
            "coupon": None,
            "revenue": revenue,
            "shippingCost": shipping,
            "products": [product.properties for product in products],
        }
        attributes = {
            "order_id": shared["order_id"],
            "currency": "EUR",
            "isgift": shared["is-gift"],
            "revenue": whole(revenue),
            "shippingcost": whole(shipping),
            "products": [product.attributes for product in products],
        }
        sent, wire = ("Order Completed", properties), ("order_completed", attributes)
        return self._tracked(user, time, received, sent, wire)

    def _tracked(
        self, user: User, time: str, received: str, sent: tuple[str, Values], wire: tuple[str, Values]
    ) -> Made:
        context, attributes = self._context(user)
        if self._random.random() < 0.15:
            # Of the traits that ride along with a track, only the native ones go to the profile.
            context["traits"] = {"email": user.email, "firstName": "Lea"}
            attributes["$email_address"] = user.email
        event = collected(
            user,
            {"type": "track", "event": sent[0], "properties": sent[1]},
            context,
            time,
            received,
            self._random,
        )
        return event, accepted(
            user.custom_id, attributes, [{"name": wire[0], "time": time, "attributes": wire[1]}]
        )

    def _audience_identify(self, user: User, time: str, received: str) -> Made:
        member = self._random.random() < 0.65
        journey = self._random.random() < 0.1
        key = self._pick(JOURNEY_STEPS if journey else AUDIENCES)
        traits: Values = {key: "true" if journey and member else member}
        attributes: Values = {key: member}
        if self._random.random() < 0.4:
            traits["email"] = attributes["$email_address"] = user.email
        if self._random.random() < 0.1:
            traits["first_name"] = attributes["first_name"] = "Lea"
        context = engage_context("journey_step" if journey else "audience", key)
        event = computed(user, {"type": "identify", "traits": traits}, context, time, received, self._random)
        return event, accepted(user.custom_id, attributes)

    def _audience_track(self, user: User, time: str, received: str) -> Made:
        """A membership told by a track, whose name a company may change: no event for Batch."""
        key = self._pick(AUDIENCES)
        member = self._random.random() < 0.65
        draw = self._random.random()
        name = ("Audience Entered" if member else "Audience Exited") if draw < 0.9 else "Segment Changed"
        context = engage_context("audience", key)
        attributes: Values = {key: member}
        if draw < 0.4:
            context["traits"] = {"email": user.email}
            attributes["$email_address"] = user.email
        value: Any = "true" if member and draw > 0.8 else member
        properties = {"audience_key": key, key: value}
        call = {"type": "track", "event": name, "properties": properties}
        event = computed(user, call, context, time, received, self._random)
        return event, accepted(user.custom_id, attributes)

    def _trait_identify(self, user: User, time: str, received: str) -> Made:
        trait = self._pick(self._pick(COMPUTED_TRAITS))
        context = engage_context("trait" if self._random.random() < 0.5 else "computed_trait", trait.key)
        call = {"type": "identify", "traits": {trait.key: trait.value}}
        event = computed(user, call, context, time, received, self._random)
        return event, accepted(user.custom_id, {trait.wire_key: trait.wire_value})

    def _trait_track(self, user: User, time: str, received: str) -> Made:
        trait = self._pick(self._pick(COMPUTED_TRAITS))
        properties = {"trait_key": trait.key, trait.key: trait.value}
        call = {"type": "track", "event": "Trait Computed", "properties": properties}
        event = computed(user, call, engage_context("trait", trait.key), time, received, self._random)
        attributes = {"trait_key": trait.key, trait.wire_key: trait.wire_value}
        return event, accepted(
            user.custom_id, {}, [{"name": "trait_computed", "time": time, "attributes": attributes}]
        )
