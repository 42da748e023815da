"""Environment variables that begin like a setting's and are none: a slip of the hand, or somebody else's."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from typing import NamedTuple

from streams.settings.keys import ENVIRONMENT_PREFIX, suggestion
from streams.settings.problems import Problem

_OF_KUBERNETES = re.compile(
    r"\w+_SERVICE_(?:HOST|PORT(?:_\w+)?)|\w+_PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?"
)
"""What Kubernetes sets in every pod for a service: of `segbatch`, and of `segbatch-web` too."""
_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://.*")
_OF_OUR_TESTS = ("SEGBATCH_TEST_", "SEGBATCH_HYPOTHESIS_")
_NAMES = "is not a setting"


class UnknownVariable(NamedTuple):
    """A variable that is no setting's."""

    problem: Problem
    is_error: bool
    """Nothing but a setting can be meant."""


def unknown_variable(name: str, value: str, known: Collection[str]) -> UnknownVariable | None:
    """What is said of a variable that begins with SEGBATCH_ and is not of the `known`; None if it is not ours."""
    if "__" in name.removeprefix(ENVIRONMENT_PREFIX):
        return UnknownVariable(Problem(name, None, _NAMES, suggestion(name, known)), is_error=True)
    if not value or name.startswith(_OF_OUR_TESTS) or _ADDRESS.fullmatch(value):
        return None
    by_bare_name = {_bare(each): each for each in known}
    if meant := by_bare_name.get(_bare(name)):
        remedy = f"Write {meant}: two underscores stand between a group and its setting."
        return UnknownVariable(Problem(name, None, _NAMES, remedy), is_error=True)
    if _OF_KUBERNETES.fullmatch(name):
        return None
    close = difflib.get_close_matches(_bare(name), by_bare_name, n=1, cutoff=0.85)
    remedy = f"Did you mean {by_bare_name[close[0]]}?" if close else "docs/settings.md lists the settings."
    return UnknownVariable(Problem(name, None, _NAMES, remedy), is_error=False)


def _bare(name: str) -> str:
    return name.replace("_", "")
