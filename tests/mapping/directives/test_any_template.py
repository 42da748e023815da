"""Whatever stands in a mapping, and whatever event comes: nothing but the documented errors, and nothing changed."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.directives import (
    UNDEFINED,
    DirectiveFailed,
    Template,
    TemplateError,
    compile_template,
    suspicions,
)
from mapping.directives.text import json_text
from mapping.numbers import DigitsLost

keys = st.sampled_from(["a", "b", "traits", "properties", "0", "length", "", "a.b"]) | st.text(max_size=4)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["$.a", "{{a}}", "", 0, 1e300, 2**70, -0.0, "2026-03-02T09:14:07.512Z"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
events = st.dictionaries(keys, values, max_size=5)

paths = st.builds(
    "".join, st.lists(st.sampled_from(["$.", ".", "a", "b", "traits", "[0]", "['b']", "0", "$"]), max_size=5)
)
texts = st.builds(
    "".join,
    st.lists(st.sampled_from(["{{", "}}", "{", "}", "a", ".b", " ", "{{a}}", "{{{b}}}", "$."]), max_size=8),
)
liquids = st.builds(
    "".join,
    st.lists(
        st.sampled_from(
            [
                "{{ a }}", "{{ a.b | upcase }}", "{{ traits | json }}", "{{ a | date: '%Y' }}", "{{ b | plus: a }}",
                "{{ a | split: b | join: traits }}", "{{ a | slice: b, 2 }}", "{{ a | round: b }}", "{% if a > b %}x",
                "{% if a contains b %}", "{% else %}", "{% endif %}", "{% assign a = b %}", "{{ a | sort }}", "{{",
                "{{ a | replace: b, a }}", "{{ a | truncate: b }}", "{{ a | divided_by: b }}", "{{ a | where: b }}",
                "{{ a | base64_decode }}", "{{ a | date: b, traits }}", "{{ (a..b) | join }}", "{{ a | default: b }}",
            ]
        ),
        max_size=4,
    ),
)  # fmt: skip


def directives(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Directives with good arguments, as a rule, around inner templates."""

    def arguments(name: str, **named: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.fixed_dictionaries({name: st.fixed_dictionaries({}, optional=named)})

    text_or_inner = st.text(max_size=5) | inner
    return st.one_of(
        st.fixed_dictionaries({"@path": paths | inner}),
        st.fixed_dictionaries({"@template": texts | inner}),
        st.fixed_dictionaries({"@literal": inner}),
        st.fixed_dictionaries({"@excludeWhenNull": inner}),
        st.fixed_dictionaries({"@liquid": liquids}),
        st.fixed_dictionaries({"@arrayPath": st.tuples(paths | inner, inner).map(list)}),
        arguments("@if", exists=inner, blank=inner, then=inner, **{"else": inner}),
        arguments("@case", operator=st.sampled_from(["lower", "upper", "x"]), value=text_or_inner),
        arguments(
            "@replace",
            pattern=st.sampled_from(["a", "A", ".", "{{", "é", ""]),
            replacement=st.sampled_from(["", "$&", "$$", "b"]),
            value=text_or_inner,
            ignorecase=st.booleans(),
            **{"global": st.booleans()},
        ),
        arguments(
            "@flatten", value=inner, separator=st.sampled_from([".", "_", ""]), omitArrays=st.booleans()
        ),
        arguments("@json", mode=st.sampled_from(["encode", "decode", "Encode"]), value=inner),
        arguments(
            "@merge", objects=st.lists(inner, max_size=3), direction=st.sampled_from(["left", "right"])
        ),
        arguments("@transform", apply=inner, mapping=inner),
    )


templates = st.recursive(
    scalars | st.fixed_dictionaries({"@path": paths}) | st.fixed_dictionaries({"@template": texts}),
    lambda inner: (
        directives(inner)
        | directives(inner)
        | st.lists(inner, max_size=3)
        | st.dictionaries(
            keys | st.sampled_from(["@path", "@pth", "_metadata", "__segment_internal_directive"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


def assert_resolves_or_is_refused(template: Any, event: dict[str, Any]) -> None:
    before = repr((template, event))
    try:
        compiled = compile_template(template)
    except TemplateError as error:
        assert_problems_are_told(error)
    else:
        assert_resolves_the_same(compiled, event)
        for suspicion in suspicions(template) if isinstance(template, dict) else ():
            assert str(suspicion).startswith("mapping")
    assert repr((template, event)) == before


def assert_problems_are_told(error: TemplateError) -> None:
    assert error.problems
    for problem in error.problems:
        assert problem.path.startswith("mapping")
        assert problem.message
        assert problem.suggestion.endswith((".", "?"))


def assert_resolves_the_same(compiled: Template, event: dict[str, Any]) -> None:
    try:
        result = compiled.resolve(event)
        again = compiled.resolve(copy.deepcopy(event))
    except (DirectiveFailed, DigitsLost):
        result = again = UNDEFINED
    assert repr(result) == repr(again)
    if result is not UNDEFINED:
        assert_is_json(result)
        narrowed = compiled.resolve(
            {key: value for key, value in event.items() if reads(compiled.paths, key)}
        )
        assert repr(narrowed) == repr(result)


def reads(paths: frozenset[str] | None, key: str) -> bool:
    return paths is None or key in paths


def assert_is_json(value: Any) -> None:
    """No UNDEFINED anywhere; JSON can be written, unless digits were lost."""
    if isinstance(value, dict):
        for key, member in value.items():
            assert isinstance(key, str)
            assert_is_json(member)
    elif isinstance(value, list):
        for item in value:
            assert_is_json(item)
    else:
        assert value is None or isinstance(value, str | int | float)
        try:
            json_text(value)
        except DigitsLost:
            assert abs(value) >= 2**63


@given(templates, events)
def test_any_template_and_any_event(template: Any, event: dict[str, Any]) -> None:
    assert_resolves_or_is_refused(template, event)


@given(values, events)
def test_any_json_is_a_template_or_has_problems(template: Any, event: dict[str, Any]) -> None:
    assert_resolves_or_is_refused(template, event)


@given(st.lists(paths, min_size=1, max_size=5), events)
def test_a_path_gives_the_same_alone_and_among_others(wanted: list[str], event: dict[str, Any]) -> None:
    alone = [compile_template({"@path": path}).resolve(event) for path in wanted]
    together = compile_template({str(index): {"@path": path} for index, path in enumerate(wanted)})
    expected = {str(index): value for index, value in enumerate(alone) if value is not UNDEFINED}
    assert repr(together.resolve(event)) == repr(expected)
    chosen = compile_template(
        {"@if": {"exists": {"@path": wanted[0]}, "then": {"@path": wanted[-1]}, "else": "none"}}
    )
    found = alone[0] is not None and alone[0] is not UNDEFINED
    assert repr(chosen.resolve(event)) == repr(alone[-1] if found else "none")


@pytest.mark.slow
@settings(max_examples=100_000)
@given(templates, events)
def test_any_template_and_any_event_at_length(template: Any, event: dict[str, Any]) -> None:
    assert_resolves_or_is_refused(template, event)
