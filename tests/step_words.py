"""The words of the step types, of what kinds of connection ask for, and of the functions of formulas, as the
interface's catalogue `steps` has them.

The catalogue goes by the English text, within what kind of text it is: where a text is changed in the code, its words
in another language are missing, and a test says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from runtime.catalog import CATALOG
from runtime.sdk.connections import KINDS

#: Kinds of text, in the order of the catalogue.
AREAS: Final = (
    "titles", "descriptions", "notes", "fields", "help", "placeholders", "options", "groups", "rows", "functions",
    "synonyms",
)  # fmt: skip
_HINTS: Final = {"help": "help", "placeholder": "placeholders", "group": "groups", "add": "rows", "new": "rows"}
_FORMULA: Final = re.compile(r"\{\{.*?\}\}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")


def has_words(text: str) -> bool:
    """Whether there is something to translate: not in GET, 12-24, EUR, or a formula alone."""
    return any(letter.islower() for letter in _FORMULA.sub("", text))


def of_step(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts of a step type as (area, text), without its search words."""
    yield "titles", spec["title"]
    yield "descriptions", spec["description"]
    yield "descriptions", spec["badge"]
    yield "notes", spec["effect_note"]
    yield from _of_fields(spec["config_schema"])


def of_connection(kind: str) -> Iterator[tuple[str, str]]:
    """The texts of the form of a kind of connection as (area, text). Its title and help stand in `server`."""
    yield from _of_fields(KINDS[kind].spec()["fields"])


def _of_fields(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field in schema.get("properties", {}).values():
        yield "fields", field.get("title", "")
        hints = field.get("x-ui", {})
        for hint, area in _HINTS.items():
            yield area, hints.get(hint, "")
        for option in hints.get("options", ()):
            # The browser knows the names of countries.
            if not _COUNTRY.fullmatch(str(option["value"])):
                yield "options", option["label"]
        yield from _of_fields(field)
        yield from _of_fields(field.get("items", {}))


def english() -> dict[str, dict[str, str]]:
    """Area → English text → the same. Search words go by the name of the step type instead."""
    from runtime.api import functions

    found: dict[str, dict[str, str]] = {area: {} for area in AREAS}
    for spec in CATALOG.specs():
        for area, text in of_step(spec):
            if has_words(text):
                found[area][text] = text
        found["synonyms"][spec["name"]] = ", ".join(spec["synonyms"])
    for kind in KINDS:
        for area, text in of_connection(kind):
            if has_words(text):
                found[area][text] = text
    for function in functions():
        found["functions"][function["help"]] = function["help"]
    return found


def catalogue() -> str:
    """The English catalogue `steps` as a file."""
    return json.dumps(english(), indent=2, ensure_ascii=False) + "\n"
