"""What is done to many runs: begin with the next ones in their turn, and follow each to its end. Dead letters are
retried, other runs are started anew or cancelled.

Called by the leading ticker, in a thread. Everything it goes by is in the database. A letter's next generation is
opened in the commit that notes it as begun, under the lock of its bulk: a crash loses none and begins none twice, and
neither do two leaders at once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final, Literal
from uuid import UUID

from django.db import DatabaseError
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from runtime import queue
from runtime.contracts import JSON, AlreadyFinished, PlanOutdated, RetryRefused, RuntimeRefused, StoreUnavailable
from runtime.interpreter import called_versions
from runtime.interpreter.anew import Anew, check_anew, start_anew
from runtime.interpreter.edited_retries import from_text, settings_with
from runtime.interpreter.plain_retries import ASKS, NeedsSomebody, carry_on_plainly, look_plainly
from runtime.interpreter.reopening import Found, run_row, version_by_id
from runtime.interpreter.versions import Version
from runtime.store.cancels import ask_to_cancel
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import BulkRetry, BulkRetryItem, DeadLetter, Replay, Run

__all__ = ["tend"]

logger = logging.getLogger("millrace.ticker")

#: So many letters of one bulk are looked at in one tick.
_MOST_LOOKED_AT: Final = 10
#: No more than so many are under way at a time.
_AT_ONCE: Final = 100
#: A run counts as one of those for so long: one that waits, say for a person, does not hold up the others.
_WATCHED_MS: Final = 60_000
_MINUTE_MS: Final = 60_000
#: What was begun as the last one for now may be over any moment: for so long it is looked at often.
_SOON_OVER_MS: Final = 3_000
#: Of so few, one that is due within so long is waited for.
_FEW: Final = 100
_SOON_MS: Final = 250
#: After a pause no more than this is made up for.
_MADE_UP_MS: Final = 1_000
_MOST_SETTLED: Final = 500
_MOST_RUNG: Final = 200
#: By which of an item's runs it is told what came of it.
_FOLLOWED: Final = {"retry": "run_id", "replay": "new_run_id", "cancel": "run_id"}
_OVER: Final = ("done", "stopped", "cancelled")
_CHANGED: Final = "Somebody has decided about this run meanwhile."


class _Solved(Exception):
    """Somebody has said meanwhile that nothing more is to be done about it."""


def tend() -> bool:
    """Go on with every bulk retry; whether one of them has more to begin at once, or is about to be over."""
    busy = False
    under_way = BulkRetry.objects.filter(closed_at__isnull=True).exclude(Exists(_still_ending()))
    for bulk_id in under_way.order_by("id").values_list("id", flat=True):
        _follow(bulk_id)
        rung: list[UUID] = []
        for _ in range(_MOST_LOOKED_AT):
            bulk = BulkRetry.objects.get(pk=bulk_id)
            item = BulkRetryItem.objects.filter(bulk_id=bulk_id, status="pending").order_by("place").first()
            if item is None or not _may_begin(bulk, database_now()):
                busy |= _goes_on_soon(bulk, database_now())
                break
            busy = True
            rung += _begin_next(bulk, item)
        if rung:
            queue.ring(rung)
    return busy


def _goes_on_soon(bulk: BulkRetry, now: int) -> bool:
    """Whether somebody sits before it and waits for how it ends: its last ones, or the one to try, are under way, or
    the next of few is due at once. Of many nobody waits for each."""
    left = bulk.total - bulk.begun - bulk.asks - bulk.refused
    if left == 0 or bulk.status == "trying":
        return _begun_since(bulk.pk, now - _SOON_OVER_MS).exists()
    return bulk.status == "running" and left <= _FEW and now < bulk.next_at <= now + _SOON_MS


# --- what came of them --------------------------------------------------------------------------------------------


def _follow(bulk_id: UUID) -> None:
    """Note what came of those that were begun, and what follows of that for the whole."""
    bulk = BulkRetry.objects.get(pk=bulk_id)
    if not (_ended(bulk).exists() or _next(bulk, database_now())):
        return
    with commit("deadletter.bulk"):
        bulk = BulkRetry.objects.select_for_update().get(pk=bulk_id)
        _settle(bulk)
        for name, value in _next(bulk, database_now()).items():
            setattr(bulk, name, value)
        bulk.save()
        if bulk.status == "stopped":
            bulk.forget_edits()


def _ended(bulk: BulkRetry) -> QuerySet[BulkRetryItem]:
    """Those of which the generation is over that was opened for them; or the run, where it was started or cancelled."""
    ends = Q(finished_at__isnull=False)
    if bulk.kind == "retry":
        ends |= Q(generation__gt=OuterRef("generation") + 1)
    over = Run.objects.filter(ends, pk=OuterRef(_FOLLOWED[bulk.kind]))
    return BulkRetryItem.objects.filter(Exists(over), bulk_id=bulk.pk, status="begun")


def _settle(bulk: BulkRetry) -> None:
    """Within the transaction that holds the bulk's lock."""
    items = list(_ended(bulk).order_by("place")[:_MOST_SETTLED])
    followed = [getattr(item, _FOLLOWED[bulk.kind]) for item in items]
    runs = {run.pk: run for run in Run.objects.filter(pk__in=followed)}
    letters = DeadLetter.objects.filter(run_id__in=list(runs))
    again = {(run_id, generation): title for run_id, generation, title in letters.values_list(
        "run_id", "generation", "title"
    )}  # fmt: skip
    for item, run_id in zip(items, followed, strict=True):
        words = _went_wrong(bulk.kind, item, runs[run_id], again)
        if words is None:
            item.status, bulk.done = "done", bulk.done + 1
        else:
            item.status, item.message, bulk.failed = "failed", words[:400], bulk.failed + 1
        BulkRetryItem.objects.filter(bulk_id=bulk.pk, place=item.place).update(status=item.status, message=item.message)
        if bulk.status in ("trying", "waiting") and bulk.trial in (None, "under_way"):
            bulk.trial = item.status


