"""Large templates and events: the work grows with their size, not with its square, or these tests would not end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.mapping.directives.applying import resolve

MANY = 200_000


@pytest.mark.parametrize("text", ["{{" * MANY, "{" * MANY, "{{a}" * MANY, "}}" * MANY, "{{{" * MANY + "}"])
def test_braces_without_end(text: str) -> None:
    assert resolve({"@template": text}) == text
    assert resolve({"@template": {"@path": "$.t"}}, {"t": text}) == text


def test_many_placeholders() -> None:
    assert resolve({"@template": {"@path": "$.t"}}, {"t": "{{a}}" * MANY, "a": "x"}) == "x" * MANY


def test_a_path_of_many_keys() -> None:
    assert resolve({"@path": {"@path": "$.p"}}, {"p": "a." * MANY + "a", "a": None}) is None
    assert resolve({"@path": {"@path": "$.p"}}, {"p": "[0]" * MANY, "0": None}) is None


def test_many_members_and_items() -> None:
    event = {
        "list": [{"n": number} for number in range(MANY)],
        "object": {f"k{n}": {"n": n} for n in range(MANY)},
    }
    flat = resolve({"@flatten": {"value": {"@path": "$."}, "separator": "_"}}, event)
    assert (len(flat), flat["list_7_n"], flat["object_k7_n"]) == (2 * MANY, 7, 7)
    shaped = resolve({"@arrayPath": ["$.list", {"number": {"@path": "$.n"}}]}, event)
    assert (len(shaped), shaped[7]) == (MANY, {"number": 7})
    objects = [{"@path": "$.object"}, {"@path": "$.list"}, {"x": 1}]
    assert len(resolve({"@merge": {"direction": "right", "objects": objects}}, event)) == 2 * MANY + 1
    assert len(resolve({"@json": {"mode": "encode", "value": {"@path": "$.list"}}}, event)) > 8 * MANY
    assert resolve({"@excludeWhenNull": {"@path": "$."}}, event) == event


@pytest.mark.parametrize("replacement", ["", "bb", "$&$&$&$&$&"])
def test_many_replacements(replacement: str) -> None:
    template = {"@replace": {"pattern": "a", "replacement": replacement, "value": {"@path": "$.t"}}}
    assert len(resolve(template, {"t": "a" * MANY})) == MANY * len(replacement.replace("$&", "a"))


@pytest.mark.parametrize("text", ["<" * MANY, "<script" * MANY, "<!--" * MANY + ">", "<style><" * MANY])
def test_html_without_end(text: str) -> None:
    assert int(resolve({"@liquid": "{{ t | strip_html | size }}"}, {"t": text})) <= len(text)


def test_a_template_of_many_fields() -> None:
    template = {f"k{number}": {"@path": f"$.a.k{number}"} for number in range(5_000)}
    event = {"a": {f"k{number}": number for number in range(5_000)}}
    assert resolve(template, event) == event["a"]


def test_a_template_as_deep_as_it_may_be() -> None:
    template: Any = {"@path": "$.userId"}
    for _ in range(48):
        template = {"@if": {"exists": {"@path": "$.missing"}, "then": 0, "else": template}}
    assert resolve(template) == "user-1"
    objects: Any = {"@path": "$.userId"}
    for _ in range(98):
        objects = {"a": objects}
    assert "user-1" in str(resolve(objects))
