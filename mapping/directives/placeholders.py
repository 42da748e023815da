"""`@template`: text with placeholders, `Hello {{traits.name}}`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mapping.directives.arguments import directive_keys, kind_of
from mapping.directives.generate import resolver_of
from mapping.directives.lookup import keys_of, look_up
from mapping.directives.paths import read_path
from mapping.directives.place import Place
from mapping.directives.shapes import Resolver, Shape
from mapping.directives.text import text_or_nothing

_SPACES = " \t\n\v\f\r\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What JavaScript's trim() takes off."""


def compile_template_text(argument: Any, place: Place) -> Shape:
    """`@template`: a text, or a directive that gives one."""
    if isinstance(argument, str):
        return _text_resolver(argument, place)
    if not directive_keys(argument):
        return place.refused(
            f"is {kind_of(argument)}", "Write a text such as Hello {{traits.name}}, or a directive."
        )
    template = place.compiled(argument)
    place.reads.everything = True

    def resolve(root: Any) -> Any:
        text = template(root)
        if not isinstance(text, str):
            raise place.failed(f"needs a text, and its directive gave {kind_of(text)}")
        return "".join(
            text_or_nothing(look_up(root, keys_of(part))) if is_path else part
            for is_path, part in _parts(text)
        )

    return resolve


def placeholders(text: str) -> Iterator[str]:
    """The paths between `{{` and `}}`, in order."""
    return (part for is_path, part in _parts(text) if is_path)


def has_open_braces(text: str) -> bool:
    """Whether a `{{` begins no placeholder, and so stays in the text."""
    return any("{{" in part for is_path, part in _parts(text) if not is_path)


def _text_resolver(template: str, place: Place) -> Resolver:
    parts: list[str | Resolver] = [
        resolver_of(read_path(part, place)) if is_path else part for is_path, part in _parts(template)
    ]

    def resolve(root: Any) -> Any:
        return "".join([part if isinstance(part, str) else text_or_nothing(part(root)) for part in parts])

    return resolve


def _parts(template: str) -> Iterator[tuple[bool, str]]:
    """Texts (False) and paths (True) in order. `{{{p}}}` is `{{p}}`; `{{}}` is text. Linear in the length."""
    done = at = 0
    while (start := template.find("{{", at)) >= 0 and (end := template.find("}", start + 2)) >= 0:
        if template.startswith("{{{", start) and template.startswith("}}}", end) and end > start + 3:
            braces = 3
        elif template.startswith("}}", end) and end > start + 2:
            braces = 2
        else:
            at = end + 1
            continue
        yield False, template[done:start]
        yield True, template[start + braces : end].strip(_SPACES)
        done = at = end + braces
    yield False, template[done:]
