"""What is wrong with a template is found when it is compiled, all of it, wherever it stands."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pytest

from mapping.directives import TemplateError, compile_template
from tests.mapping.directives.applying import failure_of, problem_of, problems_of


def nested(depth: int, key: str = "a") -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {key: value}
    return value


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("@pth", "Did you mean @path?"),
        ("@PATH", "Did you mean @path?"),
        ("@arraypath", "Did you mean @arrayPath?"),
        ("@excludeWhenNul", "Did you mean @excludeWhenNull?"),
        ("@coalesce", "Write @if with exists, then and else."),
    ],
)
def test_an_unknown_directive(name: str, suggestion: str) -> None:
    problem = problem_of({"a": {name: "x"}})
    assert (problem.path, problem.message, problem.suggestion) == (
        f"mapping.a.{name}",
        "is not a directive",
        suggestion,
    )


def test_a_directive_like_no_other_gets_the_list() -> None:
    suggestion = problem_of({"@zzzz": 1}).suggestion
    for name in (
        "@path",
        "@template",
        "@literal",
        "@if",
        "@case",
        "@replace",
        "@arrayPath",
        "@flatten",
        "@json",
    ):
        assert name in suggestion
    for name in ("@merge", "@transform", "@excludeWhenNull", "@liquid"):
        assert name in suggestion


def test_two_directives_in_one_object() -> None:
    assert problem_of({"a": {"@path": "x", "@template": "y"}}).message == "has 2 directives: @path, @template"


def test_a_directive_beside_other_keys() -> None:
    problem = problem_of({"a": {"@path": "x", "plan": "y"}})
    assert (problem.path, problem.message) == ("mapping.a", "has @path beside plan")


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ([{"@pth": 1}], "mapping[0].@pth"),
        ({"a": [[{"@pth": 1}]]}, "mapping.a[0][0].@pth"),
        ({"@literal": {"a": {"@pth": 1}}}, "mapping.@literal.a.@pth"),
        ({"@excludeWhenNull": {"a": {"@pth": 1}}}, "mapping.@excludeWhenNull.a.@pth"),
        ({"@if": {"exists": "x", "then": {"a": {"@pth": 1}}}}, "mapping.@if.then.a.@pth"),
        ({"@if": {"exists": "x", "else": {"@pth": 1}}}, "mapping.@if.else.@pth"),
        ({"@arrayPath": ["$.a", {"b": {"@pth": 1}}]}, "mapping.@arrayPath[1].b.@pth"),
        ({"@path": {"@pth": 1}}, "mapping.@path.@pth"),
        ({"a.b": {"@pth": 1}}, "mapping['a.b'].@pth"),
    ],
)
def test_problems_are_found_at_every_depth(template: Any, path: str) -> None:
    assert problem_of(template).path == path


def test_all_problems_are_told_at_once() -> None:
    template = {
        "identifiers": {"custom_id": {"@path": 5}},
        "profileAttributes": {
            "email": {"@if": {"then": 1}},
            "plan": {"@case": {"operator": "title", "value": 1}},
        },
        "eventName": {"@tempate": "x"},
    }
    assert [problem.path for problem in problems_of(template)] == [
        "mapping.identifiers.custom_id.@path",
        "mapping.profileAttributes.email.@if",
        "mapping.profileAttributes.plan.@case.operator",
        "mapping.profileAttributes.plan.@case.value",
        "mapping.eventName.@tempate",
    ]
    with pytest.raises(TemplateError) as caught:
        compile_template(template)
    assert len(str(caught.value).splitlines()) == 5


def test_the_path_begins_as_the_caller_says() -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template({"a": {"@pth": 1}}, "mappings[2].mapping")
    assert caught.value.problems[0].path == "mappings[2].mapping.a.@pth"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ({"a": date(2026, 1, 1)}, "is a date, which JSON does not have"),
        ({"a": b"x"}, "is a bytes, which JSON does not have"),
        ({"a": math.nan}, "is not a finite number, which JSON does not have"),
        ({"a": math.inf}, "is not a finite number, which JSON does not have"),
        ({1: "x"}, "has a number as its name"),
    ],
)
def test_what_json_does_not_have(template: Any, message: str) -> None:
    assert problem_of(template).message == message


@pytest.mark.parametrize("name", ["@if", "@case", "@replace", "@flatten", "@json", "@merge", "@transform"])
@pytest.mark.parametrize("argument", ["x", 1, None, [], {"@path": "$.a"}])
def test_directives_with_arguments_want_an_object_of_them(name: str, argument: Any) -> None:
    assert problem_of({name: argument}).path == f"mapping.{name}"


@pytest.mark.parametrize("key", ["a", "@literal", "@excludeWhenNull", "@path", "@template"])
def test_a_template_nested_ten_thousand_deep(key: str) -> None:
    assert problem_of(nested(10_000, key)).message == "is nested more than 100 levels deep"


def test_a_template_of_arrays_nested_ten_thousand_deep() -> None:
    template: Any = 1
    for _ in range(10_000):
        template = [template]
    assert problem_of(template).message == "is nested more than 100 levels deep"


@pytest.mark.parametrize("side", ["exists", "then", "else"])
def test_an_if_nested_ten_thousand_deep(side: str) -> None:
    template: Any = "x"
    for _ in range(10_000):
        template = {"@if": {"exists": "x", side: template}}
    assert problem_of(template).message == "is nested more than 100 levels deep"


def test_two_equal_deep_branches() -> None:
    deep = nested(10_000)
    assert len(problems_of({"@if": {"exists": deep, "then": nested(10_000)}})) == 2


@pytest.mark.parametrize(
    "template",
    [
        {"@json": {"mode": "encode", "value": {"@path": "$.deep"}}},
        {"@flatten": {"value": {"@path": "$.deep"}, "separator": "_"}},
        {"@excludeWhenNull": {"@path": "$.deep"}},
        {"@liquid": "{{ deep | json }}"},
    ],
)
def test_an_event_nested_ten_thousand_deep_fails_for_itself_only(template: Any) -> None:
    failure = failure_of(template, {"deep": nested(10_000)})
    assert failure.directive == "template"
    assert failure.detail == "meets an event that is nested too deeply"


def test_an_event_nested_ten_thousand_deep_passes_where_nobody_looks_inside() -> None:
    deep = nested(10_000)
    assert compile_template({"a": {"@path": "$.deep"}}).resolve({"deep": deep})["a"] is deep


def test_arrays_nested_ten_thousand_deep_have_no_text() -> None:
    deep: Any = []
    for _ in range(10_000):
        deep = [deep]
    for template in (
        {"@template": "{{deep}}"},
        {"@if": {"blank": {"@path": "$.deep"}}},
        {"@liquid": "{{deep}}"},
    ):
        assert failure_of(template, {"deep": deep}).directive == "template"


def test_json_text_nested_ten_thousand_deep_fails() -> None:
    text = "[" * 10_000 + "]" * 10_000
    failure = failure_of({"@json": {"mode": "decode", "value": {"@path": "$.t"}}}, {"t": text})
    assert failure.directive == "template"


def test_a_failure_tells_nothing_of_the_event() -> None:
    failure = failure_of({"@path": {"@path": "$.secret"}}, {"secret": ["hunter2"]})
    assert "hunter2" not in str(failure) + repr(failure)
