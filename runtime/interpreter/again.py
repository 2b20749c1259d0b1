"""Going on with ended runs that another run has begun, or undoing them: for that run, and by nobody else's decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Literal
from uuid import UUID

from runtime.contracts import PlanOutdated
from runtime.engine import replay
from runtime.engine.graph import Graph
from runtime.engine.replay import Fate, PlannedStep
from runtime.interpreter import four_eyes, guards, own_plans, reopening, undo_plans
from runtime.interpreter.called_versions import Called
from runtime.interpreter.calls import UNKNOWN
from runtime.interpreter.reopening import Found
from runtime.store.children import outer_of
from runtime.store.commits import commit
from runtime.store.models import Run

#: Who has it done.
BY: Final = "run"


Became = Literal["begun", "asks", "quicker", "stopped"]


def retry(
    run_id: UUID,
    parent: UUID,
    version_id: UUID | None,
    item: str | None,
    *,
    may: bool,
    called: Called,
) -> Became:
    """Go on with a run from where it failed, on the version that the run around it has (None: on what is settled for
    its workflow by `called`), where it fits. `item`: what it is given now. `may`: something that it did may happen a
    second time.

    `asks`: a person has to decide something first. `quicker`: somebody has gone on with it meanwhile. `stopped`: the
    run around it (`parent`) was cancelled or paused, and begins nothing.
    """
    (own,) = own_plans.fates(list(Run.objects.filter(pk=run_id).values(*own_plans.COLUMNS)), version_id, called)
    if own.fate in ("open", "kept"):
        return "quicker"
    if own.found is None or own.fate == "asks" or (own.fate == "repeats" and not may):
        return "asks"
    found = _asking_anew(own.found, item)
    lines = found.lines()
    if (fate := replay.fate_of_run(lines)) is Fate.ASKS or (fate is Fate.REPEATS and not may):
        return "asks"
    rows = reopening.next_rows(found, lines, {}, {}, anew=given_anew(found, lines, item))
    changes: dict[str, Any] = {} if item is None else {"item": item}
    try:
        with commit("child.reopen"):
            # Locked before the item's row, as by whoever cancels or pauses it.
            goes_on = Run.objects.filter(pk=parent, cancel_requested_at__isnull=True, paused_at__isnull=True)
            if goes_on.select_for_update().values_list("pk").first() is None:
                return "stopped"
            allowed = [line.node for line in lines] if may else []
            reopening.carry_on(found, lines, rows, who=BY, may=allowed, **changes)
    except PlanOutdated:
        return "quicker"
    return "begun"


def _asking_anew(found: Found, item: str | None) -> Found:
    """The same, going on also from where people decided by what the entry, or a step around it, no longer gives."""
    graph = found.version.graph
    if graph.container is None or not any(map(guards.decides, graph.nodes)):
        return found
    outer = outer_of([found.row["id"]]).get(found.row["id"])
    other = item is not None and outer is not None and item != outer.item
    asked = four_eyes.asked_before(found, outer, other=other)
    return replace(found, start=tuple(sorted({*found.start, *asked}))) if asked else found


def given_anew(found: Found, lines: Sequence[PlannedStep], item: str | None) -> set[str]:
    """The steps that an item begins with and that would be given what the steps around it, which were done anew, no
    longer give; but for those of which nobody knows what they did: these are sent the same once more."""
    if found.version.graph.container is None:
        return set()
    run_id = found.row["id"]
    outer = outer_of([run_id]).get(run_id)
    other = item is not None and outer is not None and item != outer.item
    return {
        line.node
        for line in lines
        if line.first
        and found.known.get(line.node) not in UNKNOWN
        and (before := found.steps.get(line.node)) is not None
        and outer is not None
        and (other or (before.started_at is not None and outer.texts_at(before.started_at)))
    }


def undo(workspace_id: UUID, run_id: UUID, container: str, mark: str) -> Literal["begun", "nothing", "asks"]:
    """Undo what a run did. `asks`: an undo of it may have happened already, which a person has to look at first; or it
    did what nothing undoes. `mark`: by which it is told that this was tried."""
    found = undo_plans.look(workspace_id, run_id)
    if found.fate != "undo":
        return "nothing" if found.fate == "nothing" else "asks"
    try:
        undo_plans.carry_out(found, who=BY, reason=f"“{container}” is undone.", point="child.undo", by=mark)
    except PlanOutdated:
        return "asks"
    return "begun"


def inside(workspace_id: UUID, run_ids: Sequence[UUID]) -> tuple[list[str], list[str], list[str]]:
    """Names of the steps in these runs that are still done, of those that were undone, the last one first, and of those
    of which nobody knows whether they were."""
    left: dict[str, None] = {}
    gone: dict[str, None] = {}
    unsure: dict[str, None] = {}
    for run_id in run_ids:
        found = undo_plans.look(workspace_id, run_id)
        unknown = found.unknown()
        for line in found.lines:
            if line.fate == "undone":
                gone[line.name] = None
            elif line.undo_node in unknown or own_plans.is_unknown_inside(found, line):
                unsure[line.name] = None
            elif line.fate not in ("nothing", "apart"):
                left[line.name] = None
    return list(left), list(gone), list(unsure)


def graph_of(run_id: UUID) -> Graph:
    """The graph that a run carries out."""
    row = Run.objects.values("id", "version_id", "trigger_node", "workflow_id", "mode").get(pk=run_id)
    return reopening.version_of(row).graph
