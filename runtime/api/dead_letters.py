"""Runs that failed for good and wait for somebody's decision, grouped by what they failed of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal
from uuid import UUID

from django.db import DatabaseError
from django.db.models import Count, Max, Min, OuterRef, Subquery

from runtime import queue
from runtime.api.cursors import decode, encode, page_size
from runtime.api.rows import RUN_COLUMNS, run_views
from runtime.contracts import (
    DeadLetterGroup,
    DeadLetterView,
    Page,
    RetryOutcome,
    RuntimeRefused,
    RunView,
    StoreUnavailable,
)
from runtime.interpreter.letters import open_letters
from runtime.interpreter.plain_retries import ASKS, NeedsSomebody, carry_on_plainly, look_plainly
from runtime.store import solved
from runtime.store.beside import tell, unchanged
from runtime.store.children import is_item
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import DeadLetter, Hold, Run

MOST_AT_ONCE: Final = 500
MOST_RETRIED: Final = 100
_MOST_GROUPS: Final = 500


def dead_letter_count(*, workspace_id: UUID) -> int:
    """How many wait for a decision."""
    return open_letters(workspace_id).count()


def last_solved(*, workspace_id: UUID) -> tuple[int, str | None] | None:
    """When the last of the newest letters was solved, ms, and by whom (`user:` and an id, `api`, or a run); None where
    none of them was."""
    return solved.last_solved(workspace_id)


def dead_letter_groups(
    *, workspace_id: UUID, workflow_id: UUID | None = None, sending_id: UUID | None = None
) -> list[DeadLetterGroup]:
    """Those that wait for a decision by cause, the newest cause first; at most 500 causes. `sending_id`: only those
    that were sent to somebody with it."""
    chosen = open_letters(workspace_id, sending_id)
    if workflow_id is not None:
        chosen = chosen.filter(workflow_id=workflow_id)
    newest = open_letters(workspace_id).filter(cause=OuterRef("cause")).order_by("-at")
    rows = (
        chosen.values("cause")
        .annotate(count=Count("at"), first_at=Min("at"), last_at=Max("at"))
        .annotate(
            workflow=Subquery(newest.values("workflow_id")[:1]),
            version=Subquery(newest.values("run__version_id")[:1]),
            node=Subquery(newest.values("node_id")[:1]),
            around=Subquery(newest.values("run__parent_run_id")[:1]),
            begins=Subquery(newest.values("run__trigger_node")[:1]),
            failure=Subquery(newest.values("code")[:1]),
            words=Subquery(newest.values("title")[:1]),
            alike=Subquery(newest.values("pattern")[:1]),
        )
        .order_by("-last_at")
    )
    held = set(Hold.objects.filter(workspace_id=workspace_id).values_list("pk", flat=True))
    return [
        DeadLetterGroup(
            cause=row["cause"],
            workflow_id=row["workflow"],
            version_id=row["version"],
            node=row["node"],
            code=row["failure"],
            title=row["words"],
            pattern=row["alike"],
            count=row["count"],
            first_at=row["first_at"],
            last_at=row["last_at"],
            workflow_held=row["workflow"] in held,
            are_items=row["around"] is not None and is_item(row["version"], row["begins"]),
        )
        for row in rows[:_MOST_GROUPS]
    ]


def dead_letters(
    *, workspace_id: UUID, cause: str, sending_id: UUID | None = None, after: str | None = None, limit: int = 50
) -> Page[DeadLetterView]:
    """Those of one cause that wait for a decision, the newest run first; `sending_id`: only those that were sent to
    somebody with it. Raises BadCursor."""
    found, cursor = letters_page(workspace_id, cause, after, limit, "message", "at", sending_id=sending_id)
    return Page([DeadLetterView(view, row["message"], row["at"]) for view, row in found], cursor)


def letters_page(
    workspace_id: UUID, cause: str, after: str | None, limit: int, *columns: str, sending_id: UUID | None = None
) -> tuple[list[tuple[RunView, dict[str, Any]]], str | None]:
    """The runs of one cause that wait for a decision, the newest first, each with these columns of its letter; and
    behind which there are more. Raises BadCursor."""
    chosen = open_letters(workspace_id, sending_id).filter(cause=cause)
    last = decode(after)
    if last is not None:
        chosen = chosen.filter(run_id__lt=last)
    size = page_size(limit)
    rows: list[dict[str, Any]] = list(chosen.order_by("-run_id").values("run_id", *columns)[: size + 1])
    page = rows[:size]
    runs = Run.objects.filter(workspace_id=workspace_id, pk__in=[row["run_id"] for row in page])
    views = {view.id: view for view in run_views(runs.values(*RUN_COLUMNS))}
    found = [(views[row["run_id"]], row) for row in page if row["run_id"] in views]
    return found, encode(page[-1]["run_id"]) if len(rows) > size else None


def retry_each(*, workspace_id: UUID, run_ids: Sequence[UUID], by: UUID | None = None) -> list[RetryOutcome]:
    """Go on with each of these runs that needs nobody's word: nothing of it is in doubt, nothing would happen twice,
    and it was not to be undone. What came of each, in their order; at most 100."""
    if len(run_ids) > MOST_RETRIED:
        raise RuntimeRefused(f"At most {MOST_RETRIED} at once.", code="too_many", limit=MOST_RETRIED)
    return [_retry(workspace_id, run_id, by) for run_id in dict.fromkeys(run_ids)]


def _retry(workspace_id: UUID, run_id: UUID, by: UUID | None) -> RetryOutcome:
    try:
        found = look_plainly(workspace_id, run_id)
        with commit("run.replay"):
            carry_on_plainly(found, "api" if by is None else f"user:{by}", database_now())
            tell(id=str(run_id))
    except NeedsSomebody:
        return RetryOutcome(run_id, "asks", ASKS)
    except RuntimeRefused as error:
        return RetryOutcome(run_id, "refused", error.message)
    except (StoreUnavailable, DatabaseError):
        # The runs before it go on already: they are told of, and this one may be tried again.
        return RetryOutcome(run_id, "refused", "The database could not be reached just now.")
    queue.ring([run_id])
    return RetryOutcome(run_id, "retried", "")


def solve_dead_letters(
    *,
    workspace_id: UUID,
    run_ids: Sequence[UUID],
    solution: Literal["elsewhere", "discarded"],
    reason: str,
    by: UUID | None = None,
) -> int:
    """Say of these that nothing more is to be done, and why; returns of how many that was not said before."""
    if len(run_ids) > MOST_AT_ONCE:
        raise RuntimeRefused(f"At most {MOST_AT_ONCE} at once.", code="too_many", limit=MOST_AT_ONCE)
    with commit("deadletter.solve"):
        chosen = open_letters(workspace_id).filter(run_id__in=list(run_ids)).values("run_id")
        # The condition once more, of the rows themselves: only so it is asked again of one that is retried right now.
        count = DeadLetter.objects.filter(run_id__in=chosen, solved_at__isnull=True).update(
            solved_at=database_now(),
            solved_by="api" if by is None else f"user:{by}",
            solution=solution,
            reason=reason[:400],
        )
        tell(count=count)
        if not count:
            unchanged()
        return count
