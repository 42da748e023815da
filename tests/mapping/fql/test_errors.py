"""What a person is told who wrote something that is no FQL: what is wrong, where, and what to write instead."""

from __future__ import annotations

import pytest

from mapping.fql import FqlError, compile_trigger


def error(expression: str) -> FqlError:
    with pytest.raises(FqlError) as told:
        compile_trigger(expression)
    return told.value


@pytest.mark.parametrize(
    ("expression", "column", "message", "suggestion"),
    [
        ("", 1, "is empty", "type != null"),
        ("  \n ", 1, "is empty", "type != null"),
        ('type == "track"', 6, "==", "write ="),
        ('type <> "track"', 6, "<>", "write !="),
        ("properties.a => 5", 14, "no such operator", ">="),
        ("properties.a =< 5", 14, "no such operator", "<="),
        ("properties.a >== 5", 14, "no such operator", ">="),
        ('type = "track" && event = "a"', 16, "&", "write and"),
        ('type = "track" || event = "a"', 16, "|", "write or"),
        ('type = "track" AND event = "a"', 16, "lower case", "write and"),
        ('type = "track" Or event = "a"', 16, "lower case", "write or"),
        ('type IN ["track"]', 6, "lower case", "write in"),
        ('NOT type = "track"', 1, "no such keyword", "write !"),
        ('type not in ["track"]', 6, "no opposite", "write !(type in"),
        ('type !in ["track"]', 6, "no opposite", "write !(type in"),
        ('type is "track"', 6, "no such keyword", "write ="),
        ('type is not "track"', 6, "no such keyword", "write !="),
        ('event contains "a"', 7, "before its values", 'contains(event, "Order")'),
        ('event matches "a*"', 7, "before its values", 'contains(event, "Order")'),
        ('type = "track', 8, "not closed", 'end it with "'),
        ("type = 'track", 8, "not closed", "end it with '"),
        ('type = "C:\\"', 8, "not closed", "backslash"),
        ('type = "a" {', 12, "{ has no meaning", None),
        ("type = “track”", 8, "straight quotes", "write \""),
        ("type = ‘track’", 8, "straight quotes", "write \""),  # noqa: RUF001
        ("type = track", 8, 'no field "track"', 'in quotes: "track"'),
        ("type = page", 8, 'no field "page"', 'in quotes: "page"'),
        ("type in [page, screen]", 10, 'no field "page"', 'in quotes: "page"'),
        ("contains(event, Order)", 17, 'no field "Order"', 'in quotes: "Order"'),
        ("userId = anonymousid", 10, 'no field "anonymousid"', 'did you mean anonymousId?; text is'),
        ("properties.a = True", 16, 'no field "True"', "did you mean true?"),
        ("event = Order Completed", 15, "several words", 'write "Order Completed"'),
        ("event in ['a', Order Completed]", 22, "several words", 'write "Order Completed"'),
        ('contains(event "b")', 16, 'comma is missing before "b"', 'contains(event, "Order")'),
        ('match("(" event)', 11, "comma is missing before event", 'match(event, "Order *")'),
        ('type in ["a" "b"]', 14, 'comma is missing before "b"', 'type in ["track", "page"]'),
        ('(type = "a" "b")', 13, 'not "b"', "joined with and"),
        ('contains(event, "a") contains(event, "b")', 22, "not contains", "joined with and"),
        ('tpye = "track"', 1, 'no field "tpye"', "did you mean type?"),
        ('user_id = "a"', 1, 'no field "user_id"', "did you mean userId?"),
        ('Event = "a"', 1, 'no field "Event"', "did you mean event?"),
        ('property.a = "a"', 1, 'no field "property"', "did you mean properties?"),
        ('type = "a" and trait.plan = "a"', 16, 'no field "trait"', "did you mean traits?"),
        ('email = "a"', 1, 'no field "email"', "traits.email"),
        ('page.path = "a"', 1, 'no field "page"', "context.page"),
        ("TRUE", 1, 'no field "TRUE"', "did you mean true?"),
        ('contain(event, "a")', 1, "no function contain()", "did you mean contains()?"),
        ('toLowerCase(event) = "a"', 1, "no function toLowerCase()", "lowercase"),
        ('exists(event)', 1, "no function exists()", "there are: contains, match"),
        ("contains(event)", 1, "two values", 'contains(event, "Order")'),
        ('contains(event, "a", "b")', 1, "two values", 'contains(event, "Order")'),
        ("length() > 1", 1, "one value", "length(properties.products) > 0"),
        ("contains(event, null)", 17, "must be a text", None),
        ('contains(event, ["a"])', 17, "must be a text", None),
        ("match(event, 5)", 14, "must be a text", "quotes"),
        ('match(event, "[a")', 14, "not closed", "\\"),
        ('match(event, "[]")', 14, "between [ and ]", "\\"),
        ('match(event, "[z-a]")', 14, "z-a is empty", "\\"),
        (r'match(event, "a\\")', 14, "ends with a backslash", "\\"),
        ("length(event)", 1, "neither true nor false", "length(properties.products) > 0"),
        ('type = "a" and lowercase(event)', 16, "neither true nor false", "lowercase(event) ="),
        ('"track"', 1, "neither true nor false", "compare it"),
        ('type = "track" or "page"', 19, "neither true nor false", "compare it"),
        ("!5", 2, "neither true nor false", None),
        ("[true]", 1, "neither true nor false", 'type in ["track"'),
        ('type in "track"', 9, "stands a list", '["track"]'),
        ("type in 5", 9, "stands a list", "such as"),
        ('type in lowercase(event)', 9, "stands a list", "such as"),
        ('type in ("track", "page")', 17, "square brackets", '["track", "page"]'),
        ('(type = "track"', 16, "ends too early", "close"),
        ('type in ["track"', 17, "ends too early", "close"),
        ('type = "track")', 15, "no ( is open", "remove"),
        ("type =", 7, "ends too early", None),
        ('type = "a" and', 15, "ends too early", None),
        ("!", 2, "ends too early", None),
        ('and type = "a"', 1, "not and", None),
        ('type = "a" or or type = "b"', 15, "not or", None),
        ('type = "a" event = "b"', 12, "not event", "joined with and"),
        ('type = "a" "b"', 12, 'not "b"', "joined with and"),
        ("1 < properties.a < 5", 18, "one comparison", "and"),
        ('type = "a" ! event = "b"', 12, "stands before", "!="),
        ('$.type = "track"', 1, "no $", "leave it out"),
        ('properties.items[0].sku = "a"', 17, "no brackets", "properties.products.0.sku"),
        ("properties. = 5", 11, "end with a point", "name the field"),
        ("properties.a > .5", 16, "begin with a point", "0.5"),
        ("properties.a > 5.", 16, "no number", "1.5"),
        ("properties.a > 5abc", 16, "no number", "quotes"),
        ("properties.a + 5 = 6", 14, "does not calculate", "in a name"),
        ('type = "a",', 11, ", is not expected", None),
        (r'event = "\ud83d"', 9, "half of a surrogate pair", None),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_a_suggestion(
    expression: str, column: int, message: str, suggestion: str | None
) -> None:
    told = error(expression)

    assert message in told.message
    assert (told.line, told.column) == (1, column)
    assert told.suggestion is None if suggestion is None else suggestion in (told.suggestion or "")


def test_the_text_of_an_error_shows_the_line_with_a_caret() -> None:
    told = error('type = "track"\n  and event == "a"\n  and true')

    assert (told.line, told.column) == (2, 13)
    assert (
        str(told)
        == 'line 2, column 13: == is no operator of FQL\n    and event == "a"\n              ^\n  write ='
    )


def test_of_a_long_line_the_part_around_the_place_is_shown() -> None:
    _, shown, caret, _ = str(error("a" * 500 + " == 5" + " " * 500)).splitlines()

    assert len(shown) <= 102
    assert shown[caret.index("^") :].startswith("== 5")


def test_a_tab_or_another_odd_character_does_not_move_the_caret() -> None:
    _, shown, caret, _ = str(error("type\t\x1b== 5".replace("\x1b", ""))).splitlines()

    assert shown[caret.index("^") :].startswith("== 5")


def test_an_error_is_a_value_error() -> None:
    assert isinstance(error("type"[:0]), ValueError)