def _went_wrong(kind: str, item: BulkRetryItem, run: Run, letters: dict[tuple[UUID, int], str]) -> str | None:
    """Why it did not come to what was wanted; None where it did."""
    if kind == "cancel":
        stopped = run.status in ("cancelled", "compensated")
        return None if stopped else "It came to its end before it could be cancelled."
    generation = run.generation if kind == "replay" else item.generation + 1
    title = letters.get((run.pk, generation))
    if title is None and _completed(run, generation):
        return None
    return "It was cancelled, or undone." if title is None else title


def _completed(run: Run, generation: int) -> bool:
    if run.generation == generation:
        return run.status == "completed"
    # Somebody has opened a further one since, perhaps to undo what had been done.
    after = Replay.objects.filter(run_id=run.pk, generation=generation + 1)
    return after.values_list("from_status", flat=True).first() == "completed"


def _next(bulk: BulkRetry, now: int) -> dict[str, Any]:
    """What changes of the whole by what is known of its letters."""
    left = bulk.total - bulk.begun - bulk.asks - bulk.refused
    under_way = bulk.begun - bulk.done - bulk.failed
    bad = bulk.failed + bulk.asks - bulk.forgiven
    status = bulk.status
    changes: dict[str, Any] = {}
    if status == "trying":
        slow = under_way > 0 and not _watched(bulk.pk, now).exists()
        if bulk.trial is not None or slow:
            status = "waiting" if left else "running"
            changes["trial"] = bulk.trial or "under_way"
    if status == "running" and left == 0 and under_way == 0:
        status = "done"
    elif status == "running" and left > 0 and bulk.stop_after is not None and bad >= bulk.stop_after:
        status = "stopped"
    if status != bulk.status:
        changes["status"] = status
        if status in _OVER:
            changes["ended_at"] = now
    if status in _OVER and under_way == 0:
        changes["closed_at"] = now
    return changes


# --- the next ones ------------------------------------------------------------------------------------------------


def _still_ending() -> QuerySet[BulkRetryItem]:
    """Of a bulk: the one run that was mended as it asked somebody, and still comes to the end that it is gone on with
    from. Until then there is nothing to look at, however often."""
    run = Run.objects.filter(pk=OuterRef("run_id"), generation=OuterRef("generation"), finished_at__isnull=True)
    return BulkRetryItem.objects.filter(Exists(run), bulk_id=OuterRef("pk"), status="pending", edits__isnull=False)


def _begin_next(bulk: BulkRetry, item: BulkRetryItem) -> list[UUID]:
    """Begin with this one, or note why not; the runs that go on now."""
    try:
        match bulk.kind:
            case "replay":
                row = run_row(bulk.workspace_id, item.run_id)
                return _begin(bulk, item, check_anew(row, _version(bulk, row)))
            case "cancel":
                return _begin(bulk, item, None)
        held_to = None if bulk.versions is None else called_versions.from_text(bulk.versions)
        version: Literal["own", "published"] = "published" if bulk.version == "published" else "own"
        found = look_plainly(bulk.workspace_id, item.run_id, version, held_to)
        if found.generation != item.generation:
            raise _Solved
        return _begin(bulk, item, found, _edits(item, found))
    except PlanOutdated:
        # The next look at it tells why.
        return []
    except NeedsSomebody:
        _leave(bulk.pk, item, "asks", ASKS)
    except _Solved:
        _leave(bulk.pk, item, "refused", _CHANGED)
    except RetryRefused as error:
        _leave(bulk.pk, item, "refused", next(iter(error.fields.values()), error.message))
    except RuntimeRefused as error:
        _leave(bulk.pk, item, "refused", error.message)
    except (DatabaseError, StoreUnavailable):
        raise
    except Exception:
        # One run that cannot be read must not keep the others waiting, nor whatever else the ticker does.
        logger.exception("The run %s could not be gone on with.", item.run_id)
        _leave(bulk.pk, item, "refused", "This run could not be read. The log of the ticker says why.")
    return []


