"""`@template`, `@case`, `@replace`, `@json`: directives that make and read text."""

from __future__ import annotations

from typing import Any

import pytest

from mapping.directives import UNDEFINED
from mapping.numbers import DigitsLost, WrittenFloat
from tests.mapping.directives.applying import EVENT, failure_of, problem_of, problems_of, resolve


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Hello {{traits.email}}!", "Hello Lea@Example.com!"),
        ("{{{traits.email}}}", "Lea@Example.com"),
        ("{{ traits.email }}", "Lea@Example.com"),
        ("{{\ttraits.email\u00a0}}", "Lea@Example.com"),
        ("{{userId}}{{userId}}", "user-1user-1"),
        ("{{properties['first name']}}", "Lea"),
        ("", ""),
        ("plain", "plain"),
        ("{{traits.missing}}|{{traits.nothing}}|{{traits.empty}}|", "|||"),
        ("{{traits.zero}} {{traits.no}}", "0 false"),
        ("{{properties.price}} {{properties.total}}", "450 99.5"),
        ("{{properties.big number}}", "12345678901234567890"),
        ("{{properties.tags}}", "x,,z"),
        ("{{properties.products}}", "[object Object],[object Object]"),
        ("{{properties.address}}", "[object Object]"),
        ("{{ }}{{.}}", "[object Object][object Object]"),
        ("{{$.userId}}", ""),
        ("{{}} {{}}}", "{{}} {{}}}"),
        ("{{userId", "{{userId"),
        ("{{userId}", "{{userId}"),
        ("{ {userId} }", "{ {userId} }"),
        ("{{a}b}}{{userId}}", "{{a}b}}user-1"),
        ("{{{userId}}", ""),
        ("{{{{userId}}}}", "}"),
        ("<b>&{{traits.email}}", "<b>&Lea@Example.com"),
    ],
)
def test_template(template: str, text: str) -> None:
    assert resolve({"@template": template}) == text


def test_text_of_a_value_is_not_read_as_a_template_again() -> None:
    event = {"a": "{{b}}", "b": "secret"}
    assert resolve({"@template": "{{{a}}} {{a}}"}, event) == "{{b}} {{b}}"


def test_a_directive_may_give_the_template() -> None:
    event = {"greeting": "Hello {{name}}, {{{missing}}}", "name": "Lea"}
    assert resolve({"@template": {"@path": "$.greeting"}}, event) == "Hello Lea, "


def test_a_directive_that_gives_no_text_fails_for_this_event() -> None:
    failure = failure_of({"@template": {"@path": "$.traits.missing"}})
    assert (failure.directive, failure.path) == ("@template", "mapping.@template")
    assert failure.detail == "needs a text, and its directive gave nothing"


@pytest.mark.parametrize("argument", [1, None, [], {}, True])
def test_a_template_is_a_text(argument: Any) -> None:
    assert problem_of({"@template": argument}).path == "mapping.@template"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (2**53 + 1, "9007199254740993"),
        (1.5e300, "1.5e+300"),
    ],
)
def test_numbers_are_written_as_javascript_writes_them(number: float, text: str) -> None:
    event = {"n": WrittenFloat(number) if isinstance(number, float) and number > 2**63 else number}
    assert resolve({"@template": "{{n}}"}, event) == text
    assert resolve({"@replace": {"pattern": "x", "value": {"@path": "$.n"}}}, event) == text
    assert resolve({"@json": {"mode": "encode", "value": {"@path": "$.n"}}}, event) == text


def test_digits_that_were_lost_are_asked_for_again() -> None:
    with pytest.raises(DigitsLost):
        resolve({"@template": "{{n}}"}, {"n": 1e20})


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ({"operator": "lower", "value": {"@path": "$.traits.email"}}, "lea@example.com"),
        ({"operator": "upper", "value": "straße"}, "STRASSE"),
        ({"operator": "upper", "value": {"@path": "$.traits.logins"}}, 5),
        ({"operator": "upper", "value": {"@path": "$.traits.nothing"}}, None),
        ({"operator": "upper", "value": {"@path": "$.properties.tags"}}, ["x", None, "z"]),
        ({"operator": "upper", "value": {"@path": "$.traits.missing"}}, UNDEFINED),
        ({"operator": "lower", "value": ""}, UNDEFINED),
        ({"operator": "lower"}, UNDEFINED),
    ],
)
def test_case(arguments: Any, value: Any) -> None:
    assert resolve({"@case": arguments}) == value


