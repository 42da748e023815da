"""Segment's `integrations` object, type and the order of the checks."""

from typing import Any

import pytest

from mapping.profile import ProfileUpdate, Rejected, Skipped
from tests.mapping.builders import identify, mapped

BATCH = "Batch (Actions)"


@pytest.mark.parametrize(
    ("integrations", "sent"),
    [
        ({}, True),
        (None, True),
        ("none", True),
        ([], True),
        ({"All": True}, True),
        ({"All": False}, False),
        ({"All": None}, True),
        ({"All": "false"}, True),
        ({BATCH: True}, True),
        ({BATCH: False}, False),
        ({"Kafka": False}, False),
        ({"All": False, BATCH: True}, True),
        ({"All": False, "Kafka": True}, True),
        ({"All": False, BATCH: {}}, True),
        ({"All": False, BATCH: None}, True),
        ({"All": False, BATCH: 0}, True),
        ({"All": True, BATCH: False}, False),
        ({BATCH: True, "Kafka": False}, True),
        ({BATCH: False, "Kafka": True}, False),
        ({"All": False, "batch (actions)": True}, False),
        ({"All": False, "Warehouses": {"all": False}, "Kafka": True}, True),
    ],
)
def test_the_first_name_present_decides_and_all_only_without_one(integrations: Any, sent: bool) -> None:
    result = mapped(identify({"a": 1}, integrations=integrations))
    assert isinstance(result, ProfileUpdate) == sent
    if not sent:
        assert result == Skipped("filtered_by_integrations")


def test_the_names_are_a_setting() -> None:
    event = identify({"a": 1}, integrations={"All": False, "My Kafka": True})
    assert mapped(event) == Skipped("filtered_by_integrations")
    assert isinstance(mapped(event, integrations_names=("My Kafka",)), ProfileUpdate)


def test_integrations_in_the_context_do_not_count() -> None:
    event = identify({"a": 1}, context={"integrations": {"All": False}})
    assert isinstance(mapped(event), ProfileUpdate)


@pytest.mark.parametrize(
    "kind", ["page", "screen", "group", "alias", "delete", "Identify", "", None, 1, ["track"]]
)
def test_other_types_match_no_mapping(kind: Any) -> None:
    assert mapped(identify({"a": 1}, type=kind)) == Skipped("no_matching_mapping")


def test_integrations_come_before_the_type_and_the_type_before_the_id() -> None:
    event = identify({}, type="page", userId="", integrations={"All": False})
    assert mapped(event) == Skipped("filtered_by_integrations")
    event["integrations"] = {}
    assert mapped(event) == Skipped("no_matching_mapping")
    event["type"] = "identify"
    result = mapped(event)
    assert isinstance(result, Rejected)
    assert result.reason == "blank_user_id"
