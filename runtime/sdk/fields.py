"""Config models and the hints by which the front end draws their forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from runtime.engine.expressions.functions.numbers import read_number
from runtime.engine.jsonprofile import JSONRefused, check_decimal, dumps, number_text

Widget: TypeAlias = Literal[
    "text",
    "textarea",
    "number",
    "choice",
    "multi-choice",
    "toggle",
    "key-value",
    "conditions",
    "connection",
    "json",
    "code",
    "duration",
    "cron",
    "schedule",
    "timezone",
    "form-fields",
    "cases",
    "assignments",
    "list",
    "rules",
    "secret",
    "url",
    "email-list",
    "people",
    "date",
    "date-time",
    "object",
    "workflow",
    "design",
    "file",
    "data-table",
    "calendar",
    "table-column",
]

_LONGEST_NUMBER: Final = 60

#: Stands for "this field must be filled in".
REQUIRED: Any = ...


class Config(BaseModel):
    """Base of every step type's settings: unknown fields are refused, instances are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True, protected_namespaces=())


def as_text(value: object) -> object:
    """Turn what a formula gave into text: numbers in full, yes/no as true/false, nothing as empty text."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return number_text(value)
    if isinstance(value, list | dict):
        return dumps(value)
    return value


def as_number(value: object) -> object:
    """Accept numbers of the JSON profile and plain text that is one; refuse all else with words.

    Pydantic's own reader takes ``1e9999999`` too, on which plain arithmetic raises or runs for minutes.
    """
    found: object = value
    if isinstance(value, str):
        found = read_number(value) if "," not in value and len(value) <= _LONGEST_NUMBER else None
    if isinstance(found, bool) or not isinstance(found, int | float | Decimal):
        raise PydanticCustomError("not_a_number", "needs a number")
    if isinstance(found, Decimal):
        try:
            return check_decimal(found)
        except JSONRefused as refused:
            raise PydanticCustomError("not_a_number", "{reason}", {"reason": refused.message}) from None
    return found


#: Text that also takes what a formula gives.
Text: TypeAlias = Annotated[str, BeforeValidator(as_text)]
#: An exact number that also takes text such as ``"12.50"``.
Number: TypeAlias = Annotated[Decimal, BeforeValidator(as_number), WithJsonSchema({"type": "number"})]
#: Rules as `runtime.engine.conditions` describes them.
Conditions: TypeAlias = dict[str, Any]


def field(
    default: Any = REQUIRED,
    *,
    title: str,
    help: str = "",
    widget: Widget = "text",
    expression: bool = False,
    deferred: bool = False,
    placeholder: str = "",
    group: str = "",
    advanced: bool = False,
    order: int | None = None,
    show_if: Mapping[str, Sequence[Any]] | None = None,
    kinds: Sequence[str] = (),
    options: Sequence[tuple[Any, str]] = (),
    default_factory: Any = None,
    required: bool = False,
    hints: Mapping[str, Any] | None = None,
    **rules: Any,
) -> Any:
    """Declare one setting: its pydantic rules and its ``x-ui`` hints.

    ``expression``: the value may be a formula (``{{ … }}``), at any depth inside it. ``deferred``: a formula that the
    engine works out later, not before ``run``. ``show_if``: shown while other fields have one of these values.
    ``required``: must be filled in while it is shown, although it has a default. ``options``: value and label of each
    choice. ``kinds``: connection kinds that fit.
    """
    ui: dict[str, Any] = {"widget": widget}
    if expression or deferred:
        ui["expression"] = True
    if deferred:
        ui["deferred"] = True
    if placeholder:
        ui["placeholder"] = placeholder
    if help:
        ui["help"] = help
    if group:
        ui["group"] = group
    if advanced:
        ui["advanced"] = True
    if order is not None:
        ui["order"] = order
    if show_if:
        ui["showIf"] = {name: list(values) for name, values in show_if.items()}
    if kinds:
        ui["kinds"] = list(kinds)
    if required:
        ui["required"] = True
    if options:
        ui["options"] = [{"value": value, "label": label} for value, label in options]
    if hints:
        ui.update(hints)
    shared: dict[str, Any] = {
        "title": title,
        "description": help or None,
        "json_schema_extra": {"x-ui": ui},
        **rules,
    }
    if default_factory is not None:
        return Field(default_factory=default_factory, **shared)
    return Field(default, **shared)
