"""What can be read off a config model: its JSON Schema, its formula fields, its problems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from runtime.engine import conditions
from runtime.engine.expressions import ExpressionError, compile_template
from runtime.sdk.messages import inner_model, located_problems, place_text, title_of

if TYPE_CHECKING:
    from runtime.sdk.nodetype import NodeType

Pattern = tuple[str, ...]


@lru_cache(maxsize=1024)
def hinted_fields(model: type[BaseModel]) -> tuple[tuple[Pattern, dict[str, Any]], ...]:
    """Every field at any depth as (path pattern, x-ui hints); ``*`` stands for every entry of a list."""
    return tuple(_walk(model, ()))


def _walk(model: type[BaseModel], prefix: Pattern) -> Iterator[tuple[Pattern, dict[str, Any]]]:
    for name, field in model.model_fields.items():
        extra = field.json_schema_extra
        hints: Any = extra.get("x-ui", {}) if isinstance(extra, dict) else {}
        path = (*prefix, name)
        yield path, dict(hints)
        inner = inner_model(field.annotation)
        if inner is not None and not hints.get("expression"):
            yield from _walk(inner, (*path, "*") if "list" in str(field.annotation) else path)


def marked_fields(model: type[BaseModel], mark: str) -> tuple[Pattern, ...]:
    """Paths of the fields whose hints hold ``mark``."""
    return tuple(path for path, hints in hinted_fields(model) if hints.get(mark))


def connection_kinds(model: type[BaseModel]) -> tuple[str, ...]:
    """The connection kinds that the fields of a model take."""
    found: dict[str, None] = {}
    for _path, hints in hinted_fields(model):
        found.update(dict.fromkeys(hints.get("kinds", ())))
    return tuple(found)


@lru_cache(maxsize=1024)
def _required_when_shown(model: type[BaseModel]) -> tuple[tuple[str, dict[str, list[Any]], bool], ...]:
    return tuple(
        (path[0], hints.get("showIf", {}), bool(hints.get("mayBeEmpty")))
        for path, hints in hinted_fields(model)
        if len(path) == 1 and hints.get("required")
    )


def missing_fields(model: type[BaseModel], config: Mapping[str, Any]) -> list[str]:
    """Fields that must be filled in because they are shown, and are not."""
    found = []
    for name, show_if, may_be_empty in _required_when_shown(model):
        if not is_shown(model, config, show_if):
            continue
        value = _stored(model, config, name)
        if value in (None, "", [], {}) and not (may_be_empty and name in config and value == []):
            found.append(name)
    return found


def is_shown(model: type[BaseModel], config: Mapping[str, Any], show_if: Mapping[str, list[Any]]) -> bool:
    """Whether a field with these rules is on the form, given the other fields."""
    return all(_stored(model, config, other) in values for other, values in show_if.items())


def _stored(model: type[BaseModel], config: Mapping[str, Any], name: str) -> Any:
    """A setting as stored, or what it starts with."""
    if name in config:
        return config[name]
    field = model.model_fields.get(name)
    if field is None or field.is_required():
        return None
    return field.get_default(call_default_factory=True)


def config_schema(model: type[BaseModel]) -> dict[str, Any]:
    """JSON Schema 2020-12 of a model without references, for a form renderer."""
    schema = model.model_json_schema(mode="validation")
    definitions = schema.pop("$defs", {})
    plain: dict[str, Any] = _inlined(schema, definitions)
    plain.pop("title", None)
    plain.pop("description", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **plain}


def _inlined(node: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inlined(entry, definitions) for entry in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = dict(definitions[node["$ref"].rsplit("/", 1)[1]])
        target.pop("title", None)
        target.pop("description", None)
        return _inlined({**target, **{key: value for key, value in node.items() if key != "$ref"}}, definitions)
    return {key: _inlined(value, definitions) for key, value in node.items()}


def defaults_of(model: type[BaseModel]) -> dict[str, Any]:
    """What a new step's settings start with: the defaults of all fields that have one."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if not field.is_required():
            value = field.get_default(call_default_factory=True)
            found[name] = value.model_dump(mode="python") if isinstance(value, BaseModel) else value
    return found


def problems(node_type: NodeType[Any], config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What is wrong with settings as stored: (field path, code, message). Formulas stand for any value."""
    from runtime.sdk.prepared import formula_places  # it imports this module's neighbours

    model: type[BaseModel] = node_type.config
    found: list[tuple[str, str, str]] = []
    places: list[tuple[str | int, ...]] = []
    for place, text, _deferred in formula_places(node_type.expression_fields, node_type.deferred_fields, config):
        places.append(place)
        try:
            compile_template(text)
        except ExpressionError as error:
            found.append((place_text(place), "formula", f"“{title_of(model, place)}”: {error.message}"))
    try:
        model.model_validate(dict(config))
    except ValidationError as refused:
        for place, code, message in located_problems(model, refused):
            if not any(place[: len(formula)] == formula for formula in places):
                found.append((place_text(place), code, message))
    for name in missing_fields(model, config):
        found.append((name, "required", f"“{title_of(model, (name,))}” needs a value."))
    for path, hints in hinted_fields(model):
        if hints.get("widget") == "conditions":
            for place, group in _at(config, path, ()):
                found.extend(
                    (where, "conditions", message) for where, message in conditions.problems(group, place_text(place))
                )
    if node_type.extra_problems is not None:
        found.extend(node_type.extra_problems(config))
    return list(dict.fromkeys(found))


def _at(value: Any, pattern: Pattern, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if not pattern:
        yield place, value
    elif pattern[0] == "*":
        if isinstance(value, list):
            for index, entry in enumerate(value):
                yield from _at(entry, pattern[1:], (*place, index))
    elif isinstance(value, Mapping) and pattern[0] in value:
        yield from _at(value[pattern[0]], pattern[1:], (*place, pattern[0]))
