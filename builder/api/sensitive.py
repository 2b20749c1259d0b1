"""Values of fields that a workspace calls sensitive: nobody is shown them unasked, and whoever asks goes on record.

Which fields these are stands in the workspace's settings, by name. In data that is shown, a value under such a name is
a marker, `{"$masked": [side, ...path]}`, by which it can be asked for; an empty marker cannot be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from builder.accounts.rights import Action, allows
from builder.api.links import without_links
from builder.api.operation import Call
from runtime.contracts import JSONRefused, dumps, loads

__all__ = ["MARK", "Masking", "fold", "masking", "shown"]

MARK: Final = "$masked"
#: What stands for a value where there is only text.
DOTS: Final = "••••"
_BETWEEN: Final = re.compile(r"[\s_.-]+")
_MISSING: Final = object()


def fold(name: str) -> str:
    """`booking_date`, `Booking date` and `bookingDate` are one name."""
    return _BETWEEN.sub("", name).casefold()


#: The names of fields are few and come again and again; values are remembered nowhere.
_folded: Final = lru_cache(maxsize=2_048)(fold)


class Masking:
    """What is done to data before it is shown, by the names that a workspace calls sensitive."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = frozenset(folded for name in names if (folded := fold(name)))

    def is_sensitive(self, path: Sequence[str | int]) -> bool:
        """Whether a value at this place, or something around it, goes by such a name."""
        return any(isinstance(part, str) and fold(part) in self.names for part in path)

    def hides(self, path: Sequence[str | int], value: Any) -> bool:
        """Whether the value at this place is hidden: by a name that leads to it, or since it is a text with one."""
        return self.is_sensitive(path) or (isinstance(value, str) and self.masked([value]) != [value])

    def masked(self, value: Any, side: str | None = None) -> Any:
        """The data with a marker in place of each sensitive value; without a `side` none of them can be asked for."""
        return self._masked(value, None if side is None else (side,)) if self.names else value

    def text(self, text: str | None) -> str | None:
        """A text as it came: where it is JSON with its sensitive values as dots, else dots if it names one at all."""
        if text is None or not self._names_one(text):
            return text
        try:
            found = loads(text)
        except (JSONRefused, ValueError):
            return DOTS
        return dumps(self.dotted(found)) if isinstance(found, (dict, list)) else DOTS

    def dotted(self, value: Any) -> Any:
        """The data with dots in place of sensitive values, for a file."""
        return _dotted(self.masked(value))

    def _masked(self, value: Any, path: tuple[str | int, ...] | None) -> Any:
        match value:
            case dict():
                return {
                    name: {MARK: [] if path is None else [*path, name]}
                    if _folded(name) in self.names and one not in (None, "")
                    else self._masked(one, None if path is None else (*path, name))
                    for name, one in value.items()
                }
            case list():
                return [
                    self._masked(one, None if path is None else (*path, number)) for number, one in enumerate(value)
                ]
            case str() if len(value) > 1 and _holds_values(value) and self._names_one(value):
                # A body as text, or an address with its parameters: which part of it is the value, nobody can say.
                return {MARK: [] if path is None else list(path)}
            case _:
                return value

    def _names_one(self, text: str) -> bool:
        folded = fold(text)
        return any(name in folded for name in self.names)


def masking(call: Call) -> Masking:
    """That of the workspace of this request."""
    return Masking(call.workspace.sensitive_fields)


def shown(call: Call, value: Any, side: str | None = None) -> Any:
    """Data as everybody is shown it: without sensitive values, and without links that the asker may not use."""
    return without_links(call, masking(call).masked(value, side))


def worked_with(call: Call, value: Any) -> Any:
    """Data for those who go on working with it, such as what a step is given once more: whole for those who may see
    sensitive values at all, masked for the others."""
    whole = without_links(call, value)
    return whole if allows(call.role, Action.RUN_REVEAL, call.actor) else masking(call).masked(whole)


def at(value: Any, path: Sequence[str | int]) -> Any:
    """The value at this place; `KeyError` where there is none."""
    for part in path:
        inside = isinstance(value, dict) and isinstance(part, str) and part in value
        if not inside and not (isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value)):
            raise KeyError(part)
        value = value[part]
    return value


def _holds_values(text: str) -> bool:
    """Whether a text looks like data rather than like a sentence: JSON, XML, or parameters."""
    return any(mark in text for mark in ("{", "=", "<", '":'))


def _dotted(value: Any) -> Any:
    match value:
        case dict():
            return DOTS if set(value) == {MARK} else {name: _dotted(one) for name, one in value.items()}
        case list():
            return [_dotted(one) for one in value]
        case _:
            return value
