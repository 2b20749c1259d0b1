"""Typed forms: what a person is asked for, and whether what came fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

from runtime.engine.expressions.functions.money import places_of
from runtime.engine.expressions.functions.numbers import quantize, read_number
from runtime.engine.jsonprofile import JSON, JSONRefused, normalise
from runtime.sdk.fields import Config, Number, field
from runtime.sdk.table_columns import TableColumn, column_problems
from runtime.sdk.table_value import Unusable, accepted

FieldType: TypeAlias = Literal["text", "textarea", "number", "money", "date", "choice", "yes_no", "email"]
StartFieldType: TypeAlias = FieldType | Literal["table"]

#: More than all the money there is; with 3 decimal places far from the 40 digits that a number may have.
_MOST_MONEY: Final = Decimal(10) ** 18

FIELD_TYPES: Final[tuple[tuple[FieldType, str], ...]] = (
    ("text", "Text"),
    ("textarea", "Long text"),
    ("number", "Number"),
    ("money", "Money"),
    ("date", "Date"),
    ("choice", "Choice"),
    ("yes_no", "Yes or no"),
    ("email", "E-mail address"),
)
#: Starts can also ask for a file whose rows are the data.
START_FIELD_TYPES: Final[tuple[tuple[StartFieldType, str], ...]] = (*FIELD_TYPES, ("table", "Rows of a file"))
#: All but that.
_ANSWERED_BY_HAND: Final = [kind for kind, _ in FIELD_TYPES]


class _Question(Config):
    name: str = field(title="Name in the data", order=1, pattern=r"^[A-Za-z][A-Za-z0-9_]{0,59}$")
    label: str = field(title="Question", order=2, min_length=1, max_length=200)
    required: bool = field(False, title="Must be filled in", widget="toggle", order=4)
    help: str = field("", title="Help", order=5, max_length=500)
    placeholder: str = field(
        "",
        title="Example shown in the empty field",
        show_if={"type": _ANSWERED_BY_HAND},
        advanced=True,
        order=6,
        max_length=200,
    )
    options: list[str] = field(
        default_factory=list, title="Choices", widget="list", show_if={"type": ["choice"]}, order=7, max_length=200
    )
    currency: str = field("EUR", title="Currency", show_if={"type": ["money"]}, order=8, pattern=r"^[A-Z]{3}$")
    minimum: Number | None = field(
        None, title="At least", widget="number", show_if={"type": ["number", "money"]}, advanced=True, order=9
    )
    maximum: Number | None = field(
        None, title="At most", widget="number", show_if={"type": ["number", "money"]}, advanced=True, order=10
    )
    default: str = field(
        "",
        title="Filled in beforehand",
        show_if={"type": _ANSWERED_BY_HAND},
        advanced=True,
        order=11,
        max_length=2000,
    )


class FormField(_Question):
    """One question of a form."""

    type: FieldType = field("text", title="Kind", widget="choice", options=FIELD_TYPES, order=3)


class StartField(_Question):
    """One question of a start's form. `columns`: of one for the rows of a file, what these have to hold."""

    type: StartFieldType = field("text", title="Kind", widget="choice", options=START_FIELD_TYPES, order=3)
    columns: list[TableColumn] = field(
        default_factory=list,
        title="Columns",
        help="What each row has to hold. Whoever uploads a file says which of its columns is which, once for each "
        "layout; rows that do not fit are shown before anything starts.",
        widget="form-fields",
        show_if={"type": ["table"]},
        hints={"add": "Add a column", "new": "Column", "folded": True},
        order=7,
        max_length=100,
    )


def check_form(fields: Sequence[FormField | StartField], values: object) -> tuple[dict[str, JSON], dict[str, str]]:
    """What came, as typed data, and what does not fit: field name → sentence. Unknown names are refused."""
    if values is None:
        values = {}
    if not isinstance(values, Mapping):
        return {}, {"": "The input is an object with one value for each question."}
    accepted: dict[str, JSON] = {}
    refused: dict[str, str] = {}
    for entry in fields:
        raw = values.get(entry.name)
        if raw is None or raw == "":
            raw = entry.default or None
        if raw is None:
            accepted[entry.name] = None
            if entry.required:
                refused[entry.name] = f"“{entry.label}” needs an answer."
            continue
        try:
            accepted[entry.name] = _typed(entry, raw)
        except _Unfit as unfit:
            refused[entry.name] = f"“{entry.label}” {unfit}."
        except JSONRefused as unfit:
            refused[entry.name] = f"“{entry.label}” cannot be kept: {unfit.message}."
    known = {entry.name for entry in fields}
    for name in values:
        if name not in known:
            refused[str(name)[:100]] = f"There is no question called “{str(name)[:60]}”."
    return accepted, refused


