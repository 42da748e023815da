"""Any text is a trigger or an FqlError; any trigger decides on any event, as the plain model says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.fql import FqlError, Trigger, compile_trigger
from tests.mapping.fql.model import meaning
from tests.mapping.fql.strategies import almost_expressions, events, expressions, values


def compiled(text: str) -> Trigger | None:
    try:
        return compile_trigger(text)
    except FqlError as error:
        told = error
    assert told.message
    assert 1 <= told.line <= text.count("\n") + 1
    assert 1 <= told.column <= max(map(len, text.split("\n"))) + 1
    assert str(told).startswith(f"line {told.line}, column {told.column}: {told.message}")
    return None


def assert_decides_as_the_model(trigger: Trigger, event: Any) -> None:
    result = trigger.matches(event)
    assert result is meaning(trigger.expression, event)
    if result and trigger.types is not None:
        assert event.get("type") in trigger.types
    if trigger.asks_types_only and event.get("type") in (trigger.types or ()):
        assert result
    decision = trigger.explain(event)
    assert decision.result is result
    assert str(decision).startswith("true" if result else "false")


def assert_decides_or_is_refused(text: str, event: dict[str, Any]) -> None:
    trigger = compiled(text)
    if trigger is not None:
        assert_decides_as_the_model(trigger, event)
        for difference in trigger.hosted_differences:
            assert difference.expression in text or difference.expression == "(carriage return)"


@given(st.text(st.characters(), max_size=40))
def test_any_text_is_a_trigger_or_an_error(text: str) -> None:
    assert_decides_or_is_refused(text, {})


@given(almost_expressions, events)
def test_what_is_almost_an_expression_is_a_trigger_or_an_error(text: str, event: dict[str, Any]) -> None:
    assert_decides_or_is_refused(text, event)


@given(expressions, events)
def test_a_trigger_decides_on_any_event_as_the_model_does(text: str, event: dict[str, Any]) -> None:
    assert_decides_or_is_refused(text, event)


@pytest.mark.slow
@settings(max_examples=100_000)
@given(expressions | almost_expressions | st.text(st.characters(), max_size=40), events)
def test_any_text_and_any_event_at_length(text: str, event: dict[str, Any]) -> None:
    assert_decides_or_is_refused(text, event)


@given(st.text(st.sampled_from("ab*?[]^-\\"), max_size=8), st.text(st.sampled_from("ab*[]"), max_size=8))
def test_any_glob_is_read_or_refused(pattern: str, text: str) -> None:
    dynamic = compile_trigger("match(event, name)").matches({"event": text, "name": pattern})
    written = pattern.replace("\\", "\\\\")
    trigger = compiled(f'match(event, "{written}")')

    assert dynamic is (trigger is not None and trigger.matches({"event": text}))


@given(st.text(st.sampled_from("ab*"), max_size=8), st.text(st.sampled_from("ab"), max_size=8))
def test_stars_fit_as_in_the_plain_definition(pattern: str, text: str) -> None:
    def fits(pattern: str, text: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return any(fits(pattern[1:], text[skipped:]) for skipped in range(len(text) + 1))
        return text[:1] == pattern[0] and fits(pattern[1:], text[1:])

    assert compile_trigger("match(event, name)").matches({"event": text, "name": pattern}) is fits(
        pattern, text
    )


@given(values, values)
def test_equality_is_the_models(left: Any, right: Any) -> None:
    event = {"properties": {"a": left, "b": right}}

    for expression in (
        "properties.a = properties.b",
        "properties.a != properties.b",
        "properties.a in properties.b",
    ):
        assert_decides_as_the_model(compile_trigger(expression), event)
