"""The wire form, and what people may read of Batch's messages."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.profile import ArrayDelta, AttributeValue, DateString, UrlString
from sink.coalescer import PendingUpdate
from sink.encoding import encode_attributes, encode_update
from sink.masking import LONGEST_MESSAGE, MASK, mask_attribute, mask_message
from tests.sink.harness import event, record_of


def pending(custom_id: str, attributes: dict[str, AttributeValue], *bodies: object) -> PendingUpdate:
    update = PendingUpdate(custom_id, 0.0)
    update.attributes = attributes
    owner = record_of(custom_id)
    update.events = [(event("e", None, value=body), owner) for body in bodies]
    return update


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (DateString("2026-01-01T00:00:00Z"), {"date(x)": "2026-01-01T00:00:00Z"}),
        (UrlString("https://a.org/"), {"url(x)": "https://a.org/"}),
        ("text", {"x": "text"}),
        (None, {"x": None}),
        (True, {"x": True}),
        (2**53, {"x": 2**53}),
        (1.5, {"x": 1.5}),
        (["a", "b"], {"x": ["a", "b"]}),
        (ArrayDelta(("a",), ()), {"x": {"$add": ["a"]}}),
        (ArrayDelta((), ("b",)), {"x": {"$remove": ["b"]}}),
        (ArrayDelta(("a",), ("b",)), {"x": {"$add": ["a"], "$remove": ["b"]}}),
    ],
)
def test_each_kind_of_value_has_its_wire_form(value: AttributeValue, wire: dict[str, object]) -> None:
    assert orjson.loads(orjson.dumps(encode_attributes({"x": value}))) == wire


def test_what_is_empty_is_left_out() -> None:
    assert encode_update(pending("a", {})) == b'{"identifiers":{"custom_id":"a"}}'
    assert orjson.loads(encode_update(pending("a", {"n": 1}))) == {
        "identifiers": {"custom_id": "a"},
        "attributes": {"n": 1},
    }


@given(st.text(max_size=30), st.text(max_size=30), st.lists(st.text(max_size=5), max_size=4))
def test_any_text_comes_back_from_the_wire(custom_id: str, value: str, names: list[str]) -> None:
    wire = orjson.loads(encode_update(pending(custom_id, {"x": value}, *names)))
    assert wire["identifiers"] == {"custom_id": custom_id}
    assert wire["attributes"] == {"x": value}
    assert [sent["attributes"]["value"] for sent in wire.get("events", [])] == names


@pytest.mark.parametrize(
    "message",
    [
        "Malformed 'canary' here",
        'Malformed "canary" here',
        "Malformed `canary` here",
        "Malformed «canary» here",
        "Malformed “canary” here",
        "Malformed canary@example.org here",
        "Malformed <canary.x+y@example.org> here",
    ],
)
def test_quoted_text_and_addresses_are_masked_without_knowing_them(message: str) -> None:
    masked = mask_message(message)
    assert "canary" not in masked
    assert masked.startswith("Malformed ")
    assert masked.endswith(" here")


@pytest.mark.parametrize("number", ["+33612345678", "06 12 34 56 78", "4111-1111-1111-1111", "20260101"])
def test_long_numbers_are_masked(number: str) -> None:
    assert mask_message(f"value {number} refused") == f"value {MASK} refused"


@pytest.mark.parametrize(
    "update",
    [
        pending("canary", {}),
        pending("u", {"name": "canary"}),
        pending("u", {"link": UrlString("canary")}),
        pending("u", {"tags": ["one", "canary"]}),
        pending("u", {"tags": ArrayDelta((), ("canary",))}),
        pending("u", {}, "canary"),
        pending("u", {}, {"deep": [{"deeper": "canary"}]}),
    ],
)
def test_every_value_of_the_update_is_masked_wherever_it_stands(update: PendingUpdate) -> None:
    assert mask_message("refused canary, really", [pending("v", {}), update]) == f"refused {MASK}, really"


def test_numbers_of_the_update_are_masked() -> None:
    assert mask_message("refused 98765 and 12.75", [pending("u", {"a": 98765, "b": 12.75})]) == (
        f"refused {MASK} and {MASK}"
    )


@pytest.mark.parametrize("value", ["Jane 0612345678 Doe", "O'Brien, said 'x'", "mail jane@x.org now"])
def test_a_value_that_looks_partly_like_something_else_is_masked_whole(value: str) -> None:
    assert mask_message(f"bad: {value}", [pending("u", {"name": value})]) == f"bad: {MASK}"


def test_a_value_that_contains_another_is_masked_whole() -> None:
    update = pending("u", {"a": "Anna", "b": "Annabella Smith"})
    assert mask_message("bad Annabella Smith", [update]) == f"bad {MASK}"


@pytest.mark.parametrize("message", ['[{"name": "can\\"ary é"}]', '[{"name": "can\\"ary \\u00e9"}] bad'])
def test_a_value_is_masked_as_json_writes_it(message: str) -> None:
    masked = mask_message(message, [pending("u", {"name": 'can"ary é'})])
    assert "can" not in masked
    assert "ary" not in masked


@pytest.mark.parametrize("piece", ["canary-of-a-long", "CANARY-OF", "street…", "long canary", "canary@x"])
def test_a_piece_of_a_value_is_masked(piece: str) -> None:
    masked = mask_message(
        f"too long: {piece}", [pending("u", {"name": "A long canary-of-a-long-street canary@x.org"})]
    )
    assert "canary" not in masked.casefold()
    assert "street" not in masked
    assert masked.startswith("too ")


def test_words_that_no_value_has_stay() -> None:
    said = "an array has 1 to 25 items; this one has 300"
    assert mask_message(said, [pending("u", {"name": "canary"})]) == said


@pytest.mark.parametrize("name", ["plan", "date(born)", "url(site)"])
def test_an_attribute_is_named_if_the_update_has_it(name: str) -> None:
    update = pending("u", {"plan": "x", "born": "y", "site": "z"})
    assert mask_attribute(name, update) == name
    assert mask_attribute("canary", update) == MASK


def test_a_message_is_cut_and_an_empty_one_stays_empty() -> None:
    assert len(mask_message("word " * 1000)) == LONGEST_MESSAGE
    assert mask_message("", [pending("canary", {})]) == ""


@given(
    st.text("ΩΨ '\"@.5", min_size=3, max_size=40).map(lambda text: f"Ω{text}Ω"),
    st.text("abc '\"@.5", max_size=20),
    st.text("abc '\"@.5", max_size=20),
)
def test_nothing_of_a_value_survives_whatever_stands_around_it(value: str, before: str, after: str) -> None:
    masked = mask_message(before + value + after, [pending("u", {"x": value})])
    assert "Ω" not in masked
    assert "Ψ" not in masked
