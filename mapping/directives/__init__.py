"""The templates of mappings, as Segment writes them: JSON with directives such as `{"@path": "$.traits.email"}`."""

from mapping.directives.compiler import Template, compile_template
from mapping.directives.errors import DirectiveFailed, TemplateError, TemplateProblem
from mapping.directives.suspicions import Suspicion, suspicions
from mapping.directives.undefined import UNDEFINED

__all__ = [
    "UNDEFINED",
    "DirectiveFailed",
    "Suspicion",
    "Template",
    "TemplateError",
    "TemplateProblem",
    "compile_template",
    "suspicions",
]
