"""Edit fields: put together the data that the next steps use."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from runtime.sdk import (
    JSON,
    Config,
    Context,
    EffectClass,
    Example,
    NodeType,
    PermanentError,
    Result,
    Words,
    field,
)
from runtime.sdk.values import convert


class Assignment(Config):
    name: str = field(title="Field", placeholder="customer.name", order=1, min_length=1, max_length=200)
    value: Any = field("", title="Value", widget="text", expression=True, order=2)
    type: Literal["auto", "text", "number", "yes_no", "date", "list", "object"] = field(
        "auto",
        title="Kind",
        widget="choice",
        options=(
            ("auto", "As it is"),
            ("text", "Text"),
            ("number", "Number"),
            ("yes_no", "Yes or no"),
            ("date", "Date"),
            ("list", "List"),
            ("object", "Object"),
        ),
        order=3,
    )


class EditFieldsConfig(Config):
    start_from: Any = field(
        "",
        title="Start from",
        help="Data whose fields are kept. Empty: start with nothing.",
        widget="object",
        expression=True,
        placeholder="{{ trigger.body }}",
        order=1,
    )
    fields: list[Assignment] = field(
        default_factory=list,
        title="Fields to set",
        help="A dot reaches inside: customer.name.",
        widget="assignments",
        order=2,
        max_length=200,
    )
    remove: list[str] = field(
        default_factory=list, title="Fields to remove", widget="list", advanced=True, order=3, max_length=200
    )


def run(config: EditFieldsConfig, step_input: JSON, context: Context) -> Result:
    base = config.start_from
    if base in ("", None):
        base = {}
    if not isinstance(base, dict):
        raise PermanentError("Nothing to start from", "“Start from” needs an object with fields.", "start_from")
    output: dict[str, JSON] = dict(base)
    for name in config.remove:
        _remove(output, name.split("."))
    for entry in config.fields:
        value = entry.value if entry.type == "auto" else _converted(entry)
        if "." in entry.name:
            output = _with(output, entry.name.split("."), value, entry.name)
        else:
            output[entry.name] = value
    return Result(output)


def _converted(entry: Assignment) -> JSON:
    try:
        return convert(entry.value, entry.type)
    except ValueError as error:
        raise PermanentError("A value does not fit", f"“{entry.name}” {error}.", "conversion") from None


def _with(holder: dict[str, JSON], path: list[str], value: JSON, whole: str) -> dict[str, JSON]:
    """A copy with one field set, deep inside; what was shared with other data is never changed."""
    fresh = dict(holder)
    if len(path) == 1:
        fresh[path[0]] = value
        return fresh
    inner = fresh.get(path[0])
    if inner is None:
        inner = {}
    if not isinstance(inner, dict):
        raise PermanentError(
            "A value does not fit", f"“{whole}”: “{path[0]}” is not an object, so nothing fits into it.", "path"
        )
    fresh[path[0]] = _with(inner, path[1:], value, whole)
    return fresh


def _remove(holder: dict[str, JSON], path: list[str]) -> None:
    if len(path) == 1:
        holder.pop(path[0], None)
    elif isinstance(inner := holder.get(path[0]), dict):
        fresh = dict(inner)
        _remove(fresh, path[1:])
        holder[path[0]] = fresh


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    start = config.get("start_from")
    if start not in (None, "") and not isinstance(start, Mapping) and "{{" not in str(start):
        found.append(("start_from", "invalid", "“Start from” needs data of an earlier step."))
    for index, entry in enumerate(config["fields"] if isinstance(config.get("fields"), list) else ()):
        if not isinstance(entry, Mapping):
            continue
        name = str(entry.get("name", ""))
        if name and not all(name.split(".")):
            found.append((f"fields[{index}].name", "invalid", f"“{name}” has an empty part between dots."))
        value = entry.get("value")
        if isinstance(value, str) and value and "{{" not in value and entry.get("type") not in (None, "auto", "text"):
            try:
                convert(value, entry["type"])
            except (ValueError, TypeError) as error:
                found.append((f"fields[{index}].value", "invalid", f"“{name}” {error}."))
    return found


def summary(config: Mapping[str, Any], words: Words) -> str:
    names = [str(entry.get("name")) for entry in config["fields"] if isinstance(entry, Mapping) and entry.get("name")]
    if not names:
        removed = ", ".join(config["remove"])
        return f"Removes {removed}" if removed else ""
    if len(names) == 1:
        return f"Sets {names[0]} to {words.value(config['fields'][0].get('value'))}"
    return f"Sets {', '.join(names)}"


NODE = NodeType(
    name="data.edit_fields",
    version=1,
    category="data",
    icon="pencil-line",
    title="Edit fields",
    description="Sets, changes and removes fields of the data.",
    synonyms=("set", "map", "rename", "transform", "assign", "variable", "fields", "prepare"),
    config=EditFieldsConfig,
    run=run,
    effect=EffectClass.PURE,
    summary=summary,
    inline=True,
    extra_problems=problems,
    examples=(
        Example(
            title="Prepare an invoice",
            config={
                "fields": [
                    {"name": "customer.name", "value": "{{ trim(trigger.body.customer) }}"},
                    {"name": "net", "value": "{{ trigger.body.total }}"},
                    {"name": "gross", "value": "{{ round(trigger.body.total * 1.19, 2) }}"},
                ]
            },
            context={"trigger": {"body": {"customer": " Brinkmann Papier GmbH", "total": Decimal("100.50")}}},
            output={
                "customer": {"name": "Brinkmann Papier GmbH"},
                "net": Decimal("100.50"),
                "gross": Decimal("119.60"),
            },
        ),
    ),
)
