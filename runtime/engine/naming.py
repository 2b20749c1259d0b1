"""What people call a run, and the fields that they find it by: said with the graph, worked out from a run's data.

    "naming": {"key": "{{ trigger.body.number }}", "fields": [{"name": "total", "label": "Total", "kind": "amount",
        "value": "{{ trigger.body.total }}", "currency": "{{ trigger.body.currency }}"}]}

A formula that reads only the start is worked out when that is done; one that reads steps, whenever one of these is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

from runtime.engine.expressions import ExpressionError, compile_template
from runtime.engine.expressions.template import Template
from runtime.engine.jsonprofile import JSON, dumps, number_text

__all__ = [
    "CURRENCY",
    "KEY",
    "KINDS",
    "LONGEST",
    "MOST_FIELDS",
    "NAME_PATTERN",
    "NEEDS_ENGINE",
    "RESERVED",
    "UNITS",
    "Naming",
    "NamingField",
    "Worth",
    "as_worth",
    "folded",
    "instant_of",
    "key_worth",
    "naming_of",
    "units_of",
]

#: The name under which a run's business key is kept among its fields.
KEY: Final = "key"
MOST_FIELDS: Final = 5
KINDS: Final = ("text", "number", "amount", "date")
NAME_PATTERN: Final = r"^[a-z][a-z0-9_]{0,31}$"
#: Words of the search that no field can have as its name.
RESERVED: Final = frozenset(
    {
        "asks", "by", "cause", "connection", "error", "from", "is", "key", "longer", "mode", "run", "shorter", "since",
        "sort", "stands", "status", "step", "tag", "until", "version", "workflow",
    }
)  # fmt: skip
LONGEST: Final = 200
#: Numbers are kept in ten-thousandths: exact for all currencies, and compared alike by all databases.
UNITS: Final = 10_000
#: An older worker would not read a graph that says so.
NEEDS_ENGINE: Final = 5
_LARGEST: Final = 2**63 - 1
_NUMBER: Final = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?")
CURRENCY: Final = re.compile(r"[A-Z]{3}")
_SPACES: Final = re.compile(r"\s+")


class Worth(NamedTuple):
    """One field of one run: as it is shown; as it is searched (`folded`); as it is compared, in `UNITS` or, of a date,
    milliseconds since the epoch; and in which currency."""

    name: str
    shown: str
    folded: str
    number: int | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class NamingField:
    """A field that runs are found by. `currency` is a text or a formula."""

    name: str
    label: str
    kind: str
    value: str
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Naming:
    """What is said of a graph's runs; `key` is empty where its starts say it."""

    key: str
    fields: tuple[NamingField, ...]
    #: What is worked out when the start is done, and by the key of a step, when that is.
    at_start: tuple[str, ...] = field(default=(), compare=False, repr=False)
    after: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)

    def names_after(self, step_key: str, *, is_start: bool) -> tuple[str, ...]:
        """What can be worked out now that this step is done."""
        found = self.after.get(step_key, ())
        return self.at_start + found if is_start else found

    def reads(self, name: str) -> tuple[str, ...]:
        """The keys of the steps that this is worked out from."""
        return tuple(step for step, names in self.after.items() if name in names)

    def worth(self, name: str, context: Mapping[str, Any]) -> Worth | None:
        """What a run's data make of it, None where that is nothing. Raises ExpressionError."""
        if name == KEY:
            return key_worth(_value(self.key, context))
        one = next(one for one in self.fields if one.name == name)
        found = _value(one.value, context)
        try:
            currency = _value(one.currency, context) if one.currency else None
        except ExpressionError:
            # The amount is worth having without it.
            currency = None
        return as_worth(one, found, currency)


def naming_of(document: Mapping[str, Any]) -> Naming | None:
    """What a sound document says; None where it says nothing. Formulas that do not compile are left out."""
    said = document.get("naming")
    if not isinstance(said, Mapping):
        return None
    fields = tuple(
        NamingField(
            name=item["name"],
            label=item.get("label") or item["name"],
            kind=item.get("kind") or "text",
            value=item.get("value") or "",
            currency=(item.get("currency") or "") if item.get("kind") == "amount" else "",
        )
        for item in said.get("fields") or ()
    )
    key = said.get("key") or ""
    at_start: list[str] = []
    after: dict[str, list[str]] = {}
    for name, texts in ((KEY, (key,)), *((one.name, (one.value, one.currency)) for one in fields)):
        if not texts[0].strip():
            continue
        try:
            steps = steps_read(texts)
        except ExpressionError:
            continue
        if not steps:
            at_start.append(name)
        for step in steps:
            after.setdefault(step, []).append(name)
    if not key and not fields:
        return None
    return Naming(key, fields, tuple(at_start), {step: tuple(names) for step, names in after.items()})


def steps_read(texts: Iterable[str]) -> tuple[str, ...]:
    """The keys of the steps that these formulas read. Raises ExpressionError."""
    found = (one for text in texts for one in compile_template(text).references)
    return tuple(dict.fromkeys(one.key for one in found if one.root == "steps" and one.key is not None))


def _value(text: str, context: Mapping[str, Any]) -> JSON:
    template: Template = compile_template(text)
    return template.evaluate(context)


def key_worth(found: JSON) -> Worth | None:
    """A business key; None where there is none."""
    text = _text(found)
    return None if text is None else Worth(KEY, text, folded(text))


def as_worth(one: NamingField, found: JSON, currency: JSON = None) -> Worth | None:
    """A field's value; what cannot be read as its kind is kept as a text."""
    text = _text(found)
    if text is None:
        return None
    number: int | None = None
    code = ""
    match one.kind:
        case "number" | "amount":
            number = units_of(found)
            if one.kind == "amount" and isinstance(currency, str):
                code = currency.strip().upper()
                code = code if CURRENCY.fullmatch(code) else ""
        case "date":
            number = instant_of(found)
        case _:
            pass
    return Worth(one.name, text, folded(text), number, code)


def folded(text: str) -> str:
    """A text as it is searched: letters in one case, in one form, with single spaces."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip().casefold()[:LONGEST]


def units_of(found: object) -> int | None:
    """A number, or a text that is one, in `UNITS`; None for anything else, and for what is too large to compare."""
    if isinstance(found, bool):
        return None
    if isinstance(found, str):
        text = found.strip()
        if not _NUMBER.fullmatch(text):
            return None
        found = Decimal(text)
    if not isinstance(found, int | Decimal):
        return None
    try:
        units = int((Decimal(found) * UNITS).to_integral_value(ROUND_HALF_EVEN))
    except (InvalidOperation, OverflowError, ValueError):
        return None
    return units if -_LARGEST <= units <= _LARGEST else None


def instant_of(found: object) -> int | None:
    """A day or an instant as ISO 8601 writes it, in milliseconds; a day is its beginning in UTC."""
    if not isinstance(found, str):
        return None
    text = found.strip()
    try:
        if len(text) == 10:
            moment = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp() * 1000)


def _text(found: JSON) -> str | None:
    if found is None or found == "" or isinstance(found, list | dict):
        return None if found in (None, "", [], {}) else dumps(found)[:LONGEST]
    if isinstance(found, Decimal):
        return number_text(found)[:LONGEST]
    text = found if isinstance(found, str) else dumps(found)
    return _SPACES.sub(" ", text).strip()[:LONGEST] or None
