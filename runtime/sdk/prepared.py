"""A step type made ready for one step of one version: formulas compiled, fixed settings validated, once.

How the interpreter uses it, keeping one per (version, node):

    prepared = catalog.get(node.type).prepare(node.config)      # once; PermanentError when the settings are refused
    prepared.effect                                             # EffectClass with these settings
    config = prepared.resolve(context)                          # each attempt; only formula fields are touched
    outcome = prepared.type.run(config, step_input, step_context)
    key = prepared.deferred("business_key", context)            # a formula that is worked out on request

A formula in the rules of a decision that fails stays in its place as an ``Unsolved``, which fails the step only if the
rule is looked at. Settings that are not on the form, given the others, are as if they were not stored.

``context`` is a dict ``{"trigger": …, "steps": {key: output}, "run": {…}, "vars": {…}, "error": …}``; it is read, never
changed. ``run`` holds ``id, started_at, now, mode, version, attempt``; ``now`` is the moment the step was first
started, so that ``now()`` gives the same text on every attempt and a repeated request is byte for byte the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from runtime.engine.expressions import ExpressionError, Template, compile_template, is_expression
from runtime.engine.expressions.errors import Unsolved
from runtime.engine.jsonprofile import JSON
from runtime.sdk.effects import EffectClass
from runtime.sdk.errors import PermanentError
from runtime.sdk.fields import Config
from runtime.sdk.messages import place_text, plain_problems, title_of
from runtime.sdk.schema import hinted_fields, is_shown, missing_fields

if TYPE_CHECKING:
    from runtime.sdk.nodetype import NodeType

C = TypeVar("C", bound=Config)

Pattern: TypeAlias = tuple[str, ...]
Place: TypeAlias = tuple[str | int, ...]
Fill: TypeAlias = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class PreparedStep(Generic[C]):
    """See the module's text. Immutable: share it between runs."""

    type: NodeType[C]
    raw: Mapping[str, Any]
    effect: EffectClass
    ports: tuple[str, ...]
    static: C | None
    formulas: tuple[tuple[Place, Template, bool], ...]
    deferred_formulas: Mapping[str, Template]
    #: Makes the settings with formulas worked out; None where there is no formula.
    fill: Fill | None
    #: Whether a formula asks for the failure that led here, which has to be looked for.
    reads_error: bool
    #: Whether a formula asks for the run or the present time, which have to be put together.
    reads_run: bool

    @classmethod
    def make(cls, node_type: NodeType[C], config: Mapping[str, Any]) -> PreparedStep[C]:
        """Compile and validate; raises PermanentError with the field and the reason."""
        config = visible(node_type.config, config)
        spared = _spared(node_type.config)
        formulas: list[tuple[Place, Template, bool]] = []
        deferred: dict[str, Template] = {}
        for place, text, later in formula_places(node_type.expression_fields, node_type.deferred_fields, config):
            try:
                template = compile_template(text)
            except ExpressionError as error:
                raise _formula_failure(node_type, place, error) from None
            if later:
                deferred[place_text(place)] = template
            else:
                formulas.append((place, template, any(_is_below(place, pattern) for pattern in spared)))
        static = None if formulas else _validate(node_type, config)
        holes = {place: _hole(node_type, place, template, spare) for place, template, spare in formulas}
        return cls(
            type=node_type,
            raw=config,
            effect=node_type.effect_of(config),
            ports=node_type.ports(config),
            static=static,
            formulas=tuple(formulas),
            deferred_formulas=deferred,
            fill=_filling(config, (), holes),
            reads_error=any(found.root == "error" for _, template, _ in formulas for found in template.references),
            reads_run=any(template.reads_run for _, template, _ in formulas),
        )

    def resolve(self, context: Mapping[str, Any]) -> C:
        """Work out the formulas and return validated settings; raises PermanentError naming the field."""
        if self.static is not None:
            return self.static
        return _validate(self.type, self.resolved(context))

    def validate(self, values: Mapping[str, Any]) -> C:
        """Settings that were worked out before, validated: what a repeated attempt runs with. Raises PermanentError."""
        return _validate(self.type, values)

    def unsolved(self, values: Any) -> tuple[tuple[Place, Template], ...]:
        """Where settings that were worked out before, as they are written down, have a formula that gave no value. By
        its text, not by its place: what stood before it may have been taken out for one run."""
        spared = {template.text: template for _, template, spared in self.formulas if spared}
        if not spared:
            return ()
        return tuple(
            (place, spared[text])
            for pattern in _spared(self.type.config)
            for place, text in _matching(values, pattern, ())
            if text in spared
        )

    def worked_out_anew(self, values: Any, context: Mapping[str, Any]) -> Any:
        """Such settings with those formulas as they are now: a value, or what fails the step if it is looked at. What
        is written down is text, of which nobody would know that it is no value. All else is as it was."""
        for place, template in self.unsolved(values):
            values = _put(values, place, _hole(self.type, place, template, True)(context))
        return values

    def resolved(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """The settings with formulas worked out, not yet validated: what a step is shown to have received."""
        filled: dict[str, Any] = dict(self.raw) if self.fill is None else self.fill(context)
        return filled

    def deferred(self, field: str, context: Mapping[str, Any]) -> JSON:
        """Work out a deferred field (such as a webhook's ``business_key``); None when it is not set."""
        template = self.deferred_formulas.get(field)
        if template is None:
            value: JSON = self.raw.get(field)
            return value
        try:
            return template.evaluate(context)
        except ExpressionError as error:
            raise _formula_failure(self.type, (field,), error) from None


def _hole(node_type: NodeType[C], place: Place, template: Template, spared: bool) -> Fill:
    """Works out the formula at one place."""
    evaluate = template.evaluate

    def fill(context: Mapping[str, Any]) -> Any:
        try:
            return evaluate(context)
        except ExpressionError as error:
            if not spared:
                raise _formula_failure(node_type, place, error) from None
            return Unsolved(template.text, error)

    return fill


def _put(values: Any, place: Place, value: Any) -> Any:
    """A copy of the settings that has this value at a place that there is."""
    if not place:
        return value
    copy: Any = list(values) if isinstance(values, list) else dict(values)
    copy[place[0]] = _put(copy[place[0]], place[1:], value)
    return copy


def _filling(value: Any, place: Place, holes: Mapping[Place, Fill]) -> Fill | None:
    """Makes a copy of a part of the settings with its holes filled; None where it has none. What has none is shared."""
    if place in holes:
        return holes[place]
    if isinstance(value, Mapping):
        inner = [(key, found) for key, item in value.items() if (found := _filling(item, (*place, key), holes))]
        copy: Callable[[Any], Any] = dict
    elif isinstance(value, list):
        inner = [(at, found) for at, item in enumerate(value) if (found := _filling(item, (*place, at), holes))]
        copy = list
    else:
        return None
    if not inner:
        return None

    def fill(context: Mapping[str, Any]) -> Any:
        fresh = copy(value)
        for key, found in inner:
            fresh[key] = found(context)
        return fresh

    return fill


def visible(model: type[BaseModel], config: Mapping[str, Any]) -> dict[str, Any]:
    """These settings without those that are not on the form, given the others; what must be stored stays."""
    found = dict(config)
    for path, hints in hinted_fields(model):
        if "showIfStep" in hints and not is_shown(model, config, hints["showIfStep"]):
            _without(found, path)
    rules = {path[0]: hints.get("showIf", {}) for path, hints in hinted_fields(model) if len(path) == 1}
    for name in rules:
        if name in found and not model.model_fields[name].is_required() and not _on_form(model, config, rules, name):
            del found[name]
    return found


def _on_form(model: type[BaseModel], config: Mapping[str, Any], rules: Mapping[str, Any], name: str) -> bool:
    """Whether a field is shown, and each field that decides about it is."""
    rule = rules.get(name) or {}
    return is_shown(model, config, rule) and all(_on_form(model, config, rules, other) for other in rule)


def _without(holder: Any, path: Pattern) -> None:
    """Take a field of the entries of a list out; every list and entry on the way is replaced by a copy."""
    name, _star, inner = path
    if isinstance(holder.get(name), list):
        holder[name] = [
            {key: value for key, value in entry.items() if key != inner} if isinstance(entry, Mapping) else entry
            for entry in holder[name]
        ]


def _spared(model: type[BaseModel]) -> tuple[Pattern, ...]:
    """Fields whose formulas may fail until somebody looks at their value."""
    return tuple(
        path for path, hints in hinted_fields(model) if hints.get("widget") == "conditions" or hints.get("spared")
    )


def _is_below(place: Place, pattern: Pattern) -> bool:
    return len(place) >= len(pattern) and all(
        wanted in ("*", part) for part, wanted in zip(place, pattern, strict=False)
    )


def formula_places(
    allowed: Sequence[Pattern], deferred: Sequence[Pattern], config: Mapping[str, Any]
) -> Iterator[tuple[Place, str, bool]]:
    """Every text with a formula in fields that may hold one: (place, text, worked out later)."""
    for pattern in allowed:
        later = pattern in deferred
        for place, text in _matching(config, pattern, ()):
            yield place, text, later


def formulas_of(
    allowed: Sequence[Pattern], deferred: Sequence[Pattern], config: Mapping[str, Any]
) -> Iterator[tuple[str, Template, bool]]:
    """Like ``formula_places``, compiled, with the place as text; formulas that do not compile are passed over."""
    for place, text, later in formula_places(allowed, deferred, config):
        try:
            yield place_text(place), compile_template(text), later
        except ExpressionError:
            continue


def _matching(value: Any, pattern: Pattern, place: Place) -> Iterator[tuple[Place, str]]:
    if not pattern:
        yield from _texts(value, place)
    elif pattern[0] == "*":
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from _matching(item, pattern[1:], (*place, index))
    elif isinstance(value, Mapping) and pattern[0] in value:
        yield from _matching(value[pattern[0]], pattern[1:], (*place, pattern[0]))


def _texts(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        if is_expression(value):
            yield place, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*place, index))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, (*place, key))


def _validate(node_type: NodeType[C], config: Mapping[str, Any]) -> C:
    model = node_type.config
    try:
        # What `model_validate` does, less a call.
        found: C = model.__pydantic_validator__.validate_python(config)
    except ValidationError as refused:
        problems = plain_problems(model, refused)
        _path, _code, message = problems[0]
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        raise PermanentError("The settings do not fit", message + more, "settings") from None
    missing = missing_fields(model, config)
    if missing:
        # What was left empty cannot be published: here a formula gave nothing.
        name = title_of(model, missing[:1])
        raise PermanentError(
            "A value is missing",
            f"“{name}” needs a value, and its formula gave nothing in this run. Look at the data that it reads, or say "
            'what to take then: {{ default(…, "…") }}.',
            "settings",
        )
    return found


def _formula_failure(node_type: NodeType[C], place: Sequence[str | int], error: ExpressionError) -> PermanentError:
    label = title_of(node_type.config, place)
    return PermanentError(
        "A formula could not be worked out",
        f"“{label}”: {error.message}",
        "formula",
        detail=f"{place_text(place)}: {error.code} at character {error.position}",
    )
