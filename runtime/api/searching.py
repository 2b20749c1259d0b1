"""Finding runs: lists, counts, and what they can be found by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Value

from runtime.api.cursors import decode, decode_marker, encode, encode_marker, page_size
from runtime.api.fields import fields_named
from runtime.api.rows import RUN_COLUMNS, run_views
from runtime.contracts import CappedCount, Page, RunFilters, RunView, SearchedField, StandingAt
from runtime.engine.naming import instant_of, units_of
from runtime.interpreter.letters import open_letters
from runtime.store import run_queries
from runtime.store.dialect import database_now
from runtime.store.models import DeadLetter, Deployment, Run, StepRun, Version

__all__ = [
    "count_runs",
    "day_typed",
    "find_runs",
    "number_typed",
    "runs",
    "searched_fields",
    "standing_at",
    "usual_durations",
    "versions_numbered",
    "versions_using",
]

#: Higher numbers say nothing more to anybody, and cost a look at each.
MOST_COUNTED: Final = 1_000
#: By so many of a workflow's newest runs it is told how long they take.
_LOOKED_AT: Final = 200
_MOST_STANDING: Final = 100_000
_TYPED: Final = re.compile(r"([+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?)\s*([A-Za-z]{3}|)")
_MOVING: Final = ("ready", "running", "retrying")


def runs(
    *, workspace_id: UUID, filters: RunFilters | None = None, after: str | None = None, limit: int = 50
) -> Page[RunView]:
    """Runs, newest first or as `filters.sort` says; items only where words are searched and nothing else. `after` is
    the cursor of the page before. Raises BadCursor."""
    filters = filters or RunFilters()
    size = page_size(limit)
    simple = filters.sort in ("newest", "oldest")
    if simple:
        last = decode(after)
        marker = None if last is None else (0, last)
    else:
        marker = decode_marker(after)
    found = markers(workspace_id, filters, marker, size + 1, keys_first=True)
    views = views_of(workspace_id, [run_id for _, run_id in found[:size]])
    cursor = None
    if len(found) > size:
        cursor = encode(found[size - 1][1]) if simple else encode_marker(*found[size - 1])
    return Page(views, cursor)


def markers(
    workspace_id: UUID, filters: RunFilters, after: run_queries.Marker | None, size: int, *, keys_first: bool
) -> list[run_queries.Marker]:
    """The places of the next so many runs that match. `keys_first`: while keys alone are enough for so many, nobody
    looks further: see docs/runs.md."""
    found: list[run_queries.Marker] = []
    if keys_first and filters.query and filters.sort in ("newest", "oldest"):
        found = run_queries.ids_by_key(workspace_id, filters, after, size, database_now())
    if len(found) < size:
        found = run_queries.ids_of_page(workspace_id, filters, after, size, database_now())
    if _takes_items(filters):
        items = run_queries.ids_of_items(workspace_id, filters, after, size)
        # A number may be found both ways.
        found = sorted({*found, *items}, key=lambda one: one[1].int, reverse=True)[:size]
    return found


def find_runs(*, workspace_id: UUID, filters: RunFilters, most: int) -> list[UUID]:
    """The ids of all that match, in their order, at most so many."""
    found = run_queries.ids_of_page(workspace_id, filters, None, most, database_now())
    return [run_id for _, run_id in found]


def count_runs(*, workspace_id: UUID, filters: RunFilters, most: int = MOST_COUNTED) -> CappedCount:
    """How many match, counted up to `most`; items are not among them."""
    found = run_queries.count(workspace_id, filters, most, database_now())
    return CappedCount(min(found, most), found > most)


def searched_fields(*, workspace_id: UUID) -> list[SearchedField]:
    """The fields that live versions name, by their short names; of two workflows with the same one the label and the
    kind of the one published last."""
    live = Deployment.objects.filter(workspace_id=workspace_id, retired=False).order_by("-changed_at")
    found: dict[str, SearchedField] = {}
    for workflow_id, version_id in live.values_list("workflow_id", "version_id"):
        for one in fields_named(version_id):
            known = found.get(one.name)
            workflows = (workflow_id,) if known is None else (*known.workflows, workflow_id)
            found[one.name] = SearchedField(
                one.name,
                one.label if known is None else known.label,
                one.kind if known is None else known.kind,
                workflows,
            )
    return [found[name] for name in sorted(found)]


def usual_durations(*, workspace_id: UUID, workflow_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How long runs of these workflows usually take: the median of the newest that are done, in milliseconds."""
    usual: dict[UUID, int] = {}
    for workflow_id in workflow_ids:
        rows = Run.objects.filter(workspace_id=workspace_id, workflow_id=workflow_id).order_by("-id")
        newest = rows.values_list("status", "accepted_at", "finished_at")[:_LOOKED_AT]
        took = sorted(ended - began for status, began, ended in newest if status == "completed" and ended is not None)
        if took:
            usual[workflow_id] = took[len(took) // 2]
    return usual


def versions_numbered(*, workspace_id: UUID, workflow_id: UUID | None, number: int) -> list[UUID]:
    """The published versions of this number, of one workflow or of all."""
    rows = Version.objects.filter(workspace_id=workspace_id, number=number, kind="live")
    if workflow_id is not None:
        rows = rows.filter(workflow_id=workflow_id)
    return list(rows.values_list("id", flat=True))


def versions_using(*, workspace_id: UUID, connection_id: UUID) -> list[UUID]:
    """The published versions whose steps call by this connection."""
    rows = Version.objects.filter(workspace_id=workspace_id, kind="live", graph__contains=str(connection_id))
    return list(rows.values_list("id", flat=True))


def standing_at(*, workspace_id: UUID, workflow_id: UUID) -> list[StandingAt]:
    """How many live runs of a workflow stand at each step now, whatever their version, or failed there and wait for
    somebody to decide."""
    going = Run.objects.filter(
        workspace_id=workspace_id, workflow_id=workflow_id, mode="live", finished_at__isnull=True
    ).order_by("-id")[:_MOST_STANDING]
    moving = StepRun.objects.filter(run_id__in=going.values("id"), status__in=(*_MOVING, "waiting")).order_by()
    open_ones = open_letters(workspace_id).filter(workflow_id=workflow_id)
    unsolved = DeadLetter.objects.filter(workspace_id=workspace_id, workflow_id=workflow_id, solved_at__isnull=True)
    later = unsolved.filter(run_id=OuterRef("run_id"), generation__gt=OuterRef("generation"))
    letters = open_ones.filter(~Exists(later)).annotate(status=Value("failed")).order_by()
    # One query: a run that fails, or is gone on with, between two of them would stand there twice, or not at all.
    counted: dict[str, dict[str, int]] = {}
    for node, status, number in (
        moving.values_list("node_id", "status")
        .annotate(Count("run_id"))
        .union(letters.values_list("node_id", "status").annotate(Count("run_id")), all=True)
    ):
        kind = status if status in ("waiting", "failed") else "running"
        row = counted.setdefault(node, {})
        row[kind] = row.get(kind, 0) + number
    return [
        StandingAt(node, row.get("running", 0), row.get("waiting", 0), row.get("failed", 0))
        for node, row in sorted(counted.items())
    ]


def number_typed(text: str) -> tuple[int | None, str]:
    """A number that somebody typed, perhaps with a currency, as `FieldTerm` takes it; None for no number."""
    match = _TYPED.fullmatch(text.strip())
    return (None, "") if match is None else (units_of(match[1]), match[2].upper())


def day_typed(day: date) -> int:
    """A day as `FieldTerm` takes it."""
    found = instant_of(day.isoformat())
    assert found is not None
    return found


def _takes_items(filters: RunFilters) -> bool:
    """Whether items may be what is looked for: by their names alone."""
    others = (
        filters.version_ids, filters.nodes, filters.asks, filters.longer_than, filters.shorter_than,
        filters.fields or None, filters.codes or None, filters.causes or None, filters.started_by or None,
        filters.tags or None,
    )  # fmt: skip
    words = (filters.query or "").strip()
    return bool(words) and filters.sort == "newest" and all(one is None for one in others)


def views_of(workspace_id: UUID, ids: Sequence[UUID]) -> list[RunView]:
    """These runs in this order; those that are gone are left out."""
    rows = {row["id"]: row for row in Run.objects.filter(workspace_id=workspace_id, pk__in=ids).values(*RUN_COLUMNS)}
    return run_views([rows[run_id] for run_id in ids if run_id in rows])
