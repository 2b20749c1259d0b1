"""Entries of a list that failed and are given something else: put right by a person, and gone on with."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from runtime.engine.jsonprofile import JSON, dumps, loads_stored
from runtime.interpreter import again, own_amounts
from runtime.interpreter.generations import refuse_part_of_what_is_over
from runtime.interpreter.payloads import INLINE_CHARACTERS, document, put_aside
from runtime.interpreter.plain_retries import look_plainly
from runtime.interpreter.reopening import carry_on, next_rows
from runtime.interpreter.versions import container_of, parsed
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import ItemAmount

__all__ = ["correct", "given"]


def given(run: dict[str, Any]) -> JSON:
    """What the run of an entry was given, by its row's `item`."""
    return document(run["item"])


def correct(workspace_id: UUID, run: dict[str, Any], item: JSON, by: UUID | None) -> None:
    """Give this entry (`id`, `parent_run_id`, `parent_node`, `item_index`, `item`, `version_id` of its run) something
    else, and go on with it from where it failed; the steps that it was done with stand. Raises NeedsSomebody,
    NotRetryable, PlanOutdated, RetryRefused, StoreUnavailable."""
    text = dumps(item)
    if len(text) > INLINE_CHARACTERS:
        text = put_aside(text, workspace_id=workspace_id, name=f"item-{run['item_index']}.json").text()
    found = look_plainly(workspace_id, run["id"])
    lines = found.lines()
    anew = again.given_anew(found, lines, text)
    rows = next_rows(found, lines, {}, {}, anew=anew)
    who = "api" if by is None else f"user:{by}"
    edits = {run["parent_node"]: {"before": loads_stored(run["item"]), "after": loads_stored(text)}}
    with commit("run.replay"):
        refuse_part_of_what_is_over(found.row, lock=True)
        carry_on(found, lines, rows, who=who, now=database_now(), edits=edits, item=text)
        _count_anew(run, item)


def _count_anew(run: dict[str, Any], item: JSON) -> None:
    """What the entry is worth now."""
    around = container_of(parsed(run["version_id"]).graph, run["parent_node"])
    if around is None or around.prepared is None or not around.prepared.raw.get("amount"):
        return
    context = {"item": item, "index": run["item_index"], "vars": {}}
    amount, currency = own_amounts.worth(around.prepared, context)
    ItemAmount.objects.filter(
        run_id=run["parent_run_id"], node_id=run["parent_node"], item_index=run["item_index"]
    ).update(amount=amount, currency=currency)
