"""What to do about steps that were done twice, are still done, or of which nobody could know whether they were."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from runtime.catalog import CATALOG
from runtime.contracts import UndoLine
from runtime.sdk import EffectClass
from runtime.store.models import Attempt

__all__ = ["by_name", "doubted", "not_undone", "repeated"]

Step = dict[str, Any]
_MAIL: Final = "email."


def by_name(keyed: Callable[[str], Step | None], twice: Mapping[str, int]) -> dict[str, int]:
    """The same counts by the steps' names, in place of their keys."""
    return {_name(keyed(key), key): count for key, count in twice.items()}


def repeated(keyed: Callable[[str], Step | None], twice: Iterable[str]) -> Iterator[dict[str, str]]:
    """For steps, by key, that were done twice: {step, what}.

    `what`: mail_repeats (it says that its mail server knows a repeat), key (its key was not heeded), again.
    """
    for key in twice:
        step = keyed(key)
        effect = None if step is None else _effect(step)
        mail = step is not None and str(step["type"]).startswith(_MAIL)
        what = "mail_repeats" if mail else "key" if effect in (EffectClass.KEYED, EffectClass.QUERYABLE) else "again"
        yield {"step": _name(step, key), "what": what}


def doubted(find: Callable[[UUID, str], Step | None], runs: Iterable[UUID]) -> list[dict[str, str]]:
    """For steps of these runs of which nobody could know whether they happened: {step, what}.

    `what`: doubt_mail, doubt_look_up (it was looked up in vain) or doubt_call; with `_person` where the step asks a
    person by its settings, in place of letting the run fail.
    """
    rows = Attempt.objects.filter(run_id__in=list(runs), status="in_doubt").order_by("started_at")
    found = {}
    for workflow_id, node in rows.values_list("run__workflow_id", "node_id"):
        step = find(workflow_id, node)
        if step is None:
            continue
        what = "doubt_call"
        if str(step["type"]).startswith(_MAIL):
            what = "doubt_mail"
        elif _effect(step) is EffectClass.QUERYABLE:
            what = "doubt_look_up"
        asks = step.get("settings", {}).get("on_failure") == "person"
        found[workflow_id, node] = {"step": _name(step, node), "what": f"{what}_person" if asks else what}
    return list(found.values())


def not_undone(lines: Iterable[UndoLine]) -> list[dict[str, str]]:
    """For steps that are still done after an undo: {step, what}.

    `what`: no_undo (nothing undoes it, and nobody said that nothing has to), undo_off (that is switched off), or
    undo_failed (`step` is then the one that should have undone it).
    """
    found: dict[tuple[str, str], None] = {}
    for line in lines:
        inside = [] if line.items is None else line.items.left
        if line.fate == "stays":
            found[line.name, "undo_off" if line.why == "switched_off" else "no_undo"] = None
        elif line.fate in ("undo", "again") and inside:
            found |= dict.fromkeys((name, "no_undo") for name in inside)
        elif line.fate in ("undo", "again"):
            found[line.undo_name or line.name, "undo_failed"] = None
    return [{"step": step, "what": what} for step, what in found]


def _effect(step: Step) -> EffectClass | None:
    known = CATALOG.get(str(step["type"]))
    return None if known is None else known.effect_of(step.get("config", {}))


def _name(step: Step | None, key: str) -> str:
    return key if step is None else str(step.get("name") or key)
