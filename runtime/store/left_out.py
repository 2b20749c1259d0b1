"""Items of lists that a person left out: a step failed, and who was asked chose *Skip this item*. Their runs ended well
and say so; who it was, and why, stands in the vote on the question.

Only what was left out is looked up: by its run, or by the small index that holds nothing else.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Q

from runtime.engine.state import Outcome
from runtime.store.children import key
from runtime.store.models import Run
from runtime.store.people import HumanVote

__all__ = ["IS_LEFT_OUT", "SKIP", "LeftOut", "by_step", "first_of", "said"]

#: What a person says who leaves an item out, as the vote and the question keep it.
SKIP: Final = "skip"
#: Of rows of `Run`, for queries.
IS_LEFT_OUT: Final = Q(status="completed", outcome=Outcome.SKIPPED.value)


# The word itself and no parameter: only then do the databases see that the index `run_left_out_item` holds just those.
_BY_STEP: Final = """
    SELECT parent_node, COUNT(*) FROM store_run
    WHERE parent_run_id = %(run)s AND outcome = 'skipped' AND status = 'completed' GROUP BY parent_node"""


class LeftOut(NamedTuple):
    """Who left an item out (`in_place_of`: whose word it was, empty where their own), why, and when (ms)."""

    voter: UUID
    by: str
    in_place_of: str
    reason: str
    at: int


def said(run_ids: Iterable[UUID]) -> dict[UUID, LeftOut]:
    """What was said of those of these runs that were left out."""
    wanted = list(run_ids)
    if not wanted:
        return {}
    votes = HumanVote.objects.filter(
        task__run_id__in=wanted, task__kind="exception", task__status="decided", task__outcome=SKIP, outcome=SKIP
    )
    rows = votes.order_by("at").values_list("task__run_id", "voter", "name", "for_name", "comment", "at")
    return {run_id: LeftOut(voter, by, for_name, why, at) for run_id, voter, by, for_name, why, at in rows}


def by_step(run_id: UUID, nodes: Container[str]) -> dict[str, int]:
    """How many runs of each of these steps were left out; steps without any are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_STEP, {"run": key(run_id)})
        return {node: count for node, count in cursor.fetchall() if node in nodes}


def first_of(run_id: UUID, node: str, *, limit: int) -> list[tuple[UUID, int, str | None]]:
    """The first of those of this step that were left out: run, number from 0, and what people call it."""
    rows = Run.objects.filter(IS_LEFT_OUT, parent_run_id=run_id, parent_node=node).order_by("item_index")
    found = rows.values_list("id", "item_index", "business_key")[:limit]
    return [(run, index or 0, label) for run, index, label in found]
