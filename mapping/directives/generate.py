"""Shapes to functions. Objects, `@if` and `@merge` are written as Python source: it looks each path up once, and calls
nothing for what is usual.

As closures the usual template costs three times as much (`bench/templates.py`), for every event of a worker.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mapping.directives.lookup import Keys, member, members_of, path_function
from mapping.directives.shapes import NOTHING, Constant, IfExists, Merge, Object, Path, Resolver, Shape
from mapping.directives.undefined import UNDEFINED


def resolver_of(shape: Shape) -> Resolver:
    """The function for a shape."""
    if isinstance(shape, Constant):
        return lambda _root: shape.value
    if isinstance(shape, Path):
        return path_function(shape.keys)
    return _Source().function(shape) if isinstance(shape, IfExists | Object | Merge) else shape


class _Source:
    """The source of one function of `root`: first all paths, which no event can make fail, then the rest."""

    def __init__(self) -> None:
        self._body: list[str] = []
        self._found: dict[Keys, str] = {(): "root"}
        self._members: dict[str, list[tuple[str, str]]] = {}
        self._globals: dict[str, Any] = {
            "UNDEFINED": UNDEFINED,
            "member": member,
            "members_of": members_of,
        }
        self._names = 0

    def function(self, shape: Shape) -> Resolver:
        result = self._value(shape, "    ")
        lines = ["def resolve(root):", *self._lookups(), *self._body, f"    return {result}"]
        code = compile("\n".join(lines), "<template>", "exec")
        # Names of a template stand in the source as string literals, and nothing of an event does.
        exec(code, self._globals)  # nosec B102
        resolve: Resolver = self._globals["resolve"]
        return resolve

    def _lookups(self) -> Iterator[str]:
        """All members of one object together; an object stands before those in it."""
        for parent, members in self._members.items():
            yield f"    if type({parent}) is dict:"
            for name, key in members:
                yield f"        {name} = {parent}.get({key!r}, UNDEFINED)"
            yield f"    elif {parent} is UNDEFINED:"
            yield f"        {' = '.join(name for name, _ in members)} = UNDEFINED"
            yield "    else:"
            for name, key in members:
                yield f"        {name} = member({parent}, {key!r})"

    def _value(self, shape: Shape, indent: str) -> str:
        """The name of the variable that holds the value, after the lines that were written."""
        if isinstance(shape, Path):
            return self._at(shape.keys)
        if isinstance(shape, Constant):
            return "UNDEFINED" if shape.value is UNDEFINED else self._global(shape.value)
        name = self._name("value")
        if isinstance(shape, Object):
            self._write_object(name, shape, indent)
        elif isinstance(shape, Merge):
            self._write_merge(name, shape, indent)
        elif isinstance(shape, IfExists):
            self._write_if(name, shape, indent)
        else:
            self._body.append(f"{indent}{name} = {self._global(shape)}(root)")
        return name

    def _write_object(self, name: str, shape: Object, indent: str) -> None:
        self._body.append(f"{indent}{name} = {{}}")
        for key, member_shape in shape.members:
            value = self._value(member_shape, indent)
            kept = shape.keeps_undefined or isinstance(member_shape, Object | Merge)
            condition = "" if kept else f"if {value} is not UNDEFINED: "
            self._body.append(f"{indent}{condition}{name}[{key!r}] = {value}")

    def _write_merge(self, name: str, shape: Merge, indent: str) -> None:
        """Only the template's own objects, and what functions give, can have members that are UNDEFINED."""
        *earlier, last = shape.sources or (NOTHING,)
        self._body.append(f"{indent}{name} = {{}}")
        for source in earlier:
            self._write_update(name, source, indent)
        if shape.keeps_undefined:
            self._write_update(name, last, indent)
        elif isinstance(last, Object) and all(isinstance(source, Path) for source in earlier):
            for key, member_shape in last.members:
                value = self._value(member_shape, indent)
                self._body.append(f"{indent}if {value} is not UNDEFINED: {name}[{key!r}] = {value}")
                self._body.append(f"{indent}elif {key!r} in {name}: del {name}[{key!r}]")
        else:
            self._write_update(name, last, indent)
            members = f"key: value for key, value in {name}.items() if value is not UNDEFINED"
            self._body.append(f"{indent}{name} = {{{members}}}")

    def _write_update(self, name: str, shape: Shape, indent: str) -> None:
        value = self._value(shape, indent)
        self._body.append(f"{indent}{name}.update({value} if type({value}) is dict else members_of({value}))")

    def _write_if(self, name: str, shape: IfExists, indent: str) -> None:
        value = self._value(shape.value, indent)
        self._body.append(f"{indent}if {value} is UNDEFINED or {value} is None:")
        self._body.append(f"{indent}    {name} = {self._value(shape.otherwise, indent + '    ')}")
        self._body.append(f"{indent}else:")
        self._body.append(f"{indent}    {name} = {self._value(shape.then, indent + '    ')}")

    def _at(self, keys: Keys) -> str:
        if keys not in self._found:
            parent = self._at(keys[:-1])
            name = self._found[keys] = self._name("found")
            self._members.setdefault(parent, []).append((name, keys[-1]))
        return self._found[keys]

    def _global(self, value: Any) -> str:
        name = self._name("constant")
        self._globals[name] = value
        return name

    def _name(self, kind: str) -> str:
        self._names += 1
        return f"{kind}_{self._names}"
