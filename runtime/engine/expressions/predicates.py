"""The questions that ``is`` can ask: ``{{ trigger.body.note is filled }}``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from runtime.engine.expressions import arithmetic
from runtime.engine.expressions.values import Missing


def _empty(value: Any) -> bool:
    return type(value) is Missing or value is None or value == "" or value == [] or value == {}


TESTS: Final[dict[str, Callable[[Any], bool]]] = {
    "defined": lambda value: type(value) is not Missing,
    "undefined": lambda value: type(value) is Missing,
    "empty": _empty,
    "filled": lambda value: not _empty(value),
    "none": lambda value: value is None or type(value) is Missing,
    "number": arithmetic.is_number,
    "text": lambda value: isinstance(value, str),
    "string": lambda value: isinstance(value, str),
    "list": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, Mapping),
    "mapping": lambda value: isinstance(value, Mapping),
    "true": lambda value: value is True,
    "false": lambda value: value is False,
    "even": lambda value: arithmetic.is_number(value) and arithmetic.rest(value, 2) == 0,
    "odd": lambda value: arithmetic.is_number(value) and arithmetic.rest(value, 2) == 1,
}
