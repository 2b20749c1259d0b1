"""The links of waiting runs, in data that is shown: whoever has one may use it, so only those who may have them see
them."""

from __future__ import annotations

import re
from typing import Any, Final, TypeVar

from builder.accounts.rights import Action, allows
from builder.api.operation import Call

__all__ = ["without_links"]

T = TypeVar("T")

_LINK: Final = re.compile(r"(/hooks/resume/[0-9a-f-]{36}/[A-Za-z0-9_-]{1,64}/[0-9]{1,9}/)[0-9a-f]{40}")
_HIDDEN: Final = r"\1…"


def without_links(call: Call, value: T) -> T:
    """The data as it stands, or with the secrets of links left out where the asker may not have them."""
    return value if allows(call.role, Action.RUN_SIGNAL, call.actor) else _masked(value)


def _masked(value: Any) -> Any:
    match value:
        case str():
            return _LINK.sub(_HIDDEN, value) if "/hooks/resume/" in value else value
        case dict():
            return {_masked(name): _masked(one) for name, one in value.items()}
        case list():
            return [_masked(one) for one in value]
        case _:
            return value
