"""Edit fields: put together the data that the next steps use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Literal

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

#: Stands for a field that is not there, which is not the same as one that holds nothing.
_ABSENT: Final = object()


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


class Renaming(Config):
    name: str = field(title="Field", placeholder="custNo", order=1, min_length=1, max_length=200)
    to: str = field(title="New name", placeholder="customer.number", order=2, min_length=1, max_length=200)


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
    keep: list[str] = field(
        default_factory=list,
        title="Keep only",
        help="Of the data it starts from, these fields alone. Empty: all. A dot reaches inside: customer.name.",
        widget="list",
        advanced=True,
        order=2,
        max_length=200,
    )
    rename: list[Renaming] = field(
        default_factory=list,
        title="Fields to rename",
        help="One that is not there is left out.",
        widget="list",
        advanced=True,
        order=3,
        max_length=200,
    )
    remove: list[str] = field(
        default_factory=list, title="Fields to remove", widget="list", advanced=True, order=4, max_length=200
    )
    fields: list[Assignment] = field(
        default_factory=list,
        title="Fields to set",
        help="A dot reaches inside: customer.name.",
        widget="assignments",
        order=5,
        max_length=200,
    )


def run(config: EditFieldsConfig, step_input: JSON, context: Context) -> Result:
    base = config.start_from
    if base in ("", None):
        base = {}
    if not isinstance(base, dict):
        raise PermanentError("Nothing to start from", "“Start from” needs an object with fields.", "start_from")
    output: dict[str, JSON] = _kept(base, config.keep) if config.keep else dict(base)
    found = [(renaming, _read(output, renaming.name.split("."))) for renaming in config.rename]
    for renaming, value in found:
        if value is not _ABSENT:
            _remove(output, renaming.name.split("."))
    for renaming, value in found:  # after all of them are taken out, so that two fields can change places
        if value is not _ABSENT:
            output = _with(output, renaming.to.split("."), value, renaming.to)
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


def _kept(base: Mapping[str, JSON], names: Sequence[str]) -> dict[str, JSON]:
    """The named fields of the data, in its own order at the top; what is not there is left out."""
    tops = {name.split(".")[0] for name in names}
    kept: dict[str, JSON] = {top: base[top] for top in base if top in tops and top in names}
    for name in names:
        path = name.split(".")
        if path[0] not in names and (value := _read(base, path)) is not _ABSENT:
            kept = _with(kept, path, value, name)
    return kept


def _read(holder: Mapping[str, JSON], path: Sequence[str]) -> Any:
    value: Any = holder
    for part in path:
        if not isinstance(value, Mapping) or part not in value:
            return _ABSENT
        value = value[part]
    return value


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
    for place, path in _paths(config):
        if path and not all(path.split(".")):
            found.append((place, "invalid", f"“{path}” has an empty part between dots."))
    for index, entry in enumerate(config["fields"] if isinstance(config.get("fields"), list) else ()):
        if not isinstance(entry, Mapping):
            continue
        name = str(entry.get("name", ""))
        value = entry.get("value")
        if isinstance(value, str) and value and "{{" not in value and entry.get("type") not in (None, "auto", "text"):
            try:
                convert(value, entry["type"])
            except (ValueError, TypeError) as error:
                found.append((f"fields[{index}].value", "invalid", f"“{name}” {error}."))
    return found


def _paths(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every path of a field in these settings, with its place."""
    for setting, parts in (("fields", ("name",)), ("rename", ("name", "to"))):
        entries = config.get(setting)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, Mapping):
                yield from ((f"{setting}[{index}].{part}", str(entry.get(part, ""))) for part in parts)
    for setting in ("keep", "remove"):
        entries = config.get(setting)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            yield f"{setting}[{index}]", str(entry)


def summary(config: Mapping[str, Any], words: Words) -> str:
    parts = []
    names = [str(entry.get("name")) for entry in config["fields"] if isinstance(entry, Mapping) and entry.get("name")]
    if len(names) == 1:
        parts.append(f"sets {names[0]} to {words.value(config['fields'][0].get('value'))}")
    elif names:
        parts.append(f"sets {', '.join(names)}")
    renamed = [f"{entry['name']} to {entry['to']}" for entry in config["rename"] if entry.get("name")]
    for verb, entries in (("renames", renamed), ("removes", config["remove"]), ("keeps only", config["keep"])):
        if entries:
            parts.append(f"{verb} {', '.join(map(str, entries))}")
    if not parts:
        return f"Takes over {words.value(config['start_from'])}" if config.get("start_from") else ""
    sentence = ", ".join(parts)
    return sentence[:1].upper() + sentence[1:]


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
