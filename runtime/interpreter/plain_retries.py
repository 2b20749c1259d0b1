"""Going on with a run where nobody's word is needed: nothing of it is in doubt, and nothing would happen twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal
from uuid import UUID

from runtime.contracts import JSON, NotRetryable, RetryRefused
from runtime.engine import replay
from runtime.engine.replay import Fate, PlannedStep
from runtime.engine.undo import INCOMPLETE
from runtime.interpreter import own_plans
from runtime.interpreter.called_versions import Called
from runtime.interpreter.edited_retries import given_to
from runtime.interpreter.generations import refuse_part_of_what_is_over
from runtime.interpreter.reopening import Found, carry_on, choices, look, next_rows, run_row
from runtime.store.models import DeadLetter

__all__ = ["ASKS", "NeedsSomebody", "carry_on_plainly", "in_the_way", "incompatible", "look_plainly"]

ASKS: Final = "Somebody has to look at the plan of this run first."
_BACKWARDS: Final = (
    "This run was to be undone, and something is still done. A retry would go forward: open the run and undo it again."
)


class NeedsSomebody(Exception):
    """The plan of the run asks something, or does something a second time (`again`)."""

    def __init__(self, *, again: bool = False) -> None:
        super().__init__()
        self.again = again


def look_plainly(
    workspace_id: UUID,
    run_id: UUID,
    version: Literal["own", "published"] = "own",
    held_to: Called | None = None,
    start: Sequence[str] = (),
) -> Found:
    """The run with its plan, on its own version or the one that is published, where that needs nobody's word.
    `held_to`: by workflow, the version to take for the published one, and of those that it runs (a workflow that is not
    there had none); None: the one that is live. `start`: node ids to go on from, besides what did not end well.

    Raises NeedsSomebody, and what `look` and a retry raise.
    """
    unsolved = DeadLetter.objects.filter(workspace_id=workspace_id, run_id=run_id, solved_at__isnull=True)
    if unsolved.filter(code=INCOMPLETE).exists():
        raise NotRetryable(_BACKWARDS, code="to_be_undone")
    number = pinned = None
    if version == "published":
        row = run_row(workspace_id, run_id)
        if held_to is None:
            # The one that is live comes behind the run's own, where it is another.
            number = choices(row)[-1][1]
        else:
            pinned = held_to.get(row["workflow_id"])
    found = look(workspace_id, run_id, start, number, held_to=pinned, called=held_to)
    lines = found.lines()
    if refused := in_the_way(found, lines):
        raise RetryRefused(refused)
    items, _ = own_plans.counts(found)
    again = any(line.fate is Fate.REPEATS for line in lines) or any(one.repeats for one in items.values())
    if again or any(line.fate is Fate.ASKS for line in lines) or any(one.asks for one in items.values()):
        raise NeedsSomebody(again=again)
    return found


def carry_on_plainly(found: Found, who: str, now: int, edits: Mapping[str, JSON] | None = None) -> None:
    """Open the run's next generation by that plan, within the caller's transaction. `edits`: other settings, by node
    id, that nobody's word is needed for. Raises NotRetryable, PlanOutdated (somebody was quicker)."""
    refuse_part_of_what_is_over(found.row, lock=True)
    edits = edits or {}
    lines = found.lines(edited=edits)
    noted = {node: {"before": given_to(found, node), "after": after} for node, after in edits.items()}
    carry_on(found, lines, next_rows(found, lines, edits, {}), who=who, now=now, edits=noted)


def in_the_way(found: Found, lines: Sequence[PlannedStep]) -> dict[str, str]:
    """Why the chosen version cannot go on with the run: step (node id) → sentence."""
    refused = dict.fromkeys(
        incompatible(found, lines),
        f"Version {found.version.number} comes to this step another way, so what it did does not fit in.",
    )
    lacks = own_plans.lacks(found)
    for node in lacks.dropped:
        refused[node] = (
            f"Version {found.version.number} has no such step any more, and nobody knows whether it happened. Decide"
            f" about it with version {found.old.number}."
        )
    for node in lacks.missing:
        refused[node] = (
            f"Version {found.version.number} has no such step any more, and what it did outside stands: nobody could"
            f" undo it any more. Go on with version {found.old.number}."
        )
    return refused


def incompatible(found: Found, lines: Sequence[PlannedStep]) -> tuple[str, ...]:
    """Kept steps (node ids) that the chosen version reaches otherwise."""
    if found.old is found.version:
        return ()
    kept = (line.node for line in lines if line.fate is Fate.KEPT)
    return replay.incompatible(found.old.graph, found.version.graph, kept)
