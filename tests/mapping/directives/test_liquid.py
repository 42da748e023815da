"""`@liquid`: what LiquidJS renders, without what Segment has switched off, and never without end."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from mapping.numbers import DigitsLost, WrittenFloat
from tests.mapping.directives.applying import failure_of, problem_of, problems_of, resolve

EVENT: dict[str, Any] = {
    "userId": "user-1",
    "now": "an event may have this field",
    "properties": {
        "name": "lea MARTIN",
        "count": 42,
        "text_count": "42",
        "price": 450.0,
        "yes": True,
        "nothing": None,
        "tags": ["a", "b", None, 1.0],
        "items": [{"sku": "a", "price": 5}, {"sku": "b", "price": "7"}, {"sku": "c"}],
        "address": {"city": "Paris", "size": "large"},
        "html": "<p>Hello <b>you</b></p><!-- > --><script>if (a > b) x()</script> <",
        "at": "2024-01-02T15:04:05.678+02:00",
    },
}


def rendered(source: str, event: Any = EVENT) -> Any:
    return resolve({"@liquid": source}, event)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("Hello {{ properties.name }}!", "Hello lea MARTIN!"),
        ("{{ properties.count }} {{ properties.price }} {{ properties.yes }}", "42 450 true"),
        ("[{{ properties.nothing }}{{ missing }}{{ missing.below.it }}]", "[]"),
        ("{{ properties.tags }}", "ab1"),
        ("{{ properties.address }}", "[object Object]"),
        ("{{ properties.address.city }}{{ properties['address']['city'] }}", "ParisParis"),
        ("{{ properties.address.size }}{{ properties.tags.size }}", "large4"),
        ("{{ properties.tags.first }}{{ properties.tags[1] }}{{ properties.tags.last }}", "ab1"),
        ("{{ now }}", "an event may have this field"),
        ("{{ today }}", ""),
        ("<b>{{ '<&>' }}</b>", "<b><&></b>"),
        ("{% if properties.count > 10 %}many{% else %}few{% endif %}", "many"),
        ("{% if properties.count > 50 %}many{% elsif properties.count >= 42 %}some{% endif %}", "some"),
        ("{% if properties.text_count > 10 %}many{% endif %}", "many"),
        ("{% if properties.name > 10 or missing < 1 or properties.address > 1 %}wrong{% endif %}", ""),
        ("{% if properties.nothing < 1 %}null is 0{% endif %}", "null is 0"),
        ("{% if properties.count == '42' %}wrong{% endif %}", ""),
        ("{% if properties.tags contains 'a' and properties.name contains 'lea' %}yes{% endif %}", "yes"),
        ("{% if properties.count contains 4 or properties.address contains 'city' %}wrong{% endif %}", ""),
        ("{% if not missing %}not{% endif %}", "not"),
        ("{% if not properties.yes and properties.yes %}wrong{% endif %}", ""),
        ("{% if not missing and properties.yes %}not before and{% endif %}", "not before and"),
        ("{% if properties.yes and not properties.count < 10 or missing %}yes{% endif %}", "yes"),
        ("{% if not properties.count == 42 %}wrong{% endif %}", ""),
        ("{% if false and true or true %}from the right{% endif %}", ""),
        ("{{ 'a\\nb' }}{% assign x = 'c\\td' %}{{ x | append: '\\u00e9\\101\\q' }}", "a\nbc\td\u00e9Aq"),
        ("{% if properties.name contains 'l\\145a' %}yes{% endif %}{% cycle '\\n' %}", "yes\n"),
        ("{{ '\\ud83d\\ude00\\ud83d' }}", "\U0001f600\ufffd"),
        ("{% unless missing %}no{% endunless %}", "no"),
        ("{% unless properties.count < 10 %}no{% endunless %}", "no"),
        ("{% if missing == nil and properties.nothing == nil and missing == empty %}wrong{% endif %}", ""),
        ("{% if '' == empty and ' ' == blank %}yes{% endif %}", "yes"),
        ("{% assign x = properties.name | upcase %}{{ x }}", "LEA MARTIN"),
        ("{% capture x %}[{{ userId }}]{% endcapture %}{{ x }}{{ x }}", "[user-1][user-1]"),
        ("{% comment %}{{ userId }}{% endcomment %}{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{% # a note %}{% echo userId %}{% increment n %}{% cycle 'a', 'b' %}", "user-10a"),
        ("  {%- if true -%}  x  {%- endif -%}  ", "x"),
        ("{{ (1..3) }} {{ (1..3) | join: '-' }}", "123 1-2-3"),
    ],
)
def test_tags_and_values(source: str, text: str) -> None:
    assert rendered(source) == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'a' | append: 'b'", "ab"),
        ("properties.price | append: properties.yes", "450true"),
        ("'b' | prepend: 'a'", "ab"),
        ("'heLLo' | capitalize", "Hello"),
        ("'ÀÉ' | downcase", "àé"),
        ("'x' | upcase: 'one', 'too many'", "X"),
        ("' x ' | strip | append: '|'", "x|"),
        ("'--x--' | strip: '-'", "x"),
        ("'--x--' | lstrip: '-'", "x--"),
        ("'--x--' | rstrip: '-'", "--x"),
        ("'a b  c' | normalize_whitespace", "a b c"),
        ("'a b  c' | number_of_words", "3"),
        ("'aXbX' | replace: 'X', 5", "a5b5"),
        ("'ab' | replace: '', '-'", "a-b"),
        ("'aXbX' | replace_first: 'X', '-'", "a-bX"),
        ("'aXbX' | replace_last: 'X', '-'", "aXb-"),
        ("'aXbX' | remove: 'X'", "ab"),
        ("'aXbX' | remove_first: 'X'", "abX"),
        ("'aXbX' | remove_last: 'X'", "aXb"),
        ("'a,b,,' | split: ',' | size", "2"),
        ("'ab' | split: '' | join: '-'", "a-b"),
        ("'<a href=\"x\">&' | escape", "&lt;a href=&#34;x&#34;&gt;&amp;"),
        ('"\'" | escape', "&#39;"),
        ("'&lt;<' | escape_once", "&lt;&lt;"),
        ("properties.html | strip_html", "Hello you <"),
        ("'a b&c/é' | url_encode", "a+b%26c%2F%C3%A9"),
        ("'a+b%26' | url_decode", "a b&"),
        ("'a b!' | cgi_escape", "a+b%21"),
        ("'http://x.io/?q=a b' | uri_escape", "http://x.io/?q=a%20b"),
        ("'héllo' | base64_encode", "aMOpbGxv"),
        ("'aMOpbGxv' | base64_decode", "héllo"),
        ("'a long text' | truncate: 6", "a l..."),
        ("'abc' | truncate: 3", "abc"),
        ("'a long text' | truncate: 6, ''", "a long"),
        ("'a long text' | truncatewords: 2", "a long..."),
        ("'abc' | slice: 1", "b"),
        ("'abcd' | slice: -3, 2", "bc"),
        ("'abc' | slice: -5, 1", "b"),
        ("'abc' | slice: -4, 2", ""),
        ("'abc' | slice: 5, 1", ""),
        ("missing | slice: 1 | size", "0"),
        ("'abcd' | slice: 'x', '2'", "ab"),
        ("properties.tags | slice: 0, 2 | join", "a b"),
        ("3 | divided_by: 2", "1.5"),
        ("1 | divided_by: 0", "Infinity"),
        ("0 | divided_by: 0", "NaN"),
        ("7 | divided_by: 2, true", "3"),
        ("0.1 | plus: 0.2", "0.30000000000000004"),
        ("'5' | times: '0x10'", "80"),
        ("missing | plus: 1", "1"),
        ("'junk' | minus: 1", "-1"),
        ("-5 | modulo: 3", "-2"),
        ("2.5 | round", "3"),
        ("-2.5 | round", "-2"),
        ("2.345 | round: 2", "2.35"),
        ("2.1 | ceil", "3"),
        ("-2.1 | floor", "-3"),
        ("-5 | abs", "5"),
        ("5 | at_most: 3", "3"),
        ("5 | at_least: 7", "7"),
        ("'1e21' | plus: 0", "1e+21"),
        ("9007199254740993 | plus: 0", "9007199254740992"),
        ("' 12 ' | to_integer", "12"),
        ("'x' | to_integer", "NaN"),
        ("missing | default: 'none'", "none"),
        ("'' | default: 'none'", "none"),
        ("false | default: 'none'", "none"),
        ("false | default: 'none', allow_false: true", "false"),
        ("0 | default: 'none'", "0"),
        ("properties.tags | json", '["a","b",null,1]'),
        ("properties.nothing | json", "null"),
        ("missing | json", ""),
        ("properties.items | where: 'price' | size", "2"),
        ("properties.items | where: 'sku', 'b' | json", '[{"sku":"b","price":"7"}]'),
        ("properties.items | sum: 'price'", "12"),
        ("properties.tags | compact | size", "3"),
        ("properties.tags | push: 'z' | last", "z"),
        ("properties.tags | unshift: 'z' | first", "z"),
        ("properties.tags | pop | size", "3"),
        ("properties.tags | shift | first", "b"),
        ("properties.tags | join: ', '", "a, b, , 1"),
        ("properties.name | size", "10"),
        ("properties.count | size", "0"),
    ],
)
def test_filters(expression: str, text: str) -> None:
    assert rendered("{{ " + expression + " }}") == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("properties.at | date: '%Y-%m-%d %H:%M:%S.%L %z'", "2024-01-02 13:04:05.678 +0000"),
        ("properties.at | date: '%H:%M %:z', 'Europe/Paris'", "14:04 +01:00"),
        ("properties.at | date: '%H:%M', -60", "14:04"),
        ("'2024-01-02' | date", "Tuesday, January 2, 2024 at 12:00 am +0000"),
        (
            "'2024-01-02' | date: '%a %A %b %B %C %d %e %-d %j %y'",
            "Tue Tuesday Jan January 20 02  2 2 002 24",
        ),
        (
            "'2024-01-02T15:04:05Z' | date: '%I %l %k %p %P %s %N %q'",
            "03  3 15 PM pm 1704207845 000000000 nd",
        ),
        ("'2024-01-07T03:00:00Z' | date: '%u %w %U %W %Z %% %n%t|'", "7 0 01 01 UTC % \n\t|"),
        ("'2024-01-02T15:04:05Z' | date: '%c | %x | %X'", "1/2/2024, 3:04:05 PM | 1/2/2024 | 3:04:05 PM"),
        ("'2024-01-02' | date: '%^a %#A %5d %_m %03N %Q'", "TUE TUESDAY 00002  1 000 %Q"),
        ("'March 14, 2016' | date: '%F %Y-%m-%d'", "%F 2016-03-14"),
        ("1700000000 | date: '%Y'", "2023"),
        ("'1700000000' | date: '%Y'", "2023"),
        ("'no date' | date: '%Y'", "no date"),
        ("'March 2016' | date: '%Y-%m-%d'", "2016-03-01"),
        ("'2 January 2024 15:00 EST' | date: '%H:%M'", "20:00"),
        ("'2 January 2024 15:00 GMT' | date: '%H:%M'", "15:00"),
        ("'Tue, 02 Jan 2024 15:00:00 +0200' | date: '%H:%M'", "13:00"),
        ("'2 January 2024 15:00 XYZT' | date: '%H:%M'", "2 January 2024 15:00 XYZT"),
        ("'May 5' | date: '%Y'", "May 5"),
        ("'10:30' | date: '%Y'", "10:30"),
        ("true | date: '%Y'", "true"),
        ("'99999999999999' | date: '%Y'", "99999999999999"),
        ("'x' | date: 5, true", "x"),
        ("properties.nothing | date: '%Y'", ""),
        ("properties.at | date: '%H', 'No/Where'", "2024-01-02T15:04:05.678+02:00"),
        ("properties.at | date_to_xmlschema", "2024-01-02T13:04:05+00:00"),
        ("properties.at | date_to_rfc822", "Tue, 02 Jan 2024 13:04:05 +0000"),
        ("properties.at | date_to_string", "02 Jan 2024"),
        ("properties.at | date_to_long_string: 'ordinal'", "2nd January 2024"),
        ("'2024-01-13' | date_to_string: 'ordinal', 'US'", "Jan 13th, 2024"),
    ],
)
def test_dates(expression: str, text: str) -> None:
    assert rendered("{{ " + expression + " }}") == text


def test_the_clock_is_there_for_dates() -> None:
    assert 2026 <= int(rendered("{{ 'now' | date: '%Y' }}")) < 2200


@pytest.mark.parametrize("tag", ["case", "for", "include", "layout", "render", "tablerow"])
def test_tags_that_segment_has_switched_off(tag: str) -> None:
    problem = problem_of({"a": {"@liquid": f"{{% {tag} x %}}{{{{ y }}}}"}})
    assert problem.path == "mapping.a.@liquid"
    assert problem.message == f"is no Liquid template: the tag {tag} is switched off"


@pytest.mark.parametrize(
    "name",
    [
        "array_to_sentence_string", "concat", "find", "find_exp", "find_index", "find_index_exp", "group_by",
        "group_by_exp", "has", "has_exp", "map", "newline_to_br", "reject", "reject_exp", "reverse", "sort",
        "sort_natural", "uniq", "where_exp", "type",
    ],
)  # fmt: skip
def test_filters_that_segment_has_switched_off(name: str) -> None:
    problem = problem_of({"@liquid": f"{{{{ properties.tags | {name}: 'x' }}}}"})
    assert problem.message == f"has the filter {name}, which Segment has switched off"


def test_unknown_filters_and_all_of_them() -> None:
    source = "{{ a | upcas | sort }}{% if b %}{% assign c = a | zzzz %}{% endif %}"
    messages = [problem.message for problem in problems_of({"@liquid": source})]
    assert sorted(messages) == [
        "has the filter sort, which Segment has switched off",
        "has upcas, which is not a filter here",
        "has zzzz, which is not a filter here",
    ]


@pytest.mark.parametrize(
    "source", ["{{ a | }", "{% if a %}", "{% nosuchtag %}", "{{ a b }}", "{% endif %}", "{{ 'a }}"]
)
def test_what_is_no_liquid(source: str) -> None:
    assert problem_of({"@liquid": source}).message.startswith("is no Liquid template: ")


@pytest.mark.parametrize("argument", [1, None, True, {}, [], {"@path": "$.a"}])
def test_a_template_is_a_text(argument: Any) -> None:
    assert problem_of({"@liquid": argument}).suggestion == "Write a Liquid template, as text."


def test_a_template_has_at_most_1000_characters() -> None:
    assert rendered("x" * 1000) == "x" * 1000
    assert problem_of({"@liquid": "x" * 1001}).message == "has 1001 characters"
    assert problem_of({"@liquid": "\U0001f600" * 501}).message == "has 1002 characters"


@pytest.mark.parametrize(
    "source",
    [
        "{% assign a = userId %}" + "{% assign a = a | append: a %}" * 30 + "{{ a }}",
        "{% assign a = 'aaaaaaaaaa' %}" + "{% assign a = a | replace: 'a', a %}" * 20,
        "{% capture a %}aaaaaaaaaaaa{% endcapture %}" + "{% capture a %}{{ a }}{{ a }}{% endcapture %}" * 20,
        "{{ (1..10000000000000000000) | join }}",
        "{{ (1..10000000000) }}",
        "{% assign a = (1..9999) | join %}{{ a | split: '' | join: a }}",
        "{% assign a = (1..9999) | join %}" + "{% assign a = a | append: a | upcase | downcase %}" * 15,
        "{% if (1..9999999999) contains 'x' %}{% endif %}",
    ],
)
def test_no_template_works_without_end(source: str) -> None:
    failure = failure_of({"@liquid": source}, EVENT)
    assert failure.detail == "makes too much text, or takes too much work"


def test_too_much_text_costs_the_event() -> None:
    failure = failure_of({"a": {"@liquid": "{{ t }}{{ t }}"}}, {"t": "x" * 600_000})
    assert (failure.directive, failure.path) == ("@liquid", "mapping.a.@liquid")
    assert failure.detail == "makes too much text, or takes too much work"


def test_what_cannot_be_rendered_costs_the_event_and_tells_nothing_of_it() -> None:
    failure = failure_of({"@liquid": "{{ secret | base64_decode }}"}, {"secret": "hunter2"})
    assert failure.detail == "cannot be rendered for this event (Error)"
    assert "hunter2" not in str(failure)


def test_large_numbers() -> None:
    assert rendered("{{ n }}", {"n": 12345678901234567890}) == "12345678901234567890"
    assert rendered("{{ n }}", {"n": WrittenFloat(1e300)}) == "1e+300"
    assert rendered("{{ n | times: n }}", {"n": 10**200}) == "Infinity"
    with pytest.raises(DigitsLost):
        rendered("{{ n }}", {"n": 1e300})


def test_in_a_shape_an_item_that_is_no_object_has_no_fields() -> None:
    template = {"@arrayPath": ["$.properties.tags", {"@liquid": "[{{ length }}]"}]}
    assert resolve(template, EVENT) == ["[]"] * 4


def test_the_event_stays_as_it_is() -> None:
    event = {"tags": ["b", "a"], "x": 1}
    rendered("{% assign x = 2 %}{{ tags | push: 'c' | join }}{% increment tags %}", event)
    assert event == {"tags": ["b", "a"], "x": 1}


def test_the_library_is_loaded_only_by_a_template_that_needs_it() -> None:
    code = (
        "import sys; from mapping.directives import compile_template as c; c({'a': {'@template': 'x'}});"
        "assert 'liquid' not in sys.modules; c({'a': {'@liquid': 'x'}}); assert 'liquid' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
