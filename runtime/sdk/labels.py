"""What a builder calls the answers to a question, in the place of their usual names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from runtime.sdk.tasks import Choice

__all__ = ["LONGEST_LABEL", "choice", "label_problems"]

#: It has to stand on one button of two, on a phone.
LONGEST_LABEL: Final = 40
_USUAL: Final = (("approve_label", "approve"), ("reject_label", "reject"))


def choice(id: str, usual: str, label: str, *, comment: bool) -> Choice:
    """One answer: by the name that the builder gives it, or else by its usual one, which is translated."""
    own = _line(label)
    return Choice(id, own or usual, comment=comment, own=bool(own))


def label_problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What is wrong with the names as stored: (field path, code, message). Two buttons of one name say nothing."""
    approve, reject = (_line(config.get(field) or usual).casefold() for field, usual in _USUAL)
    if approve != reject:
        return []
    field = "reject_label" if config.get("reject_label") else "approve_label"
    return [(field, "same_label", "Both buttons have the same name: nobody would know which one says yes.")]


def _line(text: object) -> str:
    return " ".join(str(text).split())
