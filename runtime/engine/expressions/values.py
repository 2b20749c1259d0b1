"""What values are inside a formula: JSON data, never Python objects; and the budget that bounds the work on them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final

from runtime.engine.expressions.errors import ExpressionError
from runtime.engine.expressions.references import LOCAL
from runtime.engine.jsonprofile import MAX_DEPTH, dumps, normalise, number_text


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one evaluation may do. Counted, not timed, so that a preview and a run always agree.

    ``steps``: parts of documents visited, calls made, and text built (64 characters a step). ``text``: length of one
    text.
    """

    steps: int = 250_000
    text: int = 1_000_000


DEFAULT_LIMITS: Final = Limits()


class Meter:
    """Counts the work of one evaluation against its limits."""

    __slots__ = ("left", "longest")

    def __init__(self, limits: Limits) -> None:
        self.left = limits.steps
        self.longest = limits.text

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise ExpressionError("too_big", "This formula has too much to do: it goes through too many entries.")

    def text(self, length: int) -> None:
        """Account for a text before it is built."""
        if length > self.longest:
            raise ExpressionError("too_big", f"This formula makes a text longer than {self.longest:,} characters.")
        self.spend(1 + (length >> 6))


#: Holder of a missing root: there is no ``error`` outside an error path, no ``item`` outside a list.
ABSENT: Final = object()


class Missing:
    """A field that is not there. Passing it on is fine (``default`` mends it); using it is an error that says what."""

    __slots__ = ("holder", "key", "path")

    def __init__(self, path: str, key: str | int, holder: Any) -> None:
        self.path = path
        self.key = key
        self.holder = holder

    def error(self) -> ExpressionError:
        return ExpressionError("missing", self._message())

    def _message(self) -> str:
        holder, key, path = self.holder, self.key, self.path or "This value"
        if holder is ABSENT:
            where = " It is only there inside list functions and For each." if path in LOCAL else ""
            return f"There is no “{path}” here.{where}"
        if holder is None:
            return f"{path} is empty here, so it has no “{key}”."
        if isinstance(holder, Mapping):
            names = [str(name) for _, name in zip(range(200), holder, strict=False)]
            near = get_close_matches(str(key)[:80], [name for name in names if len(name) <= 80], 1, 0.6)
            if path == "steps":
                hint = f" Did you mean “{near[0]}”?" if near else " Only steps that come before this one can be read."
                return f"There is no step “{key}” with a result here.{hint}"
            if near:
                return f"{path} has no field “{key}”. Did you mean “{near[0]}”?"
            if not names:
                return f"{path} has no field “{key}”: it has no fields at all."
            shown = ", ".join(name if len(name) <= 40 else name[:39] + "…" for name in names[:8])
            more = ", …" if len(names) > 8 else ""
            return f"{path} has no field “{key}”. It has: {shown}{more}."
        if isinstance(holder, list):
            if isinstance(key, int):
                return f"{path} has {len(holder)} entries, so there is no entry {key}."
            return f"{path} is a list, so it has no field “{key}”. Use first(…), map(…) or [0] to reach into it."
        return f"{path} is {kind_of(holder)}, so it has no field “{key}”."


def kind_of(value: Any) -> str:
    """The kind of a value in words with an article: "text", "a number", "a list" …"""
    match value:
        case None:
            return "empty"
        case bool():
            return "yes or no"
        case int() | Decimal() | float():
            return "a number"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "an object"
        case Missing():
            return "missing"
        case _:
            return "not data"


def shown(value: Any) -> str:
    """A value as an error message quotes it."""
    if isinstance(value, str):
        return f"text “{value[:40]}{'…' if len(value) > 40 else ''}”"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal):
        return f"the number {plain_number(value)}"
    return kind_of(value)


def plain_number(value: int | Decimal) -> str:
    return str(value) if isinstance(value, int) else number_text(value)


def measure(value: Any, limit: int) -> tuple[int, int]:
    """The size of a document in characters, roughly, and its parts; stops counting soon after ``limit``."""
    size = parts = 0
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting:
        current, depth = waiting.pop()
        size += 4
        parts += 1
        if isinstance(current, str):
            size += len(current)
        elif isinstance(current, list):
            if depth >= MAX_DEPTH:
                raise ExpressionError("too_deep", f"This formula makes a value nested deeper than {MAX_DEPTH}.")
            if len(current) > limit:
                return limit + 1, parts
            waiting.extend((item, depth + 1) for item in current)
        elif isinstance(current, Mapping):
            if depth >= MAX_DEPTH:
                raise ExpressionError("too_deep", f"This formula makes a value nested deeper than {MAX_DEPTH}.")
            if len(current) > limit:
                return limit + 1, parts
            size += sum(len(key) + 3 for key in current)
            waiting.extend((item, depth + 1) for item in current.values())
        elif isinstance(current, Missing):
            raise current.error()
        elif not (current is None or isinstance(current, int | Decimal)):
            raise ExpressionError("refused", "A formula can only hold data.")
        if size > limit:
            break
    return size, parts


def weigh(value: Any, meter: Meter) -> None:
    """Charge for touching every part of a document; refuse what is too big."""
    size, parts = measure(value, meter.longest)
    meter.spend(parts)
    meter.text(size)


def text_of(value: Any, meter: Meter) -> str:
    """A value as text: numbers in full, true/false, nothing for empty, lists and objects as JSON."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return str(value)
    if kind is Decimal:
        return number_text(value)
    if value is None:
        return ""
    if kind is bool:
        return "true" if value else "false"
    if kind is Missing:
        raise value.error()
    if isinstance(value, list | Mapping):
        weigh(value, meter)
        return dumps(value)
    raise ExpressionError("refused", "A formula can only hold data.")


def truth(value: Any) -> bool:
    """Whether a value counts as yes: not empty, not zero, not no."""
    if type(value) is Missing:
        raise value.error()
    return bool(value)


def same(left: Any, right: Any, meter: Meter) -> bool:
    """Whether two values are equal; yes/no is never a number, text is never a number."""
    kind = type(left)
    if kind is Missing:
        raise left.error()
    if type(right) is Missing:
        raise right.error()
    if kind is list or isinstance(left, Mapping):
        weigh(left, meter)
        weigh(right, meter)
        return bool(left == right) and identity(left) == identity(right)  # Python takes true for 1, deep inside too
    if (kind is bool) is not (type(right) is bool):
        return False
    if kind is str and type(right) is str and len(left) == len(right):
        meter.spend(len(left) >> 12)
    return bool(left == right)


def identity(value: Any) -> Hashable:
    """What two values share if, and only if, they are equal; a list or an object must have been weighed before."""
    if isinstance(value, bool):
        return ("yes/no", value)
    if isinstance(value, list):
        return ("list", tuple(map(identity, value)))
    if isinstance(value, Mapping):
        return ("object", frozenset((key, identity(entry)) for key, entry in value.items()))
    if type(value) is Missing:
        raise value.error()
    return value  # type: ignore[no-any-return]


def settle(value: Any, meter: Meter, plain: bool) -> Any:
    """A formula's value as it leaves: present, data only, and not too big."""
    kind = type(value)
    if kind is Missing:
        raise value.error()
    if kind is str:
        if len(value) > meter.longest:
            raise ExpressionError("too_big", f"This formula makes a text longer than {meter.longest:,} characters.")
    elif value is None or kind is bool or kind is int or kind is Decimal:
        return value
    elif kind is dict or kind is list or isinstance(value, Mapping):
        if not plain:
            weigh(value, meter)
    elif kind is float:
        return normalise(value)
    else:
        raise ExpressionError("refused", "A formula can only hold data.")
    return value