@pytest.mark.parametrize("operator", ["title", "Lower", "", None, 1, {"@path": "$.operator"}])
def test_case_knows_lower_and_upper(operator: Any) -> None:
    problem = problem_of({"@case": {"operator": operator, "value": {"@path": "$.a"}}})
    assert problem.path == "mapping.@case.operator"
    assert problem.suggestion == "Write lower or upper."


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"pattern": "a", "replacement": "b", "value": "aAa"}, "bAb"),
        ({"pattern": "a", "value": "aAa"}, "A"),
        ({"pattern": "a", "replacement": "b", "value": "aAa", "global": False}, "bAa"),
        ({"pattern": "a", "replacement": "b", "value": "aAa", "ignorecase": True}, "bbb"),
        ({"pattern": "a", "replacement": "b", "value": "AAa", "ignorecase": True, "global": False}, "bAa"),
        ({"pattern": ".", "replacement": "-", "value": "a.b"}, "a-b"),
        ({"pattern": "$", "replacement": "\\", "value": "a$b"}, "a\\b"),
        ({"pattern": "a", "replacement": "[$&$$]", "value": "cat"}, "c[a$]t"),
        ({"pattern": "a", "replacement": "$1$", "value": "cat"}, "c$1$t"),
        ({"pattern": "A", "replacement": "$&", "value": "cat", "ignorecase": True}, "cat"),
        ({"pattern": "a", "replacement": "b", "pattern2": "b", "replacement2": "c", "value": "a"}, "c"),
        ({"pattern": "a", "pattern2": "b", "value": "abc"}, "c"),
        ({"pattern": "a", "pattern2": "", "value": "abc"}, "bc"),
        ({"pattern": "\u00c9", "replacement": "e", "value": "\u00e9", "ignorecase": True}, "e"),
        ({"pattern": "s", "replacement": "x", "value": "\u017fS", "ignorecase": True}, "\u017fx"),
        ({"pattern": "5", "replacement": "6", "value": {"@path": "$.traits.logins"}}, "6"),
        ({"pattern": ".0", "value": {"@path": "$.properties.price"}}, "450"),
        ({"pattern": "false", "replacement": "no", "value": {"@path": "$.traits.no"}}, "no"),
        ({"pattern": "a", "value": {"@path": "$.traits.nothing"}}, ""),
        ({"pattern": "a", "value": {"@path": "$.traits.missing"}}, ""),
        ({"pattern": "a", "value": {"@path": "$.traits"}}, ""),
        ({"pattern": "a", "value": {"@path": "$.properties.tags"}}, ""),
        ({"pattern": "a", "value": {"@path": "$.traits.empty"}}, ""),
        ({"pattern": "a", "value": ""}, UNDEFINED),
        ({"pattern": "a", "value": {"@replace": {"pattern": "a", "value": ""}}}, ""),
    ],
)
def test_replace(arguments: Any, text: Any) -> None:
    assert resolve({"@replace": arguments}) == text


@pytest.mark.parametrize(
    ("arguments", "at"),
    [
        ({"value": "x"}, "pattern"),
        ({"pattern": "", "value": "x"}, "pattern"),
        ({"pattern": "12345678901", "value": "x"}, "pattern"),
        ({"pattern": "\U0001f600" * 6, "value": "x"}, "pattern"),
        ({"pattern": {"@path": "$.a"}, "value": "x"}, "pattern"),
        ({"pattern": "a", "replacement": None, "value": "x"}, "replacement"),
        ({"pattern": "a", "replacement": "12345678901", "value": "x"}, "replacement"),
        ({"pattern": "a", "pattern2": "12345678901", "value": "x"}, "pattern2"),
        ({"pattern": "a", "pattern2": "b", "replacement2": 1, "value": "x"}, "replacement2"),
        ({"pattern": "a", "value": 1}, "value"),
        ({"pattern": "a", "value": {}}, "value"),
        ({"pattern": "a", "value": "x", "global": "yes"}, "global"),
        ({"pattern": "a", "value": "x", "ignorecase": None}, "ignorecase"),
    ],
)
def test_replace_checks_its_arguments(arguments: Any, at: str) -> None:
    assert problem_of({"@replace": arguments}).path == f"mapping.@replace.{at}"


def test_replace_needs_a_value() -> None:
    assert problem_of({"@replace": {"pattern": "a"}}).message == "has no value"


def encoded(value: Any) -> Any:
    return resolve({"@json": {"mode": "encode", "value": {"@path": "$.v"}}}, {"v": value})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, 2.0, "x"], "b": None, "c": True}, '{"a":[1,2,"x"],"b":null,"c":true}'),
        (None, "null"),
        ('a"\\\n\u0001\u007f\u00e9\u2028', '"a\\"\\\\\\n\\u0001\u007f\u00e9\u2028"'),
        (WrittenFloat("inf"), "null"),
        ([], "[]"),
        ({}, "{}"),
        (False, "false"),
    ],
)
def test_json_encode(value: Any, text: str) -> None:
    assert encoded(value) == text


def test_json_encode_of_nothing_is_nothing() -> None:
    assert resolve({"@json": {"mode": "encode", "value": {"@path": "$.missing"}}}) is UNDEFINED


def test_json_encode_leaves_out_undefined_members() -> None:
    value = {"a": {"@path": "$.missing"}, "b": [{"@path": "$.missing"}], "c": {"@path": "$.userId"}}
    assert resolve({"@json": {"mode": "encode", "value": value}}) == '{"b":[null],"c":"user-1"}'


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":[1,null]}', {"a": [1, None]}),
        (" 5 ", 5),
        ("12345678901234567890123", 12345678901234567890123),
        ("not JSON", "not JSON"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("{'a':1}", "{'a':1}"),
        ("", ""),
        ('"\\ud83d\\ude00\\ud83d"', "\U0001f600\ufffd"),
        (5, 5),
        (None, None),
        ({"a": 1}, {"a": 1}),
    ],
)
def test_json_decode(text: Any, value: Any) -> None:
    assert resolve({"@json": {"mode": "decode", "value": {"@path": "$.v"}}}, {"v": text}) == value


def test_a_json_mode_in_other_letters_does_nothing_as_in_segment() -> None:
    assert resolve({"@json": {"mode": "Encode", "value": {"@path": "$."}}}) is UNDEFINED


@pytest.mark.parametrize("value", ["", None, 0, False])
def test_json_needs_a_value(value: Any) -> None:
    assert problem_of({"@json": {"mode": "encode", "value": value}}).message == "has no value"


def test_json_needs_a_mode() -> None:
    first, second = problems_of({"a": {"@json": {"value": 1}}, "b": {"@json": {"mode": "parse", "value": 1}}})
    assert str(first) == "mapping.a.@json.mode: is missing. Write encode or decode."
    assert str(second) == "mapping.b.@json.mode: is 'parse'. Write encode or decode."


def test_the_event_is_as_it_was() -> None:
    before = repr(EVENT)
    resolve({"@json": {"mode": "encode", "value": {"@path": "$."}}})
    assert repr(EVENT) == before
