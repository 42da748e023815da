"""How the tests of directives apply a template."""

from __future__ import annotations

from typing import Any

import pytest

from mapping.directives import DirectiveFailed, TemplateError, TemplateProblem, compile_template

EVENT: dict[str, Any] = {
    "type": "track",
    "userId": "user-1",
    "event": "Order Completed",
    "traits": {"email": "Lea@Example.com", "logins": 5, "nothing": None, "empty": "", "no": False, "zero": 0},
    "properties": {
        "total": 99.5,
        "price": 450.0,
        "products": [{"sku": "a", "quantity": 2}, {"sku": "b"}],
        "tags": ["x", None, "z"],
        "address": {"city": "Paris", "geo": {"lat": 48.9}},
        "first name": "Lea",
        "big number": 12345678901234567890,
    },
}


def resolve(template: Any, event: Any = EVENT) -> Any:
    return compile_template(template).resolve(event)


def problems_of(template: Any) -> tuple[TemplateProblem, ...]:
    with pytest.raises(TemplateError) as caught:
        compile_template(template)
    return caught.value.problems


def problem_of(template: Any) -> TemplateProblem:
    (problem,) = problems_of(template)
    return problem


def failure_of(template: Any, event: Any = EVENT) -> DirectiveFailed:
    compiled = compile_template(template)
    with pytest.raises(DirectiveFailed) as caught:
        compiled.resolve(event)
    return caught.value