def _edits(item: BulkRetryItem, found: Found) -> dict[str, JSON]:
    """What the failed step is given this time, where that is something else. Raises RetryRefused."""
    if item.edits is None:
        return {}
    edit = from_text(item.edits, run_id=item.run_id, generation=item.generation)
    _, after = settings_with(found, edit)
    return {edit.node: after}


def _version(bulk: BulkRetry, row: dict[str, Any]) -> Version:
    """The version that a run is started anew with."""
    held_to = called_versions.from_text(bulk.versions)
    chosen = held_to.get(row["workflow_id"]) if bulk.version == "published" and row["mode"] == "live" else None
    return version_by_id(chosen or row["version_id"], row)


def _may_begin(bulk: BulkRetry, now: int) -> bool:
    """Whether the next one may go now."""
    if bulk.status == "trying":
        return bulk.begun == 0 and bulk.trial is None
    if bulk.status != "running" or now < bulk.next_at:
        return False
    room = _AT_ONCE
    if bulk.stop_after is not None:
        # No more than may still fail: so the rule holds exactly, but for those that fail after they were watched.
        room = min(room, bulk.stop_after - (bulk.failed + bulk.asks - bulk.forgiven))
    return room > 0 and _watched(bulk.pk, now).count() < room


def _watched(bulk_id: UUID, now: int) -> QuerySet[BulkRetryItem]:
    """Those that were begun not long ago and are under way."""
    return _begun_since(bulk_id, now - _WATCHED_MS)


def _begun_since(bulk_id: UUID, since: int) -> QuerySet[BulkRetryItem]:
    return BulkRetryItem.objects.filter(bulk_id=bulk_id, status="begun", begun_at__gt=since)


def _begin(
    bulk: BulkRetry, item: BulkRetryItem, found: Found | Anew | None, edits: Mapping[str, JSON] | None = None
) -> list[UUID]:
    """`found`: with what it is retried, or started anew; None: it is cancelled. `edits`: other settings for it."""
    who = "api" if bulk.by is None else f"user:{bulk.by}"
    with commit("run.cancel" if found is None else "run.replay", "deadletter.bulk"):
        bulk = BulkRetry.objects.select_for_update().get(pk=bulk.pk)
        now = database_now()
        mine = BulkRetryItem.objects.filter(bulk_id=bulk.pk, place=item.place, status="pending")
        if not _may_begin(bulk, now) or not mine.update(status="begun", begun_at=now, edits=None):
            return []
        match found:
            case None:
                rung = _cancel(bulk, item, who, now)
            case Anew():
                rung = [start_anew(found, who, now)]
                BulkRetryItem.objects.filter(bulk_id=bulk.pk, place=item.place).update(new_run_id=rung[0])
            case _:
                rung = _retry(item, found, who, now, edits)
        bulk.begun += 1
        if bulk.per_minute is not None:
            each = -(-_MINUTE_MS // bulk.per_minute)
            made_up = now - _MADE_UP_MS
            # What goes within a second goes at once in the first.
            due = max(bulk.next_at, made_up) if bulk.next_at else min(made_up + each, now)
            bulk.next_at = due + each
        bulk.save(update_fields=["begun", "next_at"])
    return rung


def _retry(item: BulkRetryItem, found: Found, who: str, now: int, edits: Mapping[str, JSON] | None) -> list[UUID]:
    carry_on_plainly(found, who, now, edits)
    solved = DeadLetter.objects.filter(run_id=item.run_id, generation=item.generation)
    if solved.values_list("solution", "solved_at", "solved_by").first() != ("retried", now, who):
        raise _Solved
    return [item.run_id]


def _cancel(bulk: BulkRetry, item: BulkRetryItem, who: str, now: int) -> list[UUID]:
    open_run = Run.objects.filter(pk=item.run_id, workspace_id=bulk.workspace_id, finished_at__isnull=True)
    if open_run.filter(status="compensating").exists():
        raise AlreadyFinished("What this run did is being undone, which cannot be cancelled.", code="undoing")
    asked = ask_to_cancel(open_run, by=who, now=now, reason=bulk.reason or None)
    if not asked and not open_run.exists():
        raise AlreadyFinished("The run has ended: there is nothing left to cancel.")
    return asked[:_MOST_RUNG]


def _leave(bulk_id: UUID, item: BulkRetryItem, status: str, message: str) -> None:
    """Note why this one was not gone on with."""
    with commit("deadletter.bulk"):
        bulk = BulkRetry.objects.select_for_update().get(pk=bulk_id)
        mine = BulkRetryItem.objects.filter(bulk_id=bulk_id, place=item.place, status="pending")
        if bulk.status in ("trying", "running") and mine.update(status=status, message=message[:400], edits=None):
            trial = {"trial": status} if bulk.status == "trying" else {}
            BulkRetry.objects.filter(pk=bulk_id).update(**{status: F(status) + 1}, **trial)
