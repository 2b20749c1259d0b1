"""What a builder calls the answers to a question, in the place of their usual names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from runtime.sdk.tasks import Choice

__all__ = ["LONGEST_LABEL", "USUAL_LABELS", "choice", "label_problems"]

#: It has to stand on one button of two, on a phone.
LONGEST_LABEL: Final = 40
#: By what names the answers go where the builder gives them none: one for each language that people read in.
USUAL_LABELS: Final = (("Approve", "Reject"), ("Genehmigen", "Ablehnen"))


def choice(id: str, usual: str, label: str, *, comment: bool) -> Choice:
    """One answer: by the name that the builder gives it, or else by its usual one, which is translated."""
    own = _line(label)
    return Choice(id, own or usual, comment=comment, own=bool(own))


def label_problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What is wrong with the names as stored: (field path, code, message). Two buttons of one name say nothing."""
    own = [_line(config.get(name) or "").casefold() for name in ("approve_label", "reject_label")]
    shown = [(own[0] or approve.casefold(), own[1] or reject.casefold()) for approve, reject in USUAL_LABELS]
    if not any(approve == reject for approve, reject in shown):
        return []
    field = "reject_label" if own[1] else "approve_label"
    return [(field, "same_label", "Both buttons have the same name: nobody would know which one says yes.")]


def _line(text: object) -> str:
    return " ".join(str(text).split())
