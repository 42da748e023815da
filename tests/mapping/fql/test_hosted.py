"""Where Segment's hosted trigger evaluator decides otherwise, as `segbatch check` reports it.

What it decides is observed: each row was run through Segment's package (npm, @segment/destination-subscriptions
3.37.0), as were some hundred thousand generated triggers, none of which differed without being reported.
"""

from __future__ import annotations

from typing import Any

import pytest

from mapping.fql import HostedDifference, compile_trigger

TRACK: dict[str, Any] = {"type": "track", "event": "a", "properties": {}}

DECIDED_OTHERWISE: list[tuple[str, dict[str, Any], bool, str]] = [
    # trigger, event, what the hosted evaluator decides, a part of what is said of it
    ('event = "a" or event = "b" and type = "page"', TRACK, False, "the last of them counts for all"),
    ('(type = "track" and (event = "a" or event = "b"))', TRACK, False, "one level of parentheses"),
    ('((type = "track"))', TRACK, False, "one level of parentheses"),
    ('type = "page" and (contains(event, "a") or event = "b")', TRACK, True, "at its first )"),
    ("type = 'track'", TRACK, False, "the single quotes"),
    ("type != 'track'", TRACK, True, "the single quotes"),
    ("event != null", {"type": "page"}, True, "always true"),
    ("event = null", {"type": "page"}, False, "always false"),
    ("type != null", {}, True, "always true"),
    ("properties.n != 5", TRACK, False, "missing or no number"),
    ("properties.n != 5", {"properties": {"n": "5"}}, False, "missing or no number"),
    ("properties.paid != true", {"properties": {"paid": True}}, True, 'the text "true"'),
    ("userId = 5", {"userId": "5"}, True, 'the text "5"'),
    ("event = 5", {"event": "5"}, True, 'the text "5"'),
    ("userId != true", {"userId": True}, True, 'the text "true"'),
    ('properties.n > "99"', {"properties": {"n": 100}}, True, "as a number"),
    ("properties.n>99", {"properties": {"n": 100}}, False, "a space is missing at >"),
    ("properties.n >=99", {"properties": {"n": 100}}, False, "never true"),
    ('type !="page"', TRACK, False, "a space is missing at !="),
    ("properties.n = 1e2", {"properties": {"n": 100}}, False, "reads 1"),
    ("properties.n = 1.5e2", {"properties": {"n": 1.5}}, True, "reads 1.5"),
    ('!type = "page"', TRACK, False, "passes over this !"),
    ('!(type = "page")', TRACK, False, "passes over this !"),
    ("!properties.paid", TRACK, False, "passes over this !"),
    ('!contains(properties.x, "a")', TRACK, False, "missing or no text"),
    ('!match(properties.x, "a*")', TRACK, False, "missing or no text"),
    ('type in ["track"]', TRACK, False, "does not know in"),
    ("properties.paid", {"properties": {"paid": True}}, False, "by itself"),
    ('"track" = type', TRACK, False, "in this order"),
    ("properties.a = properties.b", {"properties": {"a": 1, "b": 1}}, False, 'the text "properties.b"'),
    ("length(event) = 1", TRACK, False, "does not know length()"),
    ('lowercase(event) = "a"', TRACK, False, "does not know lowercase()"),
    ("bool(properties.paid)", {"properties": {"paid": True}}, False, "does not know bool()"),
    ('anonymousId = "a" or type = "page"', {"anonymousId": "a"}, False, "does not know anonymousId"),
    ('messageId != "m" and type = "track"', {"messageId": "m", **TRACK}, True, "does not know messageId"),
    ('groupId = "g" and type = "track"', {"groupId": "h", **TRACK}, True, "does not know groupId"),
    ('integrations.All = false and type = "track"', {"integrations": {"All": True}, **TRACK}, True, "integrations"),
    ('match(event, "a*b*")', {"event": "a-b-"}, False, 'starts with "a*b"'),
    ('match(event, "*a*")', {"event": "bac"}, False, 'starts with "*a"'),
    ('match(event, "Order")', {"event": "My rder"}, True, 'ends with "rder"'),
    ('match(event, "a?")', {"event": "ab"}, False, 'ends with "?"'),
    ('match(event, "[ab]*")', {"event": "b"}, False, 'starts with "[ab]"'),
    ('contains(type, "rack") and event = "a"', {"type": "page", "event": "a"}, True, "contains() of type"),
    ('contains(lowercase(event), "a")', {"event": "A"}, False, "only contains(field, text)"),
    (r'event = "say \"hi\""', {"event": 'say "hi"'}, False, "the backslash"),
    (r'event = "C:\\temp"', {"event": "C:\\temp"}, False, "the backslash"),
    ('properties.0 = "a"', {"properties": {"0": "a"}}, False, "cannot read the name"),
    ('properties.été = "a"', {"properties": {"été": "a"}}, False, "cannot read the trigger"),
    ('properties.or = "a"', {"properties": {"or": "a"}}, False, "cannot read the name"),
    (r'properties.a\.b = "a"', {"properties": {"a.b": "a"}}, False, "splits the name"),
    (r'properties.a\[0\] = "a"', {"properties": {"a[0]": "a"}}, False, "splits the name"),
    ("properties != null", {"properties": {"a": 1}}, False, "reads properties.properties"),
    ("type.kind = null", {"type": "track"}, False, "reads type"),
    ('properties.list = ["a"]', {"properties": {"list": ["a"]}}, False, "in this order"),
    ('type = "track"\r\n', TRACK, False, "cannot read"),
]  # fmt: skip

AS_SEGMENTS_PAGES_WRITE_THEM = [
    'type = "track"',
    'type = "identify" or type = "track"',
    'type = "track" and event = "Order Completed"',
    'type = "track" and event != "Order Completed"',
    '(type = "track" and event = "a") or (type = "identify" and traits.plan = "b")',
    '(contains(event, "a") or contains(event, "b")) or type = "track"',
    "properties.price = 5",
    "properties.price > 99.5",
    "properties.price <= -5",
    "properties.paid = true",
    "properties.paid = false",
    "properties.coupon = null",
    "context.campaign.name != null",
    "userId != null",
    "userId = true",
    "name = null",
    'contains(event, "Order")',
    'contains(properties.sku, "a")',
    'match(event, "Order*")',
    'match(event, "*Completed")',
    'match(event, "*")',
    r'properties.product\ 1.price = "19.99"',
    'traits.first-name = "a"',
    'type = "track"\n  and event = "a"',
]


@pytest.mark.parametrize(("expression", "event", "hosted", "told"), DECIDED_OTHERWISE)
def test_what_the_hosted_evaluator_decides_otherwise_is_reported(
    expression: str, event: dict[str, Any], hosted: bool, told: str
) -> None:
    trigger = compile_trigger(expression)

    assert trigger.matches(event) is not hosted
    assert any(told in difference.hosted for difference in trigger.hosted_differences)
    for difference in trigger.hosted_differences:
        assert difference.ours
        assert difference.expression in expression or difference.expression == "(carriage return)"


@pytest.mark.parametrize("expression", AS_SEGMENTS_PAGES_WRITE_THEM)
def test_of_a_trigger_that_is_read_alike_nothing_is_reported(expression: str) -> None:
    assert compile_trigger(expression).hosted_differences == ()


def test_a_difference_names_the_part_of_the_trigger() -> None:
    trigger = compile_trigger('type = "track" and (event = "a" or !contains(properties.tag, "b"))')

    assert trigger.hosted_differences == (
        HostedDifference(
            '!contains(properties.tag, "b")',
            "false if properties.tag is missing or no text",
            "true then: contains() is false",
        ),
    )
