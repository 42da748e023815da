"""Records that something is wrong with, and what must become of each.

`FLAWS` is used round robin, so that every kind is there even in a short run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

import orjson

from streams.demo.envelopes import browser_context, collected, computed, engage_context, server_context
from streams.demo.people import User
from streams.demo.records import Produced, accepted, dead_lettered, skipped


class Moment(NamedTuple):
    """When a flawed record is made: timestamps as text; `long_ago` is 30 hours before now."""

    time: str
    received: str
    long_ago: str


Flaw = Callable[[User, Moment, Random], Produced]
Values = dict[str, Any]

_PLAN = {"type": "identify", "traits": {"plan": "premium"}}


def _plain(user: User, call: Values, moment: Moment, random: Random) -> Values:
    """A sound message of a server library, to be damaged."""
    return collected(user, call, server_context(random), moment.time, moment.received, random)


def _anonymous(user: User, moment: Moment, random: Random) -> Produced:
    event = _plain(user, _PLAN, moment, random)
    del event["userId"]
    return Produced(None, orjson.dumps(event), skipped("no_user_id"))


def _anonymous_member(user: User, moment: Moment, random: Random) -> Produced:
    call = {"type": "identify", "traits": {"newsletter_readers": True, "email": user.email}}
    context = engage_context("audience", "newsletter_readers")
    event = computed(user, call, context, moment.time, moment.received, random)
    event["userId"], event["anonymousId"] = None, user.anonymous_id
    return Produced(None, orjson.dumps(event), skipped("no_user_id"))


def _broken_json(user: User, moment: Moment, random: Random) -> Produced:
    value = orjson.dumps(_plain(user, _PLAN, moment, random))
    return Produced(user.key, value[: len(value) // 2], dead_lettered("invalid_json"))


def _tombstone(user: User, moment: Moment, random: Random) -> Produced:
    return Produced(user.key, None, skipped("tombstone"))


def _too_old(user: User, moment: Moment, random: Random) -> Produced:
    event = _plain(user, {"type": "track", "event": "Menu Opened", "properties": {}}, moment, random)
    event["timestamp"] = event["originalTimestamp"] = moment.long_ago
    return Produced(user.key, orjson.dumps(event), dead_lettered("event_too_old"))


def _with_user_id(user_id: str, reason: str) -> Flaw:
    def flaw(user: User, moment: Moment, random: Random) -> Produced:
        event = _plain(user, _PLAN, moment, random)
        event["userId"] = user_id
        return Produced(user_id.encode(), orjson.dumps(event), dead_lettered(reason))

    return flaw


def _with_integrations(integrations: Values) -> Flaw:
    def flaw(user: User, moment: Moment, random: Random) -> Produced:
        event = _plain(user, _PLAN, moment, random)
        event["integrations"] = integrations
        return Produced(user.key, orjson.dumps(event), skipped("filtered_by_integrations"))

    return flaw


def _other_call(call: Values) -> Flaw:
    """A call that the preset's trigger, `type = "identify" or type = "track"`, does not take."""

    def flaw(user: User, moment: Moment, random: Random) -> Produced:
        event = collected(user, call, browser_context(user, 0, random), moment.time, moment.received, random)
        return Produced(user.key, orjson.dumps(event), skipped("no_matching_mapping"))

    return flaw


def _lossy(traits: Values, attributes: Values, context: Values | None = None) -> Flaw:
    """An identify with one bad field: the field is lost, the others are delivered."""

    def flaw(user: User, moment: Moment, random: Random) -> Produced:
        event = _plain(user, {"type": "identify", "traits": traits}, moment, random)
        event["context"] |= context or {}
        # The standard library writes what orjson refuses to: NaN, and half a surrogate pair.
        return Produced(user.key, json.dumps(event).encode(), accepted(user.custom_id, attributes))

    return flaw


_SOUND = {"plan": "premium", "logins": 7}

FLAWS: tuple[Flaw, ...] = (
    _anonymous,
    _broken_json,
    _with_user_id("undefined", "junk_user_id"),
    _too_old,
    _with_integrations({"All": False}),
    _lossy({"address": {"street": "1 rue de la Paix", "city": "Paris"}} | _SOUND, _SOUND),
    _other_call({"type": "page", "name": "Sale", "properties": {"name": "Sale", "path": "/sale"}}),
    _tombstone,
    _with_user_id("", "blank_user_id"),
    _lossy({"email": "peter at example.com"} | _SOUND, _SOUND),
    _anonymous_member,
    _other_call(
        {"type": "group", "groupId": "acme", "traits": {"name": "ACME", "email": "team@example.com"}}
    ),
    _with_user_id("[object Object]", "junk_user_id"),
    _lossy({"score": float("nan")} | _SOUND, _SOUND),
    _with_integrations({"All": True, "Batch (Actions)": False}),
    _with_user_id("   ", "blank_user_id"),
    _lossy({"phone": "06 39 98 00 12"} | _SOUND, _SOUND),
    _lossy({"title": "Caf\ud83d"} | _SOUND, {"title": "Caf\ufffd"} | _SOUND),
    _other_call({"type": "screen", "name": "Basket", "properties": {}}),
    _lossy({"email_marketing": "yes please"} | _SOUND, _SOUND),
    _with_user_id("NULL", "junk_user_id"),
    _lossy(_SOUND, _SOUND, {"timezone": "Mars/Olympus_Mons"}),
    _with_integrations({"Batch (Actions)": False, "Kafka": True}),
    _lossy({"description": "long " * 61} | _SOUND, _SOUND),
    _lossy({"Plan": "free"} | _SOUND, _SOUND),
    _lossy({"favorite_categories": ["shoes", 7]} | _SOUND, _SOUND),
    _lossy({"favorite_categories": [f"category {number}" for number in range(26)]} | _SOUND, _SOUND),
    _lossy({"!!!": "nothing is left of this name"} | _SOUND, _SOUND),
)
