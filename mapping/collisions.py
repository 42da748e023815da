"""Keys that fold to one name: the last one wins, and that is reported."""

from __future__ import annotations

from collections.abc import Iterable

from mapping.naming import NameTable
from mapping.profile import FieldProblem


def report_collisions(keys: Iterable[str], names: NameTable, path: str, problems: list[FieldProblem]) -> None:
    """Adds `name_collision` for each key whose name an earlier one took. `path` is what stands before a key in its
    field's path; fields that have a problem already were left out, and took no name."""
    left_out = {problem.field for problem in problems}
    taken: set[str] = set()
    for key in keys:
        name = names[key]
        if name and path + key not in left_out:
            if name in taken:
                problems.append(FieldProblem(path + key, "name_collision"))
            taken.add(name)
