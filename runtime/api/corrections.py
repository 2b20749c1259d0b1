"""Entries of a batch that failed: listed with what they were given, put right, and gone on with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal
from uuid import UUID

from runtime import queue
from runtime.api.batches import own_runs, refuse_other_than_lists
from runtime.api.cursors import decode_number, encode_number, page_size
from runtime.api.rows import document
from runtime.contracts import NotRetryable, Page, PlanOutdated, RetryRefused, RuntimeRefused
from runtime.engine.jsonprofile import JSON
from runtime.interpreter.corrections import correct
from runtime.interpreter.four_eyes import EntryRules, Fixed, entry_rules
from runtime.interpreter.plain_retries import ASKS, NeedsSomebody
from runtime.store.models import DeadLetter, Run

__all__ = ["Corrected", "FailedEntry", "correct_entries", "failed_entries", "failed_runs", "walk_failed"]

MOST_CORRECTED: Final = 500
_COLUMNS: Final = ("id", "parent_run_id", "parent_node", "item_index", "item", "version_id", "business_key")


@dataclass(frozen=True, slots=True)
class FailedEntry:
    """An entry that waits for a decision. `item`: what it was given; `title`, `message`: why it failed. `fixed`: why it
    is given nothing else: it was `released` or `approved` as it is, or it `decides` who approves; None where it may."""

    run_id: UUID
    index: int
    label: str | None
    item: JSON
    cause: str
    title: str
    message: str
    at: int
    fixed: Fixed | None = None


@dataclass(frozen=True, slots=True)
class Corrected:
    """What became of one that somebody put right: `begun`, or `refused`, and why."""

    index: int
    outcome: Literal["begun", "refused"]
    message: str = ""


def failed_entries(
    *, workspace_id: UUID, run_id: UUID, node: str, cause: str | None = None, after: str | None = None, limit: int = 50
) -> Page[FailedEntry]:
    """Those that wait for a decision, by their number. Raises NotFound, BadCursor."""
    refuse_other_than_lists(workspace_id, run_id, node)
    found = _page(run_id, node, cause, decode_number(after), page_size(limit) + 1)
    views, size = found[: page_size(limit)], page_size(limit)
    rules: dict[UUID, EntryRules] = {}
    rows = {row["id"]: row for row in Run.objects.filter(pk__in=[one.run_id for one in views]).values(*_COLUMNS)}
    views = [replace(one, fixed=_rules_of(rows[one.run_id], rules).fixed) for one in views]
    return Page(views, encode_number(views[-1].index) if len(found) > size else None)


def walk_failed(*, workspace_id: UUID, run_id: UUID, node: str) -> Iterator[FailedEntry]:
    """All of them, by their number, read in portions. Raises NotFound."""
    refuse_other_than_lists(workspace_id, run_id, node)
    return _walk(run_id, node)


def failed_runs(*, workspace_id: UUID, run_id: UUID, node: str, cause: str | None = None) -> list[UUID]:
    """The runs of those that wait for a decision. Raises NotFound."""
    refuse_other_than_lists(workspace_id, run_id, node)
    return list(_letters(run_id, node, cause).order_by("run_id").values_list("run_id", flat=True))


def correct_entries(
    *, workspace_id: UUID, run_id: UUID, node: str, items: Mapping[int, JSON], by: UUID | None
) -> list[Corrected]:
    """Give these entries (by their number) something else and go on with each from where it failed. Raises NotFound,
    RuntimeRefused (too many at once)."""
    if len(items) > MOST_CORRECTED:
        raise RuntimeRefused(f"At most {MOST_CORRECTED} at once.", code="too_many", limit=MOST_CORRECTED)
    refuse_other_than_lists(workspace_id, run_id, node)
    rows = {
        row["item_index"]: row for row in own_runs(run_id, node).filter(item_index__in=list(items)).values(*_COLUMNS)
    }
    waits = set(
        _letters(run_id, node, None)
        .filter(run_id__in=[row["id"] for row in rows.values()])
        .values_list("run_id", flat=True)
    )
    rules: dict[UUID, EntryRules] = {}
    made = [_correct(workspace_id, rows.get(index), index, item, waits, by, rules) for index, item in items.items()]
    begun = [rows[one.index]["id"] for one in made if one.outcome == "begun"]
    if begun:
        queue.ring(begun)
    return made


def _correct(
    workspace_id: UUID,
    row: dict[str, Any] | None,
    index: int,
    item: JSON,
    waits: set[UUID],
    by: UUID | None,
    rules: dict[UUID, EntryRules],
) -> Corrected:
    if row is None or row["id"] not in waits:
        return Corrected(index, "refused", "It does not wait for a decision any more.")
    try:
        correct(workspace_id, row, item, by, _rules_of(row, rules))
    except NeedsSomebody:
        return Corrected(index, "refused", ASKS)
    except (NotRetryable, RetryRefused, PlanOutdated) as refused:
        return Corrected(index, "refused", str(refused))
    return Corrected(index, "begun")


def _rules_of(row: dict[str, Any], known: dict[UUID, EntryRules]) -> EntryRules:
    """What holds for this entry; entries of one list that are done by one version are alike in that."""
    version = row["version_id"]
    if version not in known:
        known[version] = entry_rules(row)
    return known[version]


def _letters(run_id: UUID, node: str, cause: str | None) -> Any:
    letters = DeadLetter.objects.filter(run_id__in=own_runs(run_id, node).values("pk"), solved_at__isnull=True)
    return letters if cause is None else letters.filter(cause=cause)


def _page(run_id: UUID, node: str, cause: str | None, after: int | None, size: int) -> list[FailedEntry]:
    letters = _letters(run_id, node, cause)
    chosen = own_runs(run_id, node).filter(pk__in=letters.values("run_id"))
    if after is not None:
        chosen = chosen.filter(item_index__gt=after)
    rows = list(chosen.order_by("item_index").values(*_COLUMNS)[:size])
    by_run = {
        row["run_id"]: row
        for row in letters.filter(run_id__in=[one["id"] for one in rows]).values(
            "run_id", "cause", "title", "message", "at"
        )
    }
    return [
        FailedEntry(
            row["id"], row["item_index"], row["business_key"], document(row["item"]), letter["cause"], letter["title"],
            letter["message"], letter["at"],
        )
        for row in rows
        if (letter := by_run.get(row["id"])) is not None
    ]  # fmt: skip


def _walk(run_id: UUID, node: str) -> Iterator[FailedEntry]:
    after: int | None = None
    while rows := _page(run_id, node, None, after, 500):
        yield from rows
        after = rows[-1].index
