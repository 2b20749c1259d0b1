"""Lists that a step reads page by page: how far it is, and what it has had already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from runtime.store.dialect import Statement
from runtime.store.left_out import IS_LEFT_OUT
from runtime.store.models import ItemKey, PassedOver, Reading, Run

__all__ = [
    "INSERT_KEYS",
    "INSERT_PASSED_OVER",
    "UPSERT_READINGS",
    "done_before",
    "had",
    "passed_over",
    "skipped",
    "state_of",
    "totals",
]

UPSERT_READINGS: Final = Statement(
    columns=(
        ("u_run_id", "uuid"),
        ("u_node_id", "text"),
        ("u_state", "text"),
        ("u_total", "int"),
        ("u_skipped", "int"),
    ),
    body="""
    INSERT INTO store_reading (run_id, node_id, state, total, skipped)
    SELECT u_run_id, u_node_id, u_state, u_total, u_skipped FROM u WHERE true
    ON CONFLICT (run_id, node_id) DO UPDATE SET state = excluded.state, total = excluded.total,
        skipped = excluded.skipped""",
)

INSERT_KEYS: Final = Statement(
    columns=(
        ("u_run_id", "uuid"),
        ("u_node_id", "text"),
        ("u_key", "text"),
        ("u_workflow_id", "uuid"),
        ("u_item_index", "int"),
    ),
    body="""
    INSERT INTO store_itemkey (run_id, node_id, key, workflow_id, item_index)
    SELECT u_run_id, u_node_id, u_key, u_workflow_id, u_item_index FROM u WHERE true
    ON CONFLICT DO NOTHING""",
)

INSERT_PASSED_OVER: Final = Statement(
    columns=(
        ("u_run_id", "uuid"),
        ("u_node_id", "text"),
        ("u_number", "int"),
        ("u_place", "text"),
        ("u_key", "text"),
        ("u_done_by", "uuid"),
        ("u_done_at", "int"),
    ),
    body="""
    INSERT INTO store_passedover (run_id, node_id, number, place, key, done_by, done_at)
    SELECT u_run_id, u_node_id, u_number, u_place, u_key, u_done_by, u_done_at FROM u WHERE true
    ON CONFLICT DO NOTHING""",
)
_PORTION: Final = 500
_KNOWN: Final = "key", "run_id", "item_index"


def state_of(run_id: UUID, node: str) -> str | None:
    """How far this step has read; None where it has not begun."""
    return Reading.objects.filter(run_id=run_id, node_id=node).values_list("state", flat=True).first()


def skipped(run_id: UUID, node: str) -> int:
    """How many entries of this step came twice and were passed over."""
    found = Reading.objects.filter(run_id=run_id, node_id=node).values_list("skipped", flat=True).first()
    return found or 0


def had(run_id: UUID, node: str, keys: Sequence[str]) -> set[str]:
    """Those of these keys that this step has had."""
    found: set[str] = set()
    for start in range(0, len(keys), _PORTION):
        rows = ItemKey.objects.filter(run_id=run_id, node_id=node, key__in=keys[start : start + _PORTION])
        found.update(rows.values_list("key", flat=True))
    return found


def done_before(workflow_id: UUID, node: str, keys: Sequence[str], *, but: UUID) -> dict[str, tuple[UUID, int]]:
    """Those of these keys whose entry another live run of this workflow has done, in this step: which run of an entry
    that was, and when it ended, of several the last. What failed there, was undone, or left out, is not done. `but`:
    not by this run."""
    found: dict[str, tuple[UUID, int]] = {}
    for start in range(0, len(keys), _PORTION):
        rows = ItemKey.objects.filter(workflow_id=workflow_id, node_id=node, key__in=keys[start : start + _PORTION])
        known = {(run_id, index): key for key, run_id, index in rows.exclude(run_id=but).values_list(*_KNOWN)}
        runs, indexes = {run_id for run_id, _ in known}, sorted({index for _, index in known})
        for some in range(0, len(indexes), _PORTION):
            ended = Run.objects.filter(
                parent_run_id__in=runs, parent_node=node, item_index__in=indexes[some : some + _PORTION],
                status="completed", mode="live",
            ).exclude(IS_LEFT_OUT)  # fmt: skip
            for run_id, parent, index, at in ended.values_list("id", "parent_run_id", "item_index", "finished_at"):
                key = known.get((parent, index))
                if key is not None and at is not None and (key not in found or found[key][1] < at):
                    found[key] = run_id, at
    return found


def passed_over(run_id: UUID, node: str) -> QuerySet[PassedOver]:
    """The entries of this step that began no run, in their order."""
    return PassedOver.objects.filter(run_id=run_id, node_id=node).order_by("number")


def totals(run_id: UUID) -> dict[str, int | None]:
    """Of each step of this run that reads page by page: how many entries there are, None where that is not known."""
    return dict(Reading.objects.filter(run_id=run_id).values_list("node_id", "total"))
