"""Questions that are asked once more, by a run that is gone on with: which of their settings may be other ones for it.

Who decides, and by what rule, is said in the workflow, where everybody sees it; and what people decide by is what the
run has. So neither is changed for one run. How they are told and reminded is, and what else they should know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from runtime.catalog import CATALOG
from runtime.engine.expressions import is_expression
from runtime.engine.graph import Node
from runtime.sdk.prepared import visible

__all__ = ["refused"]

_WHO_DECIDES: Final = (
    "Who decides, and by what rule, is changed in the workflow, and not for one run. Publish a version with other"
    " settings, and go on with that version or start anew."
)
_WHO_RELEASES: Final = (
    "Who releases a list, and what it is held to, is changed in the workflow, and not for one run. Publish a version"
    " with other settings, and go on with that version or start anew."
)
_SHOWN: Final = (
    "What people decide by is what the run has, and is not written anew for one run. Go on from the step that it comes"
    " from, and correct it there; or publish a version with other settings."
)
_WORKED_OUT: Final = (
    "Who decides by this step, or on what, has to be worked out from the data of the run. Go on without changing this"
    " step: then that is done anew."
)

#: What says who decides, and how long they are waited for: a way out in their place is taken then.
_RULES: Final[Mapping[str, tuple[str, ...]]] = {
    "people.approval@": (
        "people", "rule", "number", "not_requester", "requester", "admins", "escalate_to", "link", "limit", "unit",
    ),
    "people.review@": (
        "people", "releasers", "four_eyes", "not_requester", "requester", "escalate_to", "link", "limit", "unit",
        "must_agree", "rules", "columns",
    ),
}  # fmt: skip
#: What they decide by.
_DATA: Final = (
    "facts", "warnings", "amount", "currency", "approve_label", "reject_label", "expected_count", "expected_amount",
)  # fmt: skip
#: The same where it is written with the data of the run; else they are words like any other.
_WORDS: Final = ("title", "text")


def refused(old: Node | None, node: Node, given: Any, after: Mapping[str, Any]) -> str | None:
    """Why a question cannot have the settings `after`; None where it can, and of any other step. `old`: the same step
    in the version that the run had; `given`: the settings that it was last asked with, None where it never was."""
    kind = next((one for one in _RULES if node.type.startswith(one)), None)
    if kind is None:
        return None
    drawn, now = _filled(node, node.config), _filled(node, after)
    unknown = False
    for name in (*_RULES[kind], "mail", *_DATA, *_WORDS):
        wanted = drawn.get(name)
        if (name in _WORDS and not _has_formula(wanted)) or (name == "mail" and drawn.get("link") != "open"):
            continue
        if _has_formula(wanted):
            # By the same formula it is what it was; by another one nobody knows it before the step is come to.
            if old is None or not isinstance(given, Mapping) or _filled(old, old.config).get(name) != wanted:
                unknown = True
                continue
            wanted = _filled(node, given).get(name)
        if now.get(name) != wanted:
            return _SHOWN if name in _DATA + _WORDS else _who(kind)
    return _WORKED_OUT if unknown else None


def _who(kind: str) -> str:
    return _WHO_DECIDES if kind == "people.approval@" else _WHO_RELEASES


def _filled(node: Node, config: Mapping[str, Any]) -> dict[str, Any]:
    """These settings as they are meant: without those that are not on the form, and with what is not stored."""
    found = CATALOG.get(node.type)
    return dict(config) if found is None else found.filled(visible(found.config, config))


def _has_formula(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_formula(one) for one in value.values())
    if isinstance(value, list):
        return any(_has_formula(one) for one in value)
    return is_expression(value)
