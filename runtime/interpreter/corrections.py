"""Entries of a list that failed and are given something else: put right by a person, and gone on with."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from runtime.contracts import NotRetryable
from runtime.engine.jsonprofile import JSON, dumps, loads_stored, normalise
from runtime.interpreter import again, own_amounts
from runtime.interpreter.four_eyes import EntryRules, asked_before, entry_rules
from runtime.interpreter.generations import refuse_part_of_what_is_over
from runtime.interpreter.payloads import INLINE_CHARACTERS, put_aside, reference_in
from runtime.interpreter.plain_retries import look_plainly
from runtime.interpreter.reopening import carry_on, next_rows
from runtime.store import artifacts, beside
from runtime.store.children import outer_of
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import ItemAmount

__all__ = ["correct"]

#: Characters of each side, where even what differs is a lot.
_MOST_ON_RECORD: Final = 2_000
_DECIDED_WITHIN: Final = (
    "In “{name}” people have decided about this entry as it is. Retry it so; or settle it by hand, and put what is"
    " right into a new list."
)


def correct(
    workspace_id: UUID, run: dict[str, Any], item: JSON, by: UUID | None, rules: EntryRules | None = None
) -> None:
    """Give this entry (`id`, `parent_run_id`, `parent_node`, `item_index`, `item`, `version_id` of its run) something
    else, and go on with it from where it failed, or from where people decided about it as it was, who are asked anew;
    the steps that it was done with before that stand. `rules`: those of its list, where they are known. Raises
    NeedsSomebody, NotRetryable, PlanOutdated, RetryRefused, StoreUnavailable."""
    rules = entry_rules(run) if rules is None else rules
    if rules.why is not None:
        raise NotRetryable(rules.why[1], code=rules.why[0])
    if (name := rules.decided_within(run["id"])) is not None:
        raise NotRetryable(_DECIDED_WITHIN.format(name=name), code="approved")
    text = dumps(item)
    if len(text) > INLINE_CHARACTERS:
        text = put_aside(text, workspace_id=workspace_id, name=f"item-{run['item_index']}.json").text()
    found = look_plainly(workspace_id, run["id"])
    if asked := asked_before(found, outer_of([run["id"]]).get(run["id"]), other=True):
        found = look_plainly(workspace_id, run["id"], start=sorted(asked))
    lines = found.lines()
    anew = again.given_anew(found, lines, text)
    rows = next_rows(found, lines, {}, {}, anew=anew)
    who = "api" if by is None else f"user:{by}"
    before = _read(run["item"])
    edits = {run["parent_node"]: _on_record(before, normalise(item))}
    now = database_now()
    worth = own_amounts.anew(run, item, now)
    with commit("run.replay"):
        refuse_part_of_what_is_over(found.row, lock=True)
        carry_on(found, lines, rows, who=who, now=now, edits=edits, item=text)
        beside.tell(id=str(run["id"]), **_differs(before, item))
        if worth is not None:
            ItemAmount.objects.filter(
                run_id=run["parent_run_id"], node_id=run["parent_node"], item_index=run["item_index"]
            ).update(amount=worth[0], currency=worth[1])


def _differs(before: JSON, after: JSON) -> dict[str, JSON]:
    """What was changed, by name; what it was and is, by digest alone."""
    names: list[JSON] = []
    if isinstance(before, dict) and isinstance(after, dict):
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {"changed": names, "sha256_before": beside.digest(before), "sha256_after": beside.digest(after)}


def _read(text: str | None) -> JSON:
    """A stored entry, wherever it stands. Raises ArtifactDamaged, OSError."""
    reference = reference_in(text)
    return loads_stored(text or "null" if reference is None else artifacts.read(reference.artifact_id))


def _on_record(before: JSON, after: JSON) -> dict[str, JSON]:
    """What it was given before and after, as the record of the retry keeps it: all of it, or where that is a lot, what
    differs, and where that is a lot, too, how it begins."""
    found: dict[str, JSON] = {"before": before, "after": after}
    if len(dumps(found)) <= INLINE_CHARACTERS:
        return found
    if isinstance(before, dict) and isinstance(after, dict):
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        found = {
            "before": {name: before[name] for name in names if name in before},
            "after": {name: after[name] for name in names if name in after},
        }
        if len(dumps(found)) <= INLINE_CHARACTERS:
            return found
    return {side: dumps(value)[:_MOST_ON_RECORD] + " …" for side, value in found.items()}
