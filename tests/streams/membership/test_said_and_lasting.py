"""What an event says of an audience, and which of several words is the last."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams.membership.lasting import OfAudience, OfUser, Place
from streams.membership.said import Said, said_by

NOON = 1_767_268_800_000


def engage(member: Any, *, kind: str = "identify", user: Any = "user-1", **context: Any) -> bytes:
    personas = {"computation_class": "audience", "computation_key": "vip", **context}
    event = {
        "type": kind,
        "userId": user,
        "timestamp": "2026-01-01T12:00:00Z",
        "context": {"personas": personas},
        "properties" if kind == "track" else "traits": {"vip": member},
    }
    return json.dumps(event).encode()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (engage(True), Said("user-1", "vip", True, NOON)),
        (engage(False, kind="track"), Said("user-1", "vip", False, NOON)),
        (engage("true", computation_class="journey_step"), Said("user-1", "vip", True, NOON)),
        (engage(True, user=48213), Said("48213", "vip", True, NOON)),
        (engage(True, user=None), Said(None, "vip", True, NOON)),
        (engage(True, user="null"), Said(None, "vip", True, NOON)),
        (engage(450.5), None),
        (engage(True, computation_class="trait"), None),
        (b'{"type":"identify","userId":"user-1","traits":{"vip":true}}', None),
        (b'{"context":{"personas":1}}', None),
        (b'{"personas"', None),
        (None, None),
    ],
)
def test_what_an_event_says(value: bytes | None, said: Said | None) -> None:
    assert said_by(value) == said


def place(partition: int, offset: int, appended_ms: int = 0) -> Place:
    return Place("events", partition, offset, appended_ms)


def word(member: bool, at_ms: int | None, user: str | None = "user-1") -> Said:
    return Said(user, "vip", member, at_ms)


def test_within_a_partition_the_later_record_counts() -> None:
    found = OfUser()
    found.add(word(True, 2000), place(0, 1), None)
    found.add(word(False, 1000), place(0, 2), "filtered_by_integrations")

    last = found.last["vip"]
    assert (last.member, last.at_ms, last.not_delivered) == (False, 1000, "filtered_by_integrations")
    assert found.messages == {"vip": 2}


def test_between_partitions_the_later_event_counts() -> None:
    of_user, of_audience = OfUser(), OfAudience()
    for said, where in ((word(True, 2000), place(0, 1)), (word(False, 1000), place(1, 1))):
        of_user.add(said, where, None)
        of_audience.add(said, where, None)

    assert of_user.last["vip"].member is True
    assert (of_audience.members(), of_audience.left()) == (1, 0)


def test_an_audience_counts_users_by_the_last_word_of_each() -> None:
    found = OfAudience()
    found.add(word(True, 1000, "a"), place(0, 0), None)
    found.add(word(True, 2000, "b"), place(0, 1), None)
    found.add(word(False, 3000, "b"), place(0, 2), "no_such_thing")
    found.add(word(True, 9000, "a"), place(0, 3), None)
    found.add(word(True, 9500, None), place(0, 4), "no_user_id")

    assert (found.members(), found.left(), found.messages, found.without_user) == (1, 1, 5, 1)
    assert found.changed_ms == 3000, "at 9000 nothing changed"
    assert found.not_delivered == {"no_such_thing": 1}


def test_an_event_without_a_time_has_that_of_its_record() -> None:
    found = OfAudience()
    found.add(word(True, None), place(0, 0, 5000), None)

    assert found.changed_ms == 5000
