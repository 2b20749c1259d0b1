"""Values found at a glance: most fields only pick out a value, or put one or two into a text.

A glance gives what the closures would, or UNCLEAR where it takes more than a look to say what there is: a missing
field, a value of another kind, a text that is too long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

from jinja2 import nodes

from runtime.engine.expressions.compiler import plain_path
from runtime.engine.expressions.references import LOCAL, ROOTS
from runtime.engine.expressions.values import DEFAULT_LIMITS

UNCLEAR: Final = object()

Look: TypeAlias = Callable[[Mapping[str, Any]], Any]

#: What a path may lead to that is passed on as it is, beside text and nothing.
_AS_THEY_ARE: Final = frozenset({int, bool, Decimal, dict, list})


def glance(pieces: Sequence[str | nodes.Expr], single: bool) -> Look | None:
    """How to see the value of these texts and formulas in a context; None where one is more than a plain path.

    `single`: it is one formula, whose value is kept as it is.
    """
    looks: list[str | Look] = []
    for piece in pieces:
        look = piece if isinstance(piece, str) else _look_along(piece)
        if look is None:
            return None
        looks.append(look)
    return _pick(looks[0]) if single and not isinstance(looks[0], str) else _put_together(looks)


def _look_along(tree: nodes.Expr) -> Look | None:
    found = plain_path(tree)
    if found is None or found[0] not in ROOTS or found[0] in LOCAL or not all(type(key) is str for key in found[1]):
        return None
    root, keys = found

    def look(context: Mapping[str, Any]) -> Any:
        try:
            value = context[root]
            for key in keys:
                if type(value) is not dict:
                    return UNCLEAR
                value = value[key]
        except KeyError:
            return UNCLEAR
        return value

    return look


def _pick(look: Look) -> Look:
    longest = DEFAULT_LIMITS.text

    def pick(context: Mapping[str, Any]) -> Any:
        value = look(context)
        kind = type(value)
        if kind is str:
            return value if len(value) <= longest else UNCLEAR
        return value if value is None or kind in _AS_THEY_ARE else UNCLEAR

    return pick


def _put_together(looks: Sequence[str | Look]) -> Look:
    longest = DEFAULT_LIMITS.text

    def put_together(context: Mapping[str, Any]) -> Any:
        texts: list[str] = []
        for look in looks:
            value = look if isinstance(look, str) else look(context)
            kind = type(value)
            if kind is str:
                texts.append(value)
            elif kind is int:
                texts.append(str(value))
            else:
                return UNCLEAR
        text = "".join(texts)
        return text if len(text) <= longest else UNCLEAR

    return put_together
