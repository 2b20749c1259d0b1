"""Functions as data: what each takes, what it says of itself, and an example that a test executes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, Protocol, TypeAlias

from runtime.engine.expressions.arithmetic import is_number
from runtime.engine.expressions.errors import ExpressionError
from runtime.engine.expressions.values import Meter, Missing, shown, text_of

Group: TypeAlias = Literal["text", "number", "money", "date", "list", "object", "logic"]
Kind: TypeAlias = Literal[
    "any", "maybe", "text", "number", "whole", "list", "object", "flag", "formula", "later", "now"
]

GROUPS: Final[dict[Group, str]] = {
    "text": "Text",
    "number": "Numbers",
    "money": "Money",
    "date": "Dates",
    "list": "Lists",
    "object": "Objects",
    "logic": "Logic",
}


class Later(Protocol):
    """An argument that is worked out only when it is needed."""

    def __call__(self) -> Any: ...


class Formula(Protocol):
    """An argument that is worked out for each entry, with ``item`` and ``index`` set."""

    def __call__(self, item: Any, index: int) -> Any: ...


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    kind: Kind
    optional: bool = False
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """One function that formulas may call. ``result`` is what ``example`` gives."""

    name: str
    group: Group
    parameters: tuple[Parameter, ...]
    help: str
    example: str
    result: Any
    call: Callable[..., Any]

    @property
    def signature(self) -> str:
        parts = []
        for parameter in self.parameters:
            if parameter.kind == "now":
                continue
            shape = parameter.name + ("…" if parameter.repeated else "")
            parts.append(f"[{shape}]" if parameter.optional else shape)
        return f"{self.name}({', '.join(parts)})"

    @property
    def needs_now(self) -> bool:
        return bool(self.parameters) and self.parameters[0].kind == "now"


FUNCTIONS: Final[dict[str, Function]] = {}


def function(
    group: Group, signature: str, help: str, example: str, result: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function. ``signature`` is ``name(a:kind, b:kind?, c:kind*)``; ``?`` optional, ``*`` repeated.

    The Python function receives the meter, then the arguments in the kinds named; left-out ones are not passed.
    """
    name, _, rest = signature.partition("(")
    parameters = []
    for part in filter(None, (part.strip() for part in rest.rstrip(")").split(","))):
        label, _, kind = part.rstrip("?*").partition(":")
        parameters.append(
            Parameter(label, kind or "any", optional=part.endswith(("?", "*")), repeated=part.endswith("*"))  # type: ignore[arg-type]
        )

    def register(call: Callable[..., Any]) -> Callable[..., Any]:
        if name in FUNCTIONS:
            raise ValueError(f"Two functions are called {name}.")
        FUNCTIONS[name] = Function(name, group, tuple(parameters), help, example, result, call)
        return call

    return register


def convert(value: Any, kind: Kind, meter: Meter) -> Any:
    """Bring an argument into the kind that a function asks for, or say why not."""
    if type(value) is Missing:
        if kind == "maybe":
            return None
        raise value.error()
    match kind:
        case "any" | "maybe":
            return value
        case "text":
            return text_of(value, meter)
        case "number":
            if is_number(value):
                return value
            hint = "; number(…) reads a number from text" if isinstance(value, str) else ""
            raise ExpressionError("type", f"needs a number, but this is {shown(value)}{hint}.")
        case "whole":
            if is_number(value) and abs(value) < 10**9 and value == int(value):
                return int(value)
            raise ExpressionError("type", f"needs a whole number, but this is {shown(value)}.")
        case "list":
            if isinstance(value, list):
                return value
            raise ExpressionError("type", f"needs a list, but this is {shown(value)}.")
        case "object":
            if isinstance(value, dict):
                return value
            raise ExpressionError("type", f"needs an object, but this is {shown(value)}.")
        case "flag":
            if isinstance(value, bool):
                return value
            raise ExpressionError("type", f"needs true or false, but this is {shown(value)}.")
        case _:
            return value


def catalogue() -> list[dict[str, Any]]:
    """All functions as JSON for the formula editor."""
    return [
        {
            "name": entry.name,
            "group": entry.group,
            "group_title": GROUPS[entry.group],
            "signature": entry.signature,
            "parameters": [
                {
                    "name": parameter.name,
                    "kind": parameter.kind,
                    "optional": parameter.optional,
                    "repeated": parameter.repeated,
                }
                for parameter in entry.parameters
                if parameter.kind != "now"
            ],
            "help": entry.help,
            "example": entry.example,
            "result": entry.result,
        }
        for entry in FUNCTIONS.values()
    ]


def exact(text: str) -> Decimal:
    """Short for results in the catalogue."""
    return Decimal(text)
