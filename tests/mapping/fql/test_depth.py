"""Expressions, events, texts and patterns beyond all measure."""

from __future__ import annotations

from typing import Any

import pytest

from mapping.fql import FqlError, compile_trigger
from mapping.fql.grammar import DEPTH_LIMIT


def deep_list(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def deep_object(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 10_000 + 'type = "track"' + ")" * 10_000,
        "(" * 10_000,
        "!" * 10_000 + "true",
        "!(" * 10_000 + "true" + ")" * 10_000,
        "[" * 10_000,
        "length(" * 10_000 + "event" + ")" * 10_000 + " > 0",
        "(true and " * 500 + "true" + ")" * 500,
        "!" * 500 + "true",
    ],
    ids=range(8),
)
def test_an_expression_nested_too_deeply_is_refused(expression: str) -> None:
    with pytest.raises(FqlError):
        compile_trigger(expression)


def test_parentheses_that_change_nothing_may_be_many() -> None:
    assert compile_trigger("(" * 900 + 'type = "track"' + ")" * 900).matches({"type": "track"})


def test_an_expression_may_be_as_deep_as_the_limit() -> None:
    levels = DEPTH_LIMIT // 2 - 1
    trigger = compile_trigger(
        "(true and (false or " * (levels // 2) + 'type = "track"' + "))" * (levels // 2)
    )

    assert trigger.matches({"type": "track"}) is True
    assert trigger.explain({"type": "page"}).result is False
    assert trigger.types == {"track"}


def test_an_expression_may_be_long() -> None:
    trigger = compile_trigger(" or ".join(f'event = "Event {number}"' for number in range(5_000)))

    assert trigger.matches({"event": "Event 4999"}) is True
    assert trigger.matches({"event": "Event 5000"}) is False


@pytest.mark.parametrize("deep", [deep_list, deep_object], ids=["list", "object"])
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("properties.a = properties.b", True),
        ("properties.a != properties.b", False),
        ("properties.a in [properties.b]", True),
        ("bool(properties.a)", True),
        ("string(properties.a) = null", True),
        ('contains(string(properties.a), "a")', False),
        ("properties.a.a.a != null or properties.a.0.0 != null", True),
        ("length(properties.a) = 5", False),
    ],
)
def test_an_event_may_be_nested_as_deep_as_it_likes(deep: Any, expression: str, expected: bool) -> None:
    event = {"properties": {"a": deep(50_000), "b": deep(50_000)}}
    trigger = compile_trigger(expression)

    assert trigger.matches(event) is expected
    assert "nested too deeply to be shown" in str(trigger.explain(event)) or not expected


def test_a_pattern_with_many_stars_does_not_take_for_ever() -> None:
    trigger = compile_trigger(f'match(event, "{"*a" * 300}*b")')

    assert trigger.matches({"event": "a" * 20_000}) is False
    assert trigger.matches({"event": "a" * 20_000 + "b"}) is True


def test_a_pattern_of_the_event_may_be_long_but_not_beyond_measure() -> None:
    trigger = compile_trigger("match(event, name)")

    assert trigger.matches({"event": "a" * 5_000, "name": "a" * 5_000}) is True
    assert trigger.matches({"event": "a" * 50_000, "name": "a" * 50_000}) is False


def test_numbers_may_have_any_number_of_digits() -> None:
    assert compile_trigger("properties.n < " + "9" * 5_000).matches({"properties": {"n": 10**300}}) is True
    assert compile_trigger("properties.n < 1e999").matches({"properties": {"n": 10**300}}) is True
    assert compile_trigger("number(properties.n) = null").matches({"properties": {"n": "9" * 5_000}}) is True


def test_half_of_a_surrogate_pair_is_a_character() -> None:
    event = {"event": "\ud83d", "properties": {"list": ["\ud83d"]}}

    assert compile_trigger("length(event) = 3 and lowercase(event) = event").matches(event) is True
    assert compile_trigger('contains(string(properties.list), "[")').matches(event) is True
    assert compile_trigger("event = null").explain(event).result is False
