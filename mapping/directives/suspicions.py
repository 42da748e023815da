"""What a template says that is allowed, and hardly meant: a path that stands where text is taken as it is, a path or a
placeholder that no event can fill.

Segment's user interface writes the directives itself; who writes a template by hand leaves one out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from mapping.directives.arguments import directive_keys, is_falsy, kind_of
from mapping.directives.lookup import has_stray_bracket, keys_of, strip_root
from mapping.directives.placeholders import has_open_braces, placeholders

_NAME = r"[^\W\d][\w-]*(?:\.[\w-]+|\[[0-9]+\])*"
_ROOTED = re.compile(rf"\$\.{_NAME}")
_OF_AN_EVENT = re.compile(rf"(?:traits|properties|context)\.{_NAME}|userId|anonymousId|groupId|messageId")
_ALONE = re.compile(r"\s*\{\{[^{}]*\}\}\s*")
_AS_THEY_ARE = ("@literal", "@liquid")
"""Directives whose text is meant as it is written."""
_SEARCHED = ("pattern", "pattern2", "replacement", "replacement2")
"""Texts of `@replace` that are looked for and put in."""

_STRAY_BRACKET = "takes a bracket as a letter of a field's name"
_BRACKETS_HOLD = (
    "Brackets hold an index, or a name in quotes without a dot: $.items[0], $.traits['size [cm]']."
)
_BRACES = "A placeholder has two braces on either side, and a path between them: {{traits.name}}."

_OBJECTS = {"profileAttributes": "$.traits", "eventAttributes": "$.properties"}
"""Fields of a mapping that hold an object, and what is usually meant."""


class Suspicion(NamedTuple):
    """One place of a template that will hardly do what was meant."""

    path: str
    """Where it stands: `mapping.identifiers.custom_id`."""
    message: str
    """Completes the sentence that the path begins."""
    remedy: str
    """A sentence with the directive to write."""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}. {self.remedy}"


def suspicions(template: dict[str, Any], path: str = "mapping") -> list[Suspicion]:
    """The places of a template that compiles, in its order. `path` begins the paths."""
    found = list(_of_value(template, path))
    identifiers = template.get("identifiers")
    for field, usual in _OBJECTS.items():
        given = template.get(field, {})
        if isinstance(given, dict | None) or f"{path}.{field}" in {each.path for each in found}:
            continue
        kind = "text" if isinstance(given, str) else kind_of(given)
        message = f"is {kind} where an object belongs: it gives nothing"
        found.append(Suspicion(f"{path}.{field}", message, _write({"@path": usual})))
    custom_id = identifiers.get("custom_id") if isinstance(identifiers, dict) else None
    place = f"{path}.identifiers.custom_id"
    if isinstance(custom_id, str | int | float) and place not in {each.path for each in found}:
        message = "is the same for every event: all users would be written to one profile"
        found.append(Suspicion(place, message, _write({"@path": "$.userId"})))
    return found


def _of_value(value: Any, path: str) -> Iterator[Suspicion]:
    if isinstance(value, str):
        yield from _of_text(value, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _of_value(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, member in value.items():
            if key in directive_keys(value):
                yield from _of_directive(key, member, f"{path}.{key}")
            else:
                yield from _of_value(member, f"{path}.{key}")


def _of_directive(name: str, argument: Any, path: str) -> Iterator[Suspicion]:
    if name == "@template" and isinstance(argument, str):
        yield from _of_placeholders(argument, path)
    elif name == "@path" and isinstance(argument, str):
        yield from _of_path(argument, path)
    elif name == "@if" and isinstance(argument, dict):
        yield from _of_if(argument, path)
    elif name == "@arrayPath" and isinstance(argument, list) and isinstance(argument[0], str):
        yield from _of_path(argument[0], f"{path}[0]")
        for index, shape in enumerate(argument[1:], 1):
            yield from _of_value(shape, f"{path}[{index}]")
    elif name == "@replace" and isinstance(argument, dict):
        for key, member in argument.items():
            if key not in _SEARCHED:
                yield from _of_value(member, f"{path}.{key}")
    elif not (name in _AS_THEY_ARE and isinstance(argument, str)):
        yield from _of_value(argument, path)


def _of_if(arguments: dict[str, Any], path: str) -> Iterator[Suspicion]:
    yield from _of_value(arguments, path)
    alternative = arguments.get("else")
    if alternative is not None and is_falsy(alternative):
        value = json.dumps(alternative)
        message = f"gives nothing: to @if, as Segment has it, an else of {value} is none"
        yield Suspicion(f"{path}.else", message, f'For the value itself write {{"@literal": {value}}}.')


def _of_path(written: str, path: str) -> Iterator[Suspicion]:
    rest = strip_root(written)
    first = keys_of(rest)[:1]
    if first == ("$",) or (written.startswith("$") and not written.startswith("$.")):
        message = f"has the path {written!r}, which looks for a field called {first[0]}"
        yield Suspicion(path, message, _write({"@path": f"$.{rest.lstrip('$.')}"}))
    elif has_stray_bracket(rest):
        yield Suspicion(path, f"has the path {written!r}, which {_STRAY_BRACKET}", _BRACKETS_HOLD)


def _of_placeholders(text: str, path: str) -> Iterator[Suspicion]:
    if has_open_braces(text):
        yield Suspicion(path, "has {{ that begins no placeholder, and stays in the text", _BRACES)
    for place in placeholders(text):
        shown = f"has the placeholder {{{{{place}}}}}, which"
        if place.startswith("$."):
            message = f"{shown} is always empty: it looks for a field called $"
            yield Suspicion(path, message, f"Leave `$.` out: {{{{{place[2:]}}}}}.")
        elif "{" in place:
            yield Suspicion(path, f"{shown} looks for a field with a brace in its name", _BRACES)
        elif has_stray_bracket(place):
            yield Suspicion(path, f"{shown} {_STRAY_BRACKET}", _BRACKETS_HOLD)


def _of_text(text: str, path: str) -> Iterator[Suspicion]:
    if inside := list(placeholders(text)):
        message = f"is taken as it stands: {text!r} has placeholders, and no directive that fills them"
        root, alone = inside[0].removeprefix("$."), _ALONE.fullmatch(text)
        yield Suspicion(
            path, message, _write({"@path": f"$.{root}"} if alone else {"@template": _unrooted(text)})
        )
    elif "{{" in text:
        message = f"is taken as it stands: {text!r} has {{{{, and no directive that fills a placeholder"
        yield Suspicion(path, message, _write({"@template": "{{traits.name}}"}))
    elif _ROOTED.fullmatch(text) or _OF_AN_EVENT.fullmatch(text):
        message = f"is taken as it stands: {text!r} is no path without a directive"
        yield Suspicion(path, message, _write({"@path": f"$.{text.removeprefix('$.')}"}))


def _unrooted(text: str) -> str:
    return re.sub(r"(\{\{\s*)\$\.", r"\1", text)


def _write(directive: dict[str, str]) -> str:
    return f"For the event's value write {json.dumps(directive, ensure_ascii=False)}."
