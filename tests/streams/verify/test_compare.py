"""Each kind of difference is found and named, and what is no difference is none."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.profile import ArrayDelta, AttributeValue, DateString, UrlString
from sink.encoding import encode_attributes
from streams.verify.compare import MEANINGS, compare

DATE = DateString("1990-01-02T03:04:05Z")


@pytest.mark.parametrize(
    ("expected", "exported", "kind"),
    [
        ("gold", None, "missing"),
        (5, "5", "type"),
        ("5", 5, "type"),
        (1, True, "type"),
        (False, 0, "type"),
        (True, "true", "type"),
        (DATE, 631249445, "type"),
        (DATE, "soon", "type"),
        (["a"], "a", "type"),
        ("a", ["a"], "type"),
        (DATE, "1990-01-02T05:04:05Z", "timezone"),
        (DATE, "1990-01-02T08:34:05Z", "timezone"),
        (DATE, "1990-01-02T03:04:05+02:00", "timezone"),
        (DATE, "1990-01-03T03:04:05Z", "value"),
        (DateString("1990-01-02T03:04:05.250Z"), "1990-01-02T03:04:05Z", "precision"),
        ("a long text", "a long t", "truncated"),
        ("Léa", "LÃ©a", "encoding"),
        ("Léa", "L?a", "encoding"),
        ("Léa", "Le\u0301a", "encoding"),
        ("Tom & Léa", "Tom &amp; Léa", "encoding"),
        ("Lea@Example.com", "lea@example.com", "case"),
        (3.99, 3.990000009, "precision"),
        (3.99, 4.1, "value"),
        (True, False, "value"),
        ("gold", "silver", "value"),
        ("gold", "", "value"),
        (["a", "b"], ["a"], "items"),
        (["a", "b"], None, "missing"),
        (ArrayDelta(("a",), ()), ["b"], "items"),
        (ArrayDelta((), ("a",)), ["a"], "items"),
        (ArrayDelta(("a",), ()), None, "missing"),
        (None, "gold", "not_deleted"),
    ],
)
def test_a_difference(expected: AttributeValue, exported: Any, kind: str) -> None:
    found = compare([{"it": expected}], {"it": exported} if exported is not None else {})

    assert [(each.attribute, each.kind) for each in found] == [("it", kind)]
    assert kind in MEANINGS


@pytest.mark.parametrize(
    ("expected", "exported"),
    [
        (5, 5.0),
        (DATE, "1990-01-02T05:04:05+02:00"),
        (DATE, "1990-01-02T03:04:05.000Z"),
        (UrlString("https://example.com/a"), "https://example.com/a"),
        (["a", "b"], ["b", "a"]),
        (ArrayDelta(("a",), ("b",)), ["c", "a"]),
        (None, None),
        (ArrayDelta((), ("a",)), None),
    ],
)
def test_no_difference(expected: AttributeValue, exported: Any) -> None:
    assert compare([{"it": expected}], {"it": exported, "more": 1}) == []
    assert compare([{"it": expected}], {} if exported is None else {"it": exported}) == []


def test_names_as_posted_tell_the_type() -> None:
    assert compare([{"born": DATE}], {"date(born)": str(DATE)}) == []
    [found] = compare([{"born": DATE, "seen": DATE}], {"born": str(DATE), "date(seen)": str(DATE)})
    assert (found.attribute, found.kind) == ("born", "type")
    [found] = compare([{"site": "x"}], {"url(site)": "x"})
    assert found.kind == "type"


def test_deltas_that_follow_are_applied() -> None:
    updates = [{"tags": ["a", "b"]}, {"tags": ArrayDelta(("c",), ("a",))}, {"tags": ArrayDelta(("d",), ())}]

    assert compare(updates, {"tags": ["b", "c", "d"]}) == []
    [found] = compare(updates, {"tags": ["a", "b", "c", "d"]})
    assert found.kind == "items"


VALUES = st.one_of(
    st.text(min_size=1, max_size=20),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4),
    st.datetimes().map(lambda moment: DateString(moment.isoformat(timespec="milliseconds") + "Z")),
    st.just(UrlString("https://example.com/")),
)
ATTRIBUTES = st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), VALUES, max_size=8)


@given(attributes=ATTRIBUTES, posted=st.booleans())
def test_what_was_sent_is_equal_to_itself(attributes: dict[str, AttributeValue], posted: bool) -> None:
    exported = encode_attributes(attributes) if posted else attributes

    assert compare([attributes], orjson.loads(orjson.dumps(exported))) == []
