"""Templates of `@liquid`, parsed and rendered by python-liquid, with LiquidJS's ideas of values."""

from __future__ import annotations

from functools import cache
from typing import Any, TextIO

from liquid import BoundTemplate, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin import register
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.exceptions import LiquidError, LiquidSyntaxError, OutputStreamLimitError
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.utils import ReadOnlyChainMap

from mapping.directives.arguments import closest
from mapping.directives.liquid.filters import SWITCHED_OFF, all_filters
from mapping.directives.liquid.javascript import adapt
from mapping.directives.liquid.values import TooMuch, liquid_text
from mapping.directives.place import Place
from mapping.directives.shapes import Shape
from mapping.numbers import DigitsLost

OUTPUT_LIMIT = 1_000_000
"""Bytes of UTF-8 that a template may make of one event."""
WORK_LIMIT = 20_000_000
"""Characters and items that the filters of a template may handle for one event."""

TAGS = frozenset(
    (
        "if", "unless", "assign", "capture", "comment", "cycle", "increment", "decrement", "echo", "liquid", "#",
        "content", "illegal",
    )
)  # fmt: skip
"""Tags of LiquidJS, and two that the library's parser has for text and for tags that there are not."""
TAGS_SWITCHED_OFF = frozenset(("case", "for", "include", "layout", "render", "tablerow"))
"""Tags that Segment does not allow in `@liquid` (mapping kit, liquid-directive)."""

_REMEDY = "Correct the template; docs/templates.md lists its tags and filters."


def compile_source(source: str, place: Place) -> Shape:
    """The resolver of a template, which is not empty."""
    try:
        template = _environment().from_string(source)
        names = template.filter_names()
        adapt(template.nodes, _Context(template))
    except (LiquidError, RecursionError) as error:
        return place.refused(f"is no Liquid template: {_reason(error)}", _REMEDY)
    filters = _environment().filters
    for name in names:
        if name in SWITCHED_OFF:
            place.refused(
                f"has the filter {name}, which Segment has switched off", "Use another filter, or none."
            )
        elif name not in filters:
            place.refused(f"has {name}, which is not a filter here", closest(name, filters))

    def resolve(root: Any) -> Any:
        try:
            return template.render(root if isinstance(root, dict) else {})
        except (DigitsLost, RecursionError):
            raise
        except (TooMuch, OutputStreamLimitError):
            raise place.failed("makes too much text, or takes too much work") from None
        except Exception as error:
            raise place.failed(f"cannot be rendered for this event ({type(error).__name__})") from None

    return resolve


def _reason(error: Exception) -> str:
    message = str(error.args[0]) if error.args else ""
    return message if isinstance(error, LiquidError) and message else "it is nested too deeply"


@cache
def _environment() -> _Environment:
    return _Environment()


class _Context(RenderContext):
    """What a template knows: the event, its own variables, and how much work it has done."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # Without the library's variables `now` and `today`: LiquidJS has none.
        self.scope = ReadOnlyChainMap(self.locals, self.globals, self.counters)
        self._work = 0

    def spend(self, amount: int) -> None:
        """Raises TooMuch when the work is used up."""
        self._work += amount
        if self._work > WORK_LIMIT:
            raise TooMuch

    def get_item(self, obj: Any, key: Any) -> Any:
        """A member. Raises KeyError, IndexError or TypeError if there is none."""
        if isinstance(obj, dict):
            return obj[key] if key in obj or key != "size" else len(obj)
        if isinstance(obj, list | str):
            if key == "size":
                return len(obj)
            if key in ("first", "last") and isinstance(obj, list):
                return obj[0 if key == "first" else -1]
            return obj[key]
        raise KeyError(key)


class _Template(BoundTemplate):
    context_class = _Context


class _OutputNode(OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(liquid_text(self.expression.evaluate(context)))


class _Output(Output):
    node_class = _OutputNode


class _EchoNode(EchoNode):
    render_to_output = _OutputNode.render_to_output


class _Echo(EchoTag):
    node_class = _EchoNode


class _SwitchedOff(Tag):
    def parse(self, stream: TokenStream) -> Node:
        raise LiquidSyntaxError(f"the tag {self.name} is switched off", token=stream.current)


class _Environment(Environment):
    template_class = _Template
    output_stream_limit = OUTPUT_LIMIT
    logical_not_operator = True

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        register(self)
        self.tags = {name: tag for name, tag in self.tags.items() if name in TAGS}
        for tag in (_Output, _Echo):
            self.add_tag(tag)
        for name in TAGS_SWITCHED_OFF:
            self.add_tag(type(name, (_SwitchedOff,), {"name": name, "block": False}))
        self.filters = all_filters()
