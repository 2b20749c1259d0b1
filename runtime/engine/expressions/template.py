"""A field's text with formulas in it, compiled once and worked out many times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from jinja2 import nodes

from runtime.engine.expressions import functions as _functions  # noqa: F401  (fills the registry)
from runtime.engine.expressions.collect import collect_references, needs_now
from runtime.engine.expressions.compiler import Closure, Scope, compile_tree, is_plain_path
from runtime.engine.expressions.errors import ExpressionError
from runtime.engine.expressions.glance import UNCLEAR, Look, glance
from runtime.engine.expressions.parsing import parse, split
from runtime.engine.expressions.references import Reference
from runtime.engine.expressions.values import DEFAULT_LIMITS, Limits, Meter, settle, text_of
from runtime.engine.jsonprofile import JSON

CACHE_SIZE: Final = 4096
_CACHED_LENGTH: Final = 8_192


@dataclass(frozen=True, slots=True)
class Part:
    """One formula of a template: where its ``{{`` stands, its tree for descriptions, its closure."""

    position: int
    tree: nodes.Expr
    closure: Closure
    plain: bool


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled text. ``single``: the whole text is one formula, whose value is kept as it is (number, list, …)."""

    text: str
    parts: tuple[str | Part, ...]
    single: Part | None
    references: tuple[Reference, ...]
    #: Whether it asks for the run: by name, or for the present time, which is the run's.
    reads_run: bool
    #: Where all formulas are plain paths: gives the value at a glance, or UNCLEAR where it takes more than that.
    glance: Look | None

    @property
    def never_true_or_false(self) -> bool:
        """Whether it is one formula that is a value written out, such as a text, a number or a list."""
        if self.single is None:
            return False
        tree = self.single.tree
        if isinstance(tree, nodes.Const):
            return not isinstance(tree.value, bool)
        while isinstance(tree, nodes.Neg | nodes.Pos):
            tree = tree.node
        return isinstance(tree, nodes.Const | nodes.TemplateData | nodes.List | nodes.Tuple | nodes.Dict)

    def evaluate(self, context: Mapping[str, Any], *, limits: Limits = DEFAULT_LIMITS) -> JSON:
        """Work it out against a context; raises ExpressionError. The context is only read."""
        glance = self.glance if limits is DEFAULT_LIMITS else None
        if glance is not None and (seen := glance(context)) is not UNCLEAR:
            return seen  # type: ignore[no-any-return]
        meter = Meter(limits)
        scope = Scope(context, meter)
        single = self.single
        if single is not None:
            return _value(single, scope, meter)  # type: ignore[no-any-return]
        texts = []
        length = 0
        for part in self.parts:
            if type(part) is str:
                text = part
            else:
                try:
                    text = text_of(_value(part, scope, meter), meter)  # type: ignore[arg-type]
                except ExpressionError as error:
                    raise error.at(part.position) from None  # type: ignore[union-attr]
            length += len(text)
            texts.append(text)
        if length > meter.longest:
            raise ExpressionError("too_big", f"The text would be longer than {meter.longest:,} characters.")
        return "".join(texts)


def _value(part: Part, scope: Scope, meter: Meter) -> Any:
    try:
        return settle(part.closure(scope), meter, part.plain)
    except ExpressionError as error:
        if error.position != part.position:
            raise error.at(part.position) from None
        raise
    except (RecursionError, MemoryError):
        raise ExpressionError("too_deep", "This formula is nested too deeply.", part.position) from None
    except (ArithmeticError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        # A function met data it was not written for: a failed formula, never a failed worker.
        raise ExpressionError(
            "type", f"This formula does not fit its data ({type(error).__name__}).", part.position
        ) from error


def is_expression(value: object) -> bool:
    """Whether a stored value holds a formula: text with ``{{`` in it."""
    return isinstance(value, str) and "{{" in value


def compile_template(text: str) -> Template:
    """Compile a text; equal texts share one template. Raises ExpressionError with a position."""
    return _cached(text) if len(text) <= _CACHED_LENGTH else _compile(text)


def evaluate(text: str, context: Mapping[str, Any], *, limits: Limits = DEFAULT_LIMITS) -> JSON:
    """Work out a text: exactly one ``{{ … }}`` gives its own value, anything else gives text."""
    return compile_template(text).evaluate(context, limits=limits)


def references(text: str) -> list[Reference]:
    """What the formulas of a text read, each once, in order."""
    return list(compile_template(text).references)


def resolve(
    config: Mapping[str, Any], context: Mapping[str, Any], expression_fields: Sequence[str] | None = None
) -> dict[str, Any]:
    """A copy of a config with the formulas of its ``expression_fields`` (None: all) worked out, at any depth."""
    return {
        key: _resolved(value, context) if expression_fields is None or key in expression_fields else value
        for key, value in config.items()
    }


def _resolved(value: Any, context: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return evaluate(value, context) if "{{" in value else value
    if isinstance(value, list):
        return [_resolved(item, context) for item in value]
    if isinstance(value, Mapping):
        return {key: _resolved(item, context) for key, item in value.items()}
    return value


@lru_cache(maxsize=CACHE_SIZE)
def _cached(text: str) -> Template:
    return _compile(text)


def _compile(text: str) -> Template:
    parts: list[str | Part] = []
    found: dict[Reference, None] = {}
    for piece in split(text):
        if isinstance(piece, str):
            parts.append(piece)
            continue
        position, source = piece
        try:
            tree = parse(source)
            closure = compile_tree(tree)
        except ExpressionError as error:
            raise error.at(position) from None
        found.update(dict.fromkeys(collect_references(tree)))
        parts.append(Part(position, tree, closure, is_plain_path(tree)))
    formulas = [part for part in parts if isinstance(part, Part)]
    rest = "".join(part for part in parts if isinstance(part, str))
    single = formulas[0] if len(formulas) == 1 and not rest.strip() else None
    reads_run = any(reference.root == "run" for reference in found) or any(needs_now(part.tree) for part in formulas)
    looks = [single.tree] if single else [part if isinstance(part, str) else part.tree for part in parts]
    return Template(text, tuple(parts), single, tuple(found), reads_run, glance(looks, single is not None))
