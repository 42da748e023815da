"""A template that compiles and hardly does what was meant is told, with the directive to write."""

from __future__ import annotations

from typing import Any

import pytest

from mapping.directives import compile_template, suspicions

USER = {"custom_id": {"@path": "$.userId"}}


def told(attribute: Any) -> list[tuple[str, str]]:
    """Place below the attribute and remedy of what is said of an attribute's template."""
    template = {"identifiers": USER, "profileAttributes": {"a": attribute}}
    compile_template(template)
    return [
        (each.path.removeprefix("mapping.profileAttributes.a"), each.remedy) for each in suspicions(template)
    ]


@pytest.mark.parametrize(
    ("attribute", "place", "directive"),
    [
        ("{{userId}}", "", '{"@path": "$.userId"}'),
        ("{{ $.traits.plan }}", "", '{"@path": "$.traits.plan"}'),
        ("{{traits.first}} {{$.traits.last}}", "", '{"@template": "{{traits.first}} {{traits.last}}"}'),
        ("$.traits.plan", "", '{"@path": "$.traits.plan"}'),
        ("$.properties.products[0].sku", "", '{"@path": "$.properties.products[0].sku"}'),
        ("traits.plan", "", '{"@path": "$.traits.plan"}'),
        ("userId", "", '{"@path": "$.userId"}'),
        (["a", "context.locale"], "[1]", '{"@path": "$.context.locale"}'),
        ({"b": "$.traits.b"}, ".b", '{"@path": "$.traits.b"}'),
        ({"@if": {"exists": "$.traits.b", "then": 1}}, ".@if.exists", '{"@path": "$.traits.b"}'),
        ({"@case": {"operator": "lower", "value": "$.traits.b"}}, ".@case.value", '{"@path": "$.traits.b"}'),
        (
            {"@if": {"exists": {"@path": "$.traits.b"}, "then": True, "else": False}},
            ".@if.else",
            'For the value itself write {"@literal": false}.',
        ),
        ({"@literal": {"b": "$.traits.b"}}, ".@literal.b", '{"@path": "$.traits.b"}'),
        ({"@template": "Hello {{ $.traits.name }}"}, ".@template", "Leave `$.` out: {{traits.name}}."),
        ({"@template": "{{name"}, ".@template", "two braces on either side"),
        ({"@template": "{{traits.first} {{traits.last}}"}, ".@template", "two braces on either side"),
        ({"@template": "{{traits.first {{traits.last}}"}, ".@template", "two braces on either side"),
        ({"@template": "to {{}}"}, ".@template", "two braces on either side"),
        ({"@template": "{{traits.tags[}}"}, ".@template", "an index, or a name in quotes"),
        ("{{name}", "", '{"@template": "{{traits.name}}"}'),
        ({"@path": "$.[bad"}, ".@path", "an index, or a name in quotes"),
        ({"@path": "$.properties.products[*].sku"}, ".@path", "an index, or a name in quotes"),
        ({"@path": "$.traits['a.b']"}, ".@path", "an index, or a name in quotes"),
        ({"@path": "$traits.plan"}, ".@path", '{"@path": "$.traits.plan"}'),
        ({"@path": "$['traits']"}, ".@path", '{"@path": "$.[\'traits\']"}'),
        ({"@path": "$"}, ".@path", '{"@path": "$."}'),
        ({"@path": "$.$.traits.plan"}, ".@path", '{"@path": "$.traits.plan"}'),
        ({"@arrayPath": ["$.a[", {"b": 1}]}, ".@arrayPath[0]", "an index, or a name in quotes"),
        ({"@arrayPath": ["$.a", {"b": "$.b"}]}, ".@arrayPath[1].b", '{"@path": "$.b"}'),
    ],
)
def test_a_path_without_its_directive(attribute: Any, place: str, directive: str) -> None:
    ((found, remedy),) = told(attribute)
    assert found == place
    assert directive in remedy


@pytest.mark.parametrize(
    "attribute",
    [
        "premium",
        "costs $5.00",
        "properties",
        "a. b",
        5,
        None,
        {"@path": "$.traits.plan"},
        {"@path": "traits.plan"},
        {"@template": "{{traits.plan}} costs $.5"},
        {"@path": "$.properties.$browser"},
        {"@path": "$.properties.products[0]['size [cm]'].0"},
        {"@path": "$."},
        {"@template": '{"a":{"b":{{traits.plan}}}}'},
        {"@template": "{{{traits.plan}}} {a} }} { {"},
        {"@literal": "{{userId}}"},
        {"@literal": "{{name"},
        {"@if": {"exists": {"@path": "$.traits.b"}, "then": 0, "else": {"@literal": False}}},
        {"@if": {"exists": {"@path": "$.traits.b"}, "then": 0, "else": None}},
        {"@liquid": "{{ traits.plan }}"},
        {"@replace": {"pattern": "$.a", "replacement": "$.b", "value": {"@path": "$.traits.plan"}}},
        {"@arrayPath": ["$.properties.products", {"sku": {"@path": "$.sku"}}]},
    ],
)
def test_nothing_is_said_of_what_is_meant(attribute: Any) -> None:
    assert told(attribute) == []


@pytest.mark.parametrize("constant", ["user", 5, True])
def test_one_custom_id_for_every_user(constant: Any) -> None:
    (found,) = suspicions({"identifiers": {"custom_id": constant}})
    assert str(found) == (
        "mapping.identifiers.custom_id: is the same for every event: all users would be written to one profile. "
        'For the event\'s value write {"@path": "$.userId"}.'
    )
    assert suspicions({"identifiers": {"custom_id": {"@literal": "kiosk"}}}) == []


@pytest.mark.parametrize("attributes", ["traits", ["plan"], 5, False])
def test_what_is_no_object_where_an_object_belongs(attributes: Any) -> None:
    found = suspicions(
        {"identifiers": USER, "profileAttributes": attributes, "eventAttributes": "$.properties"}
    )
    assert [(each.path, each.remedy) for each in found] == [
        ("mapping.eventAttributes", 'For the event\'s value write {"@path": "$.properties"}.'),
        ("mapping.profileAttributes", 'For the event\'s value write {"@path": "$.traits"}.'),
    ]


def test_attributes_that_are_left_empty_are_none() -> None:
    assert suspicions({"identifiers": USER, "profileAttributes": None, "eventAttributes": {}}) == []


def test_the_literal_that_is_advised_gives_the_value() -> None:
    template = {"@if": {"exists": {"@path": "$.a"}, "then": True, "else": {"@literal": False}}}
    assert compile_template({"x": template}).resolve({}) == {"x": False}
