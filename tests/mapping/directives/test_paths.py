"""`@path`: where a value stands, and what comes of what is not there."""

from __future__ import annotations

from typing import Any

import pytest

from mapping.directives import UNDEFINED, compile_template
from tests.mapping.directives.applying import EVENT, failure_of, problem_of, resolve


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.traits.email", "Lea@Example.com"),
        ("traits.email", "Lea@Example.com"),
        ("$.userId", "user-1"),
        ("$.properties.address.city", "Paris"),
        ("$.properties.address.geo.lat", 48.9),
        ("$.properties..address...city", "Paris"),
        ("$.properties.products[0].sku", "a"),
        ("$.properties.products.1.sku", "b"),
        ("$.properties['first name']", "Lea"),
        ('$.properties["first name"]', "Lea"),
        ("$.properties.first name", "Lea"),
        ("$.properties.tags[1]", None),
        ("properties.$.total", 99.5),
    ],
)
def test_a_path_finds_its_value(path: str, value: Any) -> None:
    assert resolve({"@path": path}) == value


@pytest.mark.parametrize("path", ["", ".", "$.", "..", "$.."])
def test_a_path_without_a_key_is_the_whole_event(path: str) -> None:
    assert resolve({"@path": path}) == EVENT


@pytest.mark.parametrize(
    "path",
    [
        "$.nothing",
        "$",
        "$.nothing.below",
        "$.traits.email.below",
        "$.traits.logins.below",
        "$.properties.products[2]",
        "$.properties.products[-1]",
        "$.properties.products.01",
        "$.properties.products[sku]",
        "$.traits['a.b']",
        "$.traits.toString",
        "$.constructor",
        "$.__proto__",
        "$.properties.products.map",
    ],
)
def test_what_is_not_there_is_undefined(path: str) -> None:
    assert resolve({"@path": path}) is UNDEFINED


def test_brackets_around_a_bare_word_belong_to_the_key() -> None:
    assert resolve({"@path": "$.a[b]"}, {"a[b]": 1, "a": {"b": 2}}) == 1


@pytest.mark.parametrize("value", [None, False, 0, ""])
@pytest.mark.parametrize("path", ["$.a.b", "$.a.b.c", "$.a.b.c.d", "$.a[0]"])
def test_a_false_value_on_the_way_is_the_result(path: str, value: Any) -> None:
    """With `traits: null`, every trait is null, which in Batch clears the attribute."""
    assert resolve({"@path": path}, {"a": value}) == value
    assert type(resolve({"@path": path}, {"a": value})) is type(value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.properties.products.length", 2),
        ("$.userId.length", 6),
        ("$.userId[0]", "u"),
        ("$.userId[9]", UNDEFINED),
    ],
)
def test_arrays_and_strings_have_a_length_and_members(path: str, value: Any) -> None:
    assert resolve({"@path": path}) == value


def test_objects_have_only_their_own_length() -> None:
    assert resolve({"@path": "$.properties.length"}) is UNDEFINED
    assert resolve({"@path": "$.properties.length"}, {"properties": {"length": 7}}) == 7


def test_a_directive_may_give_the_path() -> None:
    template = {"@path": {"@template": "$.traits.{{wanted}}"}}
    assert resolve(template, {"wanted": "email", "traits": {"email": "a@b.co"}}) == "a@b.co"


def test_a_directive_that_gives_no_path_fails_for_this_event() -> None:
    failure = failure_of({"email": {"@path": {"@path": "$.traits.logins"}}})
    assert (failure.directive, failure.path) == ("@path", "mapping.email.@path")
    assert failure.detail == "needs a path, and its directive gave a number"


@pytest.mark.parametrize(
    ("argument", "kind"),
    [(1, "a number"), (None, "null"), ([], "an array"), (True, "a boolean"), ({}, "an object")],
)
def test_anything_else_is_no_path(argument: Any, kind: str) -> None:
    problem = problem_of({"email": {"@path": argument}})
    assert problem.path == "mapping.email.@path"
    assert problem.message == f"is {kind}"


@pytest.mark.parametrize(
    ("template", "paths"),
    [
        (
            {"a": {"@path": "$.traits.email"}, "b": {"@template": "{{userId}} {{traits.x}}"}},
            {"traits", "userId"},
        ),
        ({"a": 1}, set()),
        ({"@path": "$."}, None),
        ({"@path": {"@path": "$.which"}}, None),
        ({"@template": {"@path": "$.which"}}, None),
        ({"@template": "{{ }}"}, None),
        ({"@arrayPath": ["$.properties.products", {"sku": {"@path": "$.sku"}}]}, {"properties"}),
        (
            {"@transform": {"apply": {"a": {"@path": "$.traits"}}, "mapping": {"b": {"@path": "$.a"}}}},
            {"traits"},
        ),
    ],
)
def test_a_template_names_the_fields_it_reads(template: Any, paths: set[str] | None) -> None:
    assert compile_template(template).paths == (None if paths is None else frozenset(paths))
