"""Whether what a document says of its runs' names can be read, and means something."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from runtime.engine.drawing import Drawing
from runtime.engine.expressions import ExpressionError, compile_template
from runtime.engine.findings import Findings
from runtime.engine.naming import KINDS, MOST_FIELDS, NAME_PATTERN, RESERVED

__all__ = ["FIELDS", "check_naming", "structural_naming"]

FIELDS: Final = ("key", "fields")
FIELD_FIELDS: Final = ("name", "label", "kind", "value", "currency")
LONGEST_FORMULA: Final = 2_000
LONGEST_LABEL: Final = 60
#: What a formula of a run's name can read.
_ROOTS: Final = frozenset({"trigger", "steps", "run", "vars"})
_NAME: Final = re.compile(NAME_PATTERN[1:-1])


def structural_naming(said: object, found: Findings) -> None:
    """Complain of what cannot be read."""
    if said is None:
        return
    if not isinstance(said, Mapping):
        found.error("field.type", "“naming” must be an object.", field="naming", expected="object")
        return
    _unknown(said, FIELDS, "naming.", found)
    _text(said, "key", "naming.key", LONGEST_FORMULA, found)
    fields = said.get("fields")
    if fields is None:
        return
    if not isinstance(fields, list):
        found.error("field.type", "“fields” must be a list.", field="naming.fields", expected="list")
        return
    if len(fields) > MOST_FIELDS:
        found.error(
            "naming.too_many",
            f"Runs are found by at most {MOST_FIELDS} fields; these are {len(fields)}. Take some away.",
            field="naming.fields",
            limit=MOST_FIELDS,
        )
    seen: set[str] = set()
    for index, item in enumerate(fields):
        at = f"naming.fields[{index}]"
        if not isinstance(item, Mapping):
            found.error("field.type", "A field must be an object.", field=at, expected="object")
            continue
        _field(item, at, seen, found)


def _field(item: Mapping[str, Any], at: str, seen: set[str], found: Findings) -> None:
    _unknown(item, FIELD_FIELDS, f"{at}.", found)
    name = item.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        found.error(
            "naming.name",
            "A field needs a short name of small letters, digits and _, beginning with a letter: it is what people "
            "type to search, as in supplier:brink.",
            field=f"{at}.name",
        )
    elif name in RESERVED:
        found.error(
            "naming.name_taken",
            f"“{name}” is a word of the search itself. Give the field another short name.",
            field=f"{at}.name",
            name=name,
        )
    elif name in seen:
        found.error(
            "naming.name_twice",
            f"Two fields have the short name “{name}”. Rename one of them.",
            field=f"{at}.name",
            name=name,
        )
    else:
        seen.add(name)
    _text(item, "label", f"{at}.label", LONGEST_LABEL, found)
    _text(item, "value", f"{at}.value", LONGEST_FORMULA, found)
    _text(item, "currency", f"{at}.currency", LONGEST_FORMULA, found)
    if "kind" in item and item["kind"] not in KINDS:
        message = f"“kind” must be one of: {', '.join(KINDS)}."
        found.error("field.choice", message, field=f"{at}.kind", name="kind", choices=list(KINDS))


def check_naming(document: Mapping[str, Any], drawing: Drawing, found: Findings) -> None:
    """Complain of formulas that do not compile, that are missing, and that read what is not there."""
    said = document.get("naming")
    if not isinstance(said, Mapping):
        return
    if isinstance(said.get("key"), str):
        _check_formula(said["key"], "What people call a run", "naming.key", drawing, found)
    fields = said.get("fields")
    for index, item in enumerate(fields if isinstance(fields, list) else []):
        if not isinstance(item, Mapping):
            continue
        label = str(item.get("label") or item.get("name") or "A field")
        at = f"naming.fields[{index}]"
        value = item.get("value")
        if not isinstance(value, str) or not value.strip():
            found.error(
                "naming.value_missing",
                f"“{label}” has no value: choose the data that it shows, or take the field away.",
                field=f"{at}.value",
            )
            continue
        _check_formula(value, label, f"{at}.value", drawing, found)
        if isinstance(item.get("currency"), str):
            _check_formula(item["currency"], label, f"{at}.currency", drawing, found)


def _check_formula(text: str, label: str, at: str, drawing: Drawing, found: Findings) -> None:
    try:
        template = compile_template(text)
    except ExpressionError as error:
        found.error("naming.formula", f"“{label}”: {error.message}", field=at)
        return
    for reference in template.references:
        if reference.root not in _ROOTS:
            found.error(
                "reference.unknown",
                f"“{label}” reads “{reference.root[:100]}”, which a run's name cannot know. Choose other data.",
                field=at,
                root=reference.root[:100],
            )
        elif reference.root == "steps" and reference.key is not None:
            step = drawing.by_key.get(reference.key)
            if step is None:
                found.error(
                    "reference.step_missing",
                    f"“{label}” uses data of a step called “{reference.key[:100]}”, which is not there. Choose a field "
                    "from the list.",
                    field=at,
                    key=reference.key[:100],
                )
            elif step.parent is not None:
                found.error(
                    "naming.inside",
                    f"“{label}” uses data of “{step.name}”, which is done many times in a run. Choose data of a step "
                    "that is done once.",
                    field=at,
                    step=step.name,
                )


def _text(item: Mapping[str, Any], name: str, at: str, longest: int, found: Findings) -> None:
    value = item.get(name)
    if value is None:
        return
    if not isinstance(value, str):
        found.error("field.format", f"“{name}” must be a text.", field=at, name=name)
    elif len(value) > longest:
        found.error("field.too_long", f"“{name}” has more than {longest:,} characters.", field=at, limit=longest)


def _unknown(item: Mapping[str, Any], known: tuple[str, ...], below: str, found: Findings) -> None:
    for name in item:
        if name not in known:
            shown = str(name)[:80]
            found.error(
                "field.unknown",
                f"This version of Millrace does not know “{shown}”. Remove it, or open the workflow with a newer one.",
                field=below + shown,
                name=shown,
            )
