"""Expressions and events for property tests, drawn so that they often have to do with each other."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

FIELDS = (
    "type", "event", "name", "userId", "properties.a", "properties.b", "properties.list", "properties.box.x",
    r"properties.a\.b", "properties.list.0", "traits", "context.a", "integrations.All", "properties.missing",
)  # fmt: skip
WORDS = ("a", "b", "track", "Order Completed", "", "5", "true", "x*", "ア")
CONSTANTS = (
    '"a"',
    "'b'",
    '"track"',
    '"Order*"',
    '""',
    '"5"',
    "5",
    "-1.5",
    "0",
    "1",
    "true",
    "false",
    "null",
    r'"\u00e9"',
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([0, 1, 5, -1.5, 2**70, *WORDS])
    | st.text(st.characters(), max_size=6)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
_members = st.dictionaries(st.sampled_from(["a", "b", "list", "box", "a.b", "All"]), values, max_size=5)
events: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["type", "event", "name", "userId"]), scalars, max_size=4
).flatmap(
    lambda top: st.dictionaries(
        st.sampled_from(["properties", "traits", "context", "integrations"]), _members | values, max_size=4
    ).map(lambda below: {**top, **below})
)

_fields = st.sampled_from(FIELDS)
_constants = st.sampled_from(CONSTANTS)
_functions = st.sampled_from(
    (
        "length",
        "lowercase",
        "uppercase",
        "snakecase",
        "kebabcase",
        "titlecase",
        "typeof",
        "bool",
        "string",
        "number",
    )
)
_operands = st.recursive(
    _fields | _constants,
    lambda inner: (
        st.builds("{}({})".format, _functions, inner)
        | st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
    ),
    max_leaves=3,
)
_patterns = st.sampled_from(['"Order*"', '"*"', '"[a-z]"', '"?*k"', r'"x\\*"', "properties.a"])
_comparisons = (
    st.builds("{} {} {}".format, _operands, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), _operands)
    | st.builds("{} in [{}, {}]".format, _fields, _constants, _operands)
    | st.builds("{} in {}".format, _operands, _fields)
    | st.builds("contains({}, {})".format, _operands, st.sampled_from(['"a"', "5", "properties.b", "true"]))
    | st.builds("match({}, {})".format, _operands, _patterns)
    | st.sampled_from(["true", "false", "null", "properties.a", "bool(properties.b)"])
)
expressions = st.recursive(
    _comparisons,
    lambda inner: (
        st.builds("!{}".format, inner)
        | st.builds("({})".format, inner)
        | st.builds("{} {} {}".format, inner, st.sampled_from(["and", "or"]), inner)
        | st.builds(
            "({} {} {}) {} {}".format, inner, st.sampled_from(["and", "or"]), inner, st.just("and"), inner
        )
    ),
    max_leaves=6,
)
"""Expressions of the language."""

_pieces = (
    *FIELDS, *CONSTANTS, "and", "or", "in", "!", "=", "!=", "<", ">=", "(", ")", "[", "]", ",", ".", "contains(",
    "match", "length(", "AND", "==", "&&", '"', "'", "\\", "“", "$", "-", "\n", "nonsense", "5a", "{", "é",
)  # fmt: skip
almost_expressions = st.lists(st.sampled_from(_pieces), max_size=12).flatmap(
    lambda pieces: st.sampled_from(["", " "]).map(lambda between: between.join(pieces))
)
"""Texts that begin like expressions and mostly are none."""
