"""Why an event meets a trigger or does not."""

from __future__ import annotations

from mapping.fql import Found, compile_trigger

EVENT = {
    "type": "track",
    "event": "Order Completed",
    "properties": {"total": 12.5, "tags": ["a", "b"], "gone": None, "long": "x" * 1_000},
}


def explained(expression: str) -> str:
    return str(compile_trigger(expression).explain(EVENT))


def test_of_a_false_and_the_parts_that_are_false_decide() -> None:
    assert explained('type = "track" and event = "Signed Up" and properties.total > 99') == (
        'false  type = "track" and event = "Signed Up" and properties.total > 99\n'
        '  false  event = "Signed Up"   (event is "Order Completed")\n'
        "  false  properties.total > 99   (properties.total is 12.5)"
    )


def test_of_a_true_or_the_parts_that_are_true_decide() -> None:
    assert explained('type = "page" or (type = "track" and properties.total > 10)') == (
        'true   type = "page" or (type = "track" and properties.total > 10)\n'
        '  true   type = "track" and properties.total > 10\n'
        '    true   type = "track"   (type is "track")\n'
        "    true   properties.total > 10   (properties.total is 12.5)"
    )


def test_of_a_negation_its_inside_decides() -> None:
    assert explained('!(properties.coupon = "X")') == (
        'true   !(properties.coupon = "X")\n  false  properties.coupon = "X"   (properties.coupon is missing)'
    )


def test_a_field_that_is_null_is_told_from_one_that_is_missing() -> None:
    decision = compile_trigger("properties.gone = properties.never").explain(EVENT)

    assert decision.result is True
    assert decision.found == (Found("properties.gone", "null"), Found("properties.never", None))


def test_items_of_a_list_and_values_of_functions_are_shown() -> None:
    assert (
        explained('properties.tags.1 = "a"') == 'false  properties.tags.1 = "a"   (properties.tags.1 is "b")'
    )
    assert explained('properties.tags.5 = "a"').endswith("(properties.tags.5 is missing)")
    assert explained('lowercase(event) = "order"') == (
        'false  lowercase(event) = "order"   (event is "Order Completed", lowercase(event) is "order completed")'
    )
    assert explained('"c" in properties.tags').endswith('(properties.tags is ["a","b"])')


def test_a_long_value_is_cut() -> None:
    assert explained('properties.long = "x"').endswith("x…)")
    assert len(explained('properties.long = "x"')) < 300


def test_an_expression_of_several_lines_is_shown_in_one() -> None:
    assert explained('type = "page"\n  or\ttrue').startswith('true   type = "page" or true\n')
