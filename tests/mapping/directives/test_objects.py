"""`@if`, `@merge`, `@flatten`, `@arrayPath`, `@transform`, `@excludeWhenNull`, `@literal`, and plain templates."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mapping.directives import UNDEFINED, compile_template
from tests.mapping.directives.applying import EVENT, failure_of, problem_of, problems_of, resolve

MISSING = {"@path": "$.missing"}
NULL = {"@path": "$.traits.nothing"}
EMAIL = {"@path": "$.traits.email"}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ({"a": 1, "b": [True, None, "x"], "c": {}}, {"a": 1, "b": [True, None, "x"], "c": {}}),
        ({"a": {"b": MISSING}, "c": NULL}, {"a": {}, "c": None}),
        ({"a": [MISSING, NULL, 1]}, {"a": [None, None, 1]}),
        ([{"a": MISSING}], [{}]),
        ({"a.b": EMAIL}, {"a.b": "Lea@Example.com"}),
        ({"text": "{{userId}} $.userId"}, {"text": "{{userId}} $.userId"}),
        (MISSING, UNDEFINED),
        ("text", "text"),
        (5, 5),
        (None, None),
    ],
)
def test_what_is_no_directive_stays_as_it_is(template: Any, value: Any) -> None:
    assert resolve(template) == value


def test_the_interface_metadata_beside_a_directive_means_nothing() -> None:
    assert resolve({"@path": "$.userId", "_metadata": {"label": "User"}}) == "user-1"


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ({"exists": EMAIL, "then": EMAIL, "else": "none"}, "Lea@Example.com"),
        ({"exists": NULL, "then": NULL, "else": "none"}, "none"),
        ({"exists": MISSING, "then": 1, "else": 2}, 2),
        ({"exists": {"@path": "$.traits.empty"}, "then": 1, "else": 2}, 1),
        ({"exists": {"@path": "$.traits.zero"}, "then": 1, "else": 2}, 1),
        ({"exists": EMAIL, "then": False}, False),
        ({"exists": EMAIL, "then": None, "else": 1}, None),
        ({"exists": EMAIL, "else": 1}, UNDEFINED),
        ({"exists": MISSING, "then": 1}, UNDEFINED),
        ({"exists": EMAIL}, UNDEFINED),
        ({"exists": "x", "then": {"email": EMAIL, "x": MISSING}}, {"email": "Lea@Example.com"}),
        ({"blank": EMAIL, "then": 1, "else": 2}, 1),
        ({"blank": MISSING, "then": 1, "else": 2}, 2),
        ({"blank": NULL, "then": 1, "else": 2}, 2),
        ({"exists": EMAIL, "blank": MISSING, "then": 1, "else": 2}, 1),
        ({"exists": None, "blank": EMAIL, "then": 1, "else": 2}, 2),
        ({"exists": {}, "then": 1}, 1),
    ],
)
def test_if(arguments: Any, value: Any) -> None:
    assert resolve({"@if": arguments}) == value


def test_only_the_branch_that_counts_can_fail() -> None:
    fails = {"@path": {"@path": "$.traits.logins"}}
    assert resolve({"a": {"@if": {"exists": EMAIL, "then": 1, "else": fails}}}) == {"a": 1}
    assert resolve({"a": {"@if": {"exists": MISSING, "then": fails, "else": 1}}}) == {"a": 1}
    assert failure_of({"a": {"@if": {"exists": EMAIL, "then": fails}}}).path == "mapping.a.@if.then.@path"


@pytest.mark.parametrize("nothing", [False, 0, "", None, 0.0])
def test_an_else_that_is_false_counts_as_none(nothing: Any) -> None:
    assert resolve({"@if": {"exists": MISSING, "then": 1, "else": nothing}}) is UNDEFINED


@pytest.mark.parametrize("value", ["", 0, 0.0, False, None, [], [[]], [None], [""]])
def test_what_is_blank(value: Any) -> None:
    assert (
        resolve({"@if": {"blank": {"@path": "$.v"}, "then": "full", "else": "blank"}}, {"v": value})
        == "blank"
    )


@pytest.mark.parametrize("value", [" ", "x", 1, True, {}, [0], [None, None], [{}]])
def test_what_is_not_blank(value: Any) -> None:
    assert (
        resolve({"@if": {"blank": {"@path": "$.v"}, "then": "full", "else": "blank"}}, {"v": value}) == "full"
    )


@pytest.mark.parametrize(
    "arguments", [{"then": 1}, {"exists": "", "then": 1}, {"exists": False}, {"blank": 0}, {}]
)
def test_if_needs_a_condition(arguments: Any) -> None:
    assert problem_of({"@if": arguments}).message == "has no condition"


def test_a_wrong_argument_of_if_is_named() -> None:
    problem = problem_of({"@if": {"exists": EMAIL, "than": 1}})
    assert str(problem) == "mapping.@if.than: is not an argument of this directive. Did you mean then?"


@pytest.mark.parametrize(
    ("direction", "objects", "value"),
    [
        ("right", [{"a": 1, "b": 1}, {"a": 2}], {"a": 2, "b": 1}),
        ("left", [{"a": 1, "b": 1}, {"a": 2}], {"a": 1, "b": 1}),
        ("LEFT", [{"a": 1}, {"a": 2}], {"a": 2}),
        ("right", [{"a": 1, "b": 2}, {"a": MISSING}], {"b": 2}),
        ("right", [{"a": 1}, {"@literal": {"a": MISSING}}], {}),
        ("right", [{"a": 1}, {"@if": {"exists": EMAIL, "then": {"a": MISSING}}}], {}),
        ("right", [{"a": 1}, {"@merge": {"direction": "right", "objects": [{"a": MISSING}]}}], {}),
        ("right", [{"a": 1}, {"a": NULL}], {"a": None}),
        ("right", [{"a": {"b": 1}}, {"a": {"c": MISSING}}], {"a": {}}),
        ("right", [{"a": 1}, MISSING, NULL, {"@path": "$.traits.logins"}], {"a": 1}),
        ("right", [{"a": 1}, {"@path": "$.properties.tags"}], {"a": 1, "0": "x", "1": None, "2": "z"}),
        ("right", [{"@path": "$.userId"}], dict(enumerate("user-1"))),
        (
            "right",
            [{"@path": "$.traits"}, {"email": MISSING, "no": MISSING, "none": MISSING, "logins": 6}],
            {"logins": 6, "nothing": None, "empty": "", "zero": 0},
        ),
        ("right", [{"a": MISSING, "b": MISSING}, {"b": 2}], {"b": 2}),
        ("right", [{"a": MISSING}, {"@path": "$.traits.nothing"}], {}),
        (
            "right",
            [{"a": 1}, {"@flatten": {"value": {"b": {"c": EMAIL}}, "separator": "_"}}, {"a": MISSING}],
            {"b_c": "Lea@Example.com"},
        ),
        (
            "right",
            [{"@merge": {"direction": "right", "objects": [{"a": 1}, {"a": MISSING}]}}, {"b": 1}],
            {"b": 1},
        ),
        ("right", [], {}),
    ],
)
def test_merge(direction: str, objects: list[Any], value: Any) -> None:
    expected = {str(key): item for key, item in value.items()}
    assert resolve({"@merge": {"direction": direction, "objects": objects}}) == expected


def test_merge_to_the_left_puts_the_last_object_first() -> None:
    merged = resolve({"@merge": {"direction": "left", "objects": [{"a": 1}, {"b": 2}]}})
    assert list(merged) == ["b", "a"]


def test_what_is_merged_over_a_member_takes_its_place() -> None:
    objects = [{"a": MISSING, "b": 1}, {"c": 1}, {"a": 2}]
    merged = resolve({"@merge": {"direction": "right", "objects": objects}})
    assert list(merged) == ["a", "b", "c"]


def test_merge_changes_no_object_of_the_event() -> None:
    before = copy.deepcopy(EVENT)
    resolve(
        {"@merge": {"direction": "right", "objects": [{"@path": "$.traits"}, {"new": 1}, {"@path": "$."}]}}
    )
    assert before == EVENT


@pytest.mark.parametrize(
    ("arguments", "at", "message"),
    [
        ({"objects": []}, "direction", "is missing"),
        ({"objects": [], "direction": "up"}, "direction", "is 'up'"),
        ({"direction": "right"}, "objects", "is missing"),
        ({"direction": "right", "objects": {}}, "objects", "is an object"),
        ({"direction": "right", "objects": [{}, 1]}, "objects[1]", "is a number"),
    ],
)
def test_merge_checks_its_arguments(arguments: Any, at: str, message: str) -> None:
    problem = problem_of({"@merge": arguments})
    assert (problem.path, problem.message) == (f"mapping.@merge.{at}", message)


@pytest.mark.parametrize(
    ("value", "flat"),
    [
        ({"a": {"b": {"c": 1}, "d": 2}}, {"a_b_c": 1, "a_d": 2}),
        ({"a": [1, {"b": 2}]}, {"a_0": 1, "a_1_b": 2}),
        ([{"a": 1}], {"0_a": 1}),
        ({"a": {}, "b": [], "c": None}, {"c": None}),
        (5, {"": 5}),
        (None, {"": None}),
        ({}, {}),
        ({"a_": {"b": 1}}, {"a__b": 1}),
    ],
)
def test_flatten(value: Any, flat: Any) -> None:
    template = {"@flatten": {"value": {"@path": "$.v"}, "separator": "_"}}
    assert resolve(template, {"v": value}) == flat


@pytest.mark.parametrize(
    ("value", "flat"),
    [
        ({"a": {"b": [1, {"c": 2}]}}, {"a.b": [1, {"c": 2}]}),
        ({"a": [], "b": {}}, {"a": []}),
        ([1], {"": [1]}),
    ],
)
def test_flatten_without_arrays(value: Any, flat: Any) -> None:
    template = {"@flatten": {"value": {"@path": "$.v"}, "separator": ".", "omitArrays": True}}
    assert resolve(template, {"v": value}) == flat


def test_flatten_of_nothing_is_empty() -> None:
    assert resolve({"@flatten": {"value": MISSING, "separator": "_"}}) == {}
    assert resolve({"@flatten": {"value": {"a": {"b": MISSING, "c": 1}}, "separator": "_"}}) == {"a_c": 1}


@pytest.mark.parametrize(
    ("arguments", "path", "message"),
    [
        ({"value": EMAIL}, "mapping.@flatten.separator", "is missing"),
        ({"value": EMAIL, "separator": ""}, "mapping.@flatten.separator", "is not a text"),
        ({"value": EMAIL, "separator": EMAIL}, "mapping.@flatten.separator", "is not a text"),
        ({"separator": "_"}, "mapping.@flatten", "has no value"),
        ({"value": EMAIL, "separator": "_", "omitArrays": 1}, "mapping.@flatten.omitArrays", "is a number"),
    ],
)
def test_flatten_checks_its_arguments(arguments: Any, path: str, message: str) -> None:
    problem = problem_of({"@flatten": arguments})
    assert (problem.path, problem.message) == (path, message)


SHAPE = {"id": {"@path": "$.sku"}, "count": {"@path": "$.quantity"}}
SHAPED = [{"id": "a", "count": 2}, {"id": "b"}]


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (["$.properties.products", SHAPE], SHAPED),
        (["properties.products", SHAPE], SHAPED),
        ([{"@path": "$.properties.products"}, SHAPE], SHAPED),
        (["$.properties.products"], EVENT["properties"]["products"]),
        (["$.properties.products", {}], EVENT["properties"]["products"]),
        (["$.properties.products", "x"], EVENT["properties"]["products"]),
        (["$.properties.products", {"@path": "$.sku"}], ["a", "b"]),
        (["$.properties.products", {"@path": "$.quantity"}], [2, None]),
        (
            ["$.properties.tags", {"value": {"@path": "$."}}],
            [{"value": "x"}, {"value": None}, {"value": "z"}],
        ),
        (["$.properties.address", {"town": {"@path": "$.city"}}], [{"town": "Paris"}]),
        (["$.userId", SHAPE], "user-1"),
        (["$.traits.nothing", SHAPE], None),
        (["$.missing", SHAPE], UNDEFINED),
    ],
)
def test_array_path(arguments: Any, value: Any) -> None:
    assert resolve({"@arrayPath": arguments}) == value


def test_in_a_shape_the_item_is_all_there_is() -> None:
    assert resolve({"@arrayPath": ["$.properties.products", {"user": {"@path": "$.userId"}}]}) == [{}, {}]


@pytest.mark.parametrize(
    ("arguments", "path"),
    [("$.a", "mapping.@arrayPath"), ([], "mapping.@arrayPath[0]"), ([1, {}], "mapping.@arrayPath[0]")],
)
def test_array_path_checks_its_arguments(arguments: Any, path: str) -> None:
    assert problem_of({"@arrayPath": arguments}).path == path


def test_transform_applies_the_mapping_to_what_apply_made() -> None:
    template = {
        "@transform": {
            "apply": {"flat": {"@flatten": {"value": {"@path": "$.properties.address"}, "separator": "_"}}},
            "mapping": {"lat": {"@path": "$.flat.geo_lat"}, "user": {"@path": "$.userId"}},
        }
    }
    assert resolve(template) == {"lat": 48.9}


def test_transform_of_something_without_members() -> None:
    template = {"@transform": {"apply": EMAIL, "mapping": {"all": {"@path": "$."}}}}
    assert resolve(template) == {"all": "Lea@Example.com"}


def test_transform_needs_an_object_to_work_on() -> None:
    template = {"@arrayPath": ["$.properties.tags", {"@transform": {"apply": {"a": 1}, "mapping": {"b": 2}}}]}
    failure = failure_of(template)
    assert failure.path == "mapping.@arrayPath[1].@transform"
    assert failure.detail == "needs an object, and is applied to a string"


def test_transform_checks_its_arguments() -> None:
    messages = [str(problem) for problem in problems_of({"@transform": {"apply": "x"}})]
    assert messages == [
        "mapping.@transform.apply: is a string. Write an object or a directive.",
        "mapping.@transform.mapping: is missing. Write an object or a directive.",
    ]


ROOT_DIRECTIVE = {
    "@transform": {"apply": {"p": {"@flatten": {"value": {"@path": "$.properties"}, "separator": "_"}}}}
}


def test_a_directive_at_the_root_takes_the_other_fields_as_its_mapping() -> None:
    template = {"__segment_internal_directive": ROOT_DIRECTIVE, "city": {"@path": "$.p.address_city"}}
    assert resolve(template) == {"city": "Paris"}
    assert "mapping" not in ROOT_DIRECTIVE["@transform"]


def test_a_root_directive_works_in_apply_too() -> None:
    apply = {"__segment_internal_directive": ROOT_DIRECTIVE, "city": {"@path": "$.p.address_city"}}
    assert resolve({"@transform": {"apply": apply, "mapping": {"town": {"@path": "$.city"}}}}) == {
        "town": "Paris"
    }


@pytest.mark.parametrize("directive", [{"@path": "$.a"}, {"hello": {}}, {}, "x", {"@if": {}, "@case": {}}])
def test_a_root_directive_is_one_with_arguments(directive: Any) -> None:
    problem = problem_of({"__segment_internal_directive": directive, "a": 1})
    assert problem.path == "mapping.__segment_internal_directive"


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (None, UNDEFINED),
        (5, 5),
        ({"a": None, "b": {"c": None, "d": 1}}, {"b": {"d": 1}}),
        ({"a": {"b": None}}, {"a": {}}),
        ([None, 1], [None, 1]),
        ([{"a": None}], [{}]),
    ],
)
def test_exclude_when_null(value: Any, result: Any) -> None:
    assert resolve({"@excludeWhenNull": {"@path": "$.v"}}, {"v": value}) == result


def test_exclude_when_null_of_a_template() -> None:
    assert resolve({"@excludeWhenNull": {"a": NULL, "b": MISSING, "c": EMAIL}}) == {"c": "Lea@Example.com"}


def test_literal_resolves_directives_and_leaves_text_alone() -> None:
    assert resolve({"@literal": "{{userId}}"}) == "{{userId}}"
    assert resolve({"@literal": {"a": EMAIL, "b": [MISSING]}}) == {"a": "Lea@Example.com", "b": [None]}


def test_results_share_nothing_that_can_change_with_the_template() -> None:
    template = {
        "list": [1, {"a": []}],
        "literal": {"@literal": {"x": []}},
        "if": {"@if": {"exists": "x", "then": [[]]}},
    }
    compiled = compile_template(template)
    first = compiled.resolve({})
    first["list"][1]["a"].append(1)
    first["literal"]["x"].append(1)
    first["if"][0].append(1)
    assert compiled.resolve({}) == {"list": [1, {"a": []}], "literal": {"x": []}, "if": [[]]}


def test_a_template_that_is_changed_afterwards_changes_nothing() -> None:
    template = {"a": [EMAIL], "b": {"c": 1}}
    compiled = compile_template(template)
    template["a"].append(1)
    template["b"]["c"] = 2
    assert compiled.resolve(EVENT) == {"a": ["Lea@Example.com"], "b": {"c": 1}}
