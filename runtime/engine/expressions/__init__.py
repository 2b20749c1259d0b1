"""Formulas: ``{{ … }}`` inside a config value.

Jinja's expression grammar over JSON data, evaluated by closures of our own: paths, operators, ``a if b else c``,
``|`` and a fixed list of functions. No statements, no methods, no Python objects; exact decimals; every evaluation
has a budget.
"""

from __future__ import annotations

from runtime.engine.expressions.describe import describe
from runtime.engine.expressions.errors import ExpressionError
from runtime.engine.expressions.references import ROOTS, Reference
from runtime.engine.expressions.registry import catalogue
from runtime.engine.expressions.template import (
    Template,
    compile_template,
    evaluate,
    is_expression,
    references,
    resolve,
)
from runtime.engine.expressions.values import DEFAULT_LIMITS, Limits, kind_of

__all__ = [
    "DEFAULT_LIMITS",
    "ROOTS",
    "ExpressionError",
    "Limits",
    "Reference",
    "Template",
    "catalogue",
    "compile_template",
    "describe",
    "evaluate",
    "is_expression",
    "kind_of",
    "references",
    "resolve",
]