def question_problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What is wrong with the questions (`fields`) of these settings: (field path, code, message)."""
    found: list[tuple[str, str, str]] = []
    seen: set[str] = set()
    entries = config.get("fields")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, Mapping):
            continue
        name = str(entry.get("name", ""))
        if name.lower() in seen:
            found.append((f"fields[{index}].name", "duplicate", f"Two questions are called “{name}” in the data."))
        seen.add(name.lower())
        if entry.get("type") == "table":
            found.extend(column_problems(entry, f"fields[{index}]"))
        if entry.get("type") == "choice" and not entry.get("options"):
            found.append((f"fields[{index}].options", "required", "“Choices” needs at least one choice."))
    return found


class _Unfit(Exception):
    pass


def _typed(entry: FormField | StartField, raw: Any) -> JSON:
    match entry.type:
        case "text" | "textarea":
            return _text(raw, 500 if entry.type == "text" else 20_000, entry.type == "text")
        case "number":
            return _bounded(entry, _number(raw))
        case "money":
            amount = raw.get("amount") if isinstance(raw, Mapping) else raw
            currency = raw.get("currency", entry.currency) if isinstance(raw, Mapping) else entry.currency
            if currency != entry.currency:
                raise _Unfit(f"is asked for in {entry.currency}")
            number = Decimal(_bounded(entry, _number(amount)))
            if abs(number) >= _MOST_MONEY:
                raise _Unfit("is a larger amount than can be kept")
            places = places_of(entry.currency)
            rounded = quantize(number, places, "half_even")
            if number != rounded:
                raise _Unfit(f"has at most {places} decimal places in {entry.currency}")
            return {"amount": rounded, "currency": entry.currency}
        case "date":
            text = _text(raw, 10, True)
            try:
                return date.fromisoformat(text).isoformat() if len(text) == 10 else _no_date()
            except ValueError:
                return _no_date()
        case "choice":
            text = _text(raw, 2000, True)
            if text not in entry.options:
                raise _Unfit("is one of: " + ", ".join(entry.options[:10]))
            return text
        case "yes_no":
            if raw in (True, "true", "yes"):
                return True
            if raw in (False, "false", "no"):
                return False
            raise _Unfit("needs yes or no")
        case "email":
            text = _text(raw, 254, True)
            name, at, host = text.rpartition("@")
            if not at or not name or "." not in host.strip(".") or any(c.isspace() or c in ',;<>"()' for c in text):
                raise _Unfit("needs an e-mail address like ann@example.com")
            return text
        case "table":
            assert isinstance(entry, StartField)
            try:
                return accepted(entry.columns, raw)
            except Unusable as unusable:
                raise _Unfit(str(unusable)) from None


def _no_date() -> JSON:
    raise _Unfit("needs a date like 2026-11-20")


def _text(raw: Any, longest: int, one_line: bool) -> str:
    if not isinstance(raw, str):
        raise _Unfit("needs text")
    if len(raw) > longest:
        raise _Unfit(f"may have {longest:,} characters")
    if one_line and ("\n" in raw or "\r" in raw):
        raise _Unfit("may have one line only")
    normalise(raw)
    return raw


def _number(raw: Any) -> int | Decimal:
    found = raw if isinstance(raw, int | Decimal) and not isinstance(raw, bool) else None
    if isinstance(raw, str) and len(raw) <= 60:
        found = read_number(raw) if "," not in raw else None
    if isinstance(raw, float):
        found = Decimal(repr(raw))
    if found is None:
        raise _Unfit("needs a number like 1234.50")
    return normalise(found)  # type: ignore[return-value]


def _bounded(entry: FormField | StartField, number: int | Decimal) -> int | Decimal:
    if entry.minimum is not None and number < entry.minimum:
        raise _Unfit(f"must be at least {entry.minimum}")
    if entry.maximum is not None and number > entry.maximum:
        raise _Unfit(f"may be at most {entry.maximum}")
    return number
