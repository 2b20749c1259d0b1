"""What is done to many runs: they are chosen here, and begun with in their turn by the ticker (`worker`)."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Final, Literal
from uuid import UUID

from django.db.models import Case, QuerySet, When

from runtime.api.edited_retries import MOST_EDITED, Checked, check_edits
from runtime.api.rows import RUN_COLUMNS, run_views
from runtime.contracts import BulkRetryItemView, BulkRetryView, HeldTo, NotFound, RunEdit, RuntimeRefused
from runtime.contracts.retries import BulkPlan
from runtime.interpreter import called_versions
from runtime.interpreter.anew import check_anew
from runtime.interpreter.letters import open_letters
from runtime.interpreter.plain_retries import NeedsSomebody, look_plainly
from runtime.interpreter.reopening import choices, run_row, version_of
from runtime.interpreter.versions import parsed
from runtime.store.beside import tell
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import BulkRetry, BulkRetryItem, DeadLetter, Deployment, Hold, Run, Version
from runtime.store.parts import portions

__all__ = [
    "bulk_retries",
    "bulk_retry",
    "bulk_retry_items",
    "go_on_with_bulk",
    "plan_bulk",
    "start_bulk_retry",
    "stop_bulk_retry",
]

#: More letters are not gone on with by one.
MOST: Final = 10_000
#: At most so many a minute: faster is as fast as possible.
FASTEST: Final = 6_000
_GOING: Final = ("trying", "waiting", "running")
_SHOWN: Final = 50
_TOLD: Final = 20
#: So many are looked at, and so long, before anybody has said that it shall be.
_LOOKED_AT: Final = 200
_LOOK_SECONDS: Final = 2.0
_GONE: Final = "It is not among the dead letters any more: somebody was quicker."


def start_bulk_retry(
    *,
    workspace_id: UUID,
    kind: Literal["retry", "replay", "cancel"] = "retry",
    cause: str | None = None,
    sending_id: UUID | None = None,
    run_ids: Sequence[UUID] = (),
    count: int | None = None,
    until: int | None = None,
    version: Literal["own", "published"] = "own",
    per_minute: int | None = None,
    stop_after: int | None = None,
    trial: bool = False,
    reason: str = "",
    edits: Sequence[RunEdit] = (),
    by: UUID | None = None,
) -> BulkRetryView:
    """Go on with the letters of a group, the newest first, or with these runs in their order; they wait for the ticker
    when this returns. `kind`: what is done to the runs; all but retries are of chosen runs.

    `sending_id`: only those that were sent to somebody with it; `count`: so many of the group; `until`: none that
    failed later, in ms. `per_minute`: None is as fast as possible. `stop_after`: so many that fail again, or need a
    person, end it. `trial`: the first one alone, then it waits for `go_on_with_bulk`. `version`: each run's own, or the
    one of its workflow that is live now, also where another one is by the time that its turn comes; runs of workflows
    that they call go on with what is live now either way. `edits`: these runs in their order, each on its own version
    and with other values for its failed step. Raises RuntimeRefused (nothing to retry, too many, or its group is being
    retried), EditsRefused."""
    for number, most in ((count, MOST), (per_minute, FASTEST), (stop_after, MOST)):
        if number is not None and not 1 <= number <= most:
            raise RuntimeRefused(f"This is a number from 1 to {most:,}.", code="bad_number", most=most)
    if len(run_ids) > MOST:
        raise RuntimeRefused(f"At most {MOST:,} at once.", code="too_many", limit=MOST)
    if kind != "retry":
        return _start_other(
            workspace_id, kind, list(dict.fromkeys(run_ids)), version, per_minute, stop_after, trial, reason, by
        )
    if edits:
        run_ids, version = [one.run_id for one in edits], "own"
        if len(edits) > MOST_EDITED:
            raise RuntimeRefused(f"At most {MOST_EDITED} with changes at once.", code="too_many", limit=MOST_EDITED)
    found = _letters(workspace_id, cause, sending_id, until, run_ids)
    columns = found.values_list("run_id", "generation", "workflow_id", "title")
    # Before the transaction: each of them is read whole. Its turn finds what has changed since.
    checked = check_edits(workspace_id, edits, {row[0]: row[1] for row in columns}) if edits else Checked()
    with commit("deadletter.bulk"):
        if cause is not None:
            # Of two people at once the second waits here, and finds it under way.
            group = DeadLetter.objects.filter(workspace_id=workspace_id, cause=cause, solved_at__isnull=True)
            group.select_for_update().order_by("run_id").first()
        if (
            cause is not None
            and BulkRetry.objects.filter(workspace_id=workspace_id, cause=cause, status__in=_GOING).exists()
        ):
            raise RuntimeRefused("Somebody retries this group already. Wait for its end, or stop it.", code="under_way")
        letters = {row[0]: row for row in columns[: count or MOST + 1]}
        if len(letters) > MOST:
            raise RuntimeRefused(f"There are more than {MOST:,}. Say how many.", code="too_many", limit=MOST)
        if not letters:
            raise RuntimeRefused("None of these waits for a decision any more.", code="nothing_to_retry")
        order = list(dict.fromkeys(run_ids)) if cause is None else list(letters)
        gone = [run_id for run_id in order if run_id not in letters]
        _, _, workflow_id, title = next(iter(letters.values()))
        made = BulkRetry.objects.create(
            workspace_id=workspace_id,
            workflow_id=workflow_id if len({row[2] for row in letters.values()}) == 1 else None,
            cause=cause,
            title=title if len({row[3] for row in letters.values()}) == 1 else "",
            at=database_now(),
            by=by,
            reason=reason[:400],
            version=version,
            versions=_held(workspace_id, {row[2] for row in letters.values()}, list(letters), version),
            per_minute=per_minute,
            stop_after=stop_after,
            status="trying" if trial else "running",
            total=len(order),
            refused=len(gone),
        )
        items = [
            BulkRetryItem(
                bulk_id=made.pk,
                place=place,
                run_id=run_id,
                generation=letters[run_id][1],
                edits=checked.texts.get(run_id),
            )
            if run_id in letters
            else BulkRetryItem(
                bulk_id=made.pk, place=place, run_id=run_id, generation=0, status="refused", message=_GONE
            )
            for place, run_id in enumerate(order)
        ]
        BulkRetryItem.objects.bulk_create(items, batch_size=500)
        tell(id=str(made.pk), name=title, count=len(order), **({"edits": checked.told()} if edits else {}))
    return _views(workspace_id, [made])[0]


def _letters(
    workspace_id: UUID, cause: str | None, sending_id: UUID | None, until: int | None, run_ids: Sequence[UUID]
) -> QuerySet[DeadLetter]:
    """Those that are meant, the newest run first: of a group, or of these runs."""
    found = open_letters(workspace_id, sending_id).order_by("-run_id")
    found = found.filter(run_id__in=list(run_ids)) if cause is None else found.filter(cause=cause)
    return found if until is None else found.filter(at__lte=until)


def _start_other(
    workspace_id: UUID,
    kind: str,
    run_ids: list[UUID],
    version: str,
    per_minute: int | None,
    stop_after: int | None,
    trial: bool,
    reason: str,
    by: UUID | None,
) -> BulkRetryView:
    """Start these runs anew, or cancel them."""
    with commit("deadletter.bulk"):
        rows: dict[UUID, tuple[UUID, UUID, int]] = {}
        for some in portions(run_ids):
            chosen = Run.objects.filter(workspace_id=workspace_id, pk__in=some)
            rows.update((row[0], row) for row in chosen.values_list("id", "workflow_id", "generation"))
        if not rows:
            raise RuntimeRefused("There are no such runs here any more.", code="nothing_to_do")
        workflows = {row[1] for row in rows.values()}
        made = BulkRetry.objects.create(
            kind=kind,
            workspace_id=workspace_id,
            workflow_id=next(iter(workflows)) if len(workflows) == 1 else None,
            at=database_now(),
            by=by,
            reason=reason[:400],
            version=version,
            versions=_held(workspace_id, workflows, list(rows), version) if kind == "replay" else None,
            per_minute=per_minute,
            stop_after=stop_after,
            status="trying" if trial else "running",
            total=len(rows),
        )
        BulkRetryItem.objects.bulk_create(
            [
                BulkRetryItem(bulk_id=made.pk, place=place, run_id=run_id, generation=rows[run_id][2])
                for place, run_id in enumerate(one for one in run_ids if one in rows)
            ],
            batch_size=500,
        )
    return _views(workspace_id, [made])[0]


def plan_bulk(
    *,
    workspace_id: UUID,
    kind: Literal["retry", "replay", "cancel"],
    run_ids: Sequence[UUID] = (),
    version: Literal["own", "published"] = "own",
    cause: str | None = None,
    sending_id: UUID | None = None,
    count: int | None = None,
    until: int | None = None,
) -> BulkPlan:
    """What it would come to; the first of them are looked at one by one, for a second or two. Of a group (`cause`) they
    are those that `start_bulk_retry` would take for the same words."""
    if cause is not None:
        group = _letters(workspace_id, cause, sending_id, until, ())
        run_ids = list(group.values_list("run_id", flat=True)[: count or MOST + 1])
    looked, found = 0, {"safe": 0, "asks": 0, "again": 0, "refused": 0}
    ends = time.monotonic() + _LOOK_SECONDS
    for run_id in run_ids[:_LOOKED_AT]:
        for fate in _fates(workspace_id, kind, run_id, version):
            found[fate] += 1
        looked += 1
        if time.monotonic() > ends:
            break
    return BulkPlan(len(run_ids[:MOST]), len(run_ids) > MOST, looked, **found)


def _fates(workspace_id: UUID, kind: str, run_id: UUID, version: Literal["own", "published"]) -> tuple[str, ...]:
    """What a plan counts a run as."""
    try:
        if kind == "retry":
            if not open_letters(workspace_id).filter(run_id=run_id).exists():
                return ("refused",)
            look_plainly(workspace_id, run_id, version)
            return ("safe",)
        row = run_row(workspace_id, run_id)
        if kind == "cancel":
            return ("safe" if row["finished_at"] is None and row["status"] != "compensating" else "refused",)
        check_anew(row, version_of(row, choices(row)[-1][1] if version == "published" else None))
    except NeedsSomebody as needs:
        return ("asks", "again") if needs.again else ("asks",)
    except RuntimeRefused:
        return ("refused",)
    return ("safe",)


def bulk_retry(*, workspace_id: UUID, bulk_id: UUID) -> BulkRetryView:
    """One of them. Raises NotFound."""
    return _views(workspace_id, [_row(workspace_id, bulk_id)])[0]


def bulk_retries(*, workspace_id: UUID) -> list[BulkRetryView]:
    """The newest, those that are under way first; at most 50."""
    # One query: what ends between two of them would be in both.
    rows = BulkRetry.objects.filter(workspace_id=workspace_id)
    ended = Case(When(closed_at=None, then=0), default=1)
    return _views(workspace_id, list(rows.order_by(ended, "-id")[:_SHOWN]))


def bulk_retry_items(*, workspace_id: UUID, bulk_id: UUID) -> list[BulkRetryItemView]:
    """The first 20 that failed again or were not gone on with, in their order; before them the one that was tried,
    while it is about that one. Raises NotFound."""
    bulk = _row(workspace_id, bulk_id)
    items = BulkRetryItem.objects.filter(bulk_id=bulk.pk).order_by("place")
    told = list(items.filter(status__in=("failed", "asks", "refused"))[:_TOLD])
    if bulk.status in ("trying", "waiting"):
        # The first that was a dead letter when this began.
        tried = list(items.filter(generation__gt=0).exclude(status="pending")[:1])
        told = tried + [item for item in told if item.place not in {one.place for one in tried}]
    runs = Run.objects.filter(workspace_id=workspace_id, pk__in=[item.run_id for item in told])
    views = {view.id: view for view in run_views(runs.values(*RUN_COLUMNS))}
    return [BulkRetryItemView(views[one.run_id], one.status, one.message) for one in told if one.run_id in views]


def go_on_with_bulk(*, workspace_id: UUID, bulk_id: UUID) -> BulkRetryView:
    """Go on with the others, after the first one was tried. Raises NotFound, RuntimeRefused (it does not wait)."""
    with commit("deadletter.bulk"):
        bulk = _row(workspace_id, bulk_id, lock=True)
        if bulk.status != "waiting":
            raise RuntimeRefused("This does not wait for anybody's word.", code="not_waiting")
        # What failed of the trial was seen by whoever says this: the rule counts from here on.
        bulk.status, bulk.next_at, bulk.forgiven = "running", 0, bulk.failed + bulk.asks
        bulk.save(update_fields=["status", "next_at", "forgiven"])
    return _views(workspace_id, [bulk])[0]


def stop_bulk_retry(*, workspace_id: UUID, bulk_id: UUID, by: UUID | None = None) -> BulkRetryView:
    """Begin no further ones; what was begun goes on. Raises NotFound, RuntimeRefused (it is over)."""
    with commit("deadletter.bulk"):
        bulk = _row(workspace_id, bulk_id, lock=True)
        if bulk.status not in _GOING:
            raise RuntimeRefused("This has ended already.", code="bulk_over")
        bulk.status, bulk.ended_at = "cancelled", database_now()
        bulk.ended_by = "api" if by is None else f"user:{by}"
        if bulk.begun == bulk.done + bulk.failed:
            bulk.closed_at = bulk.ended_at
        bulk.save(update_fields=["status", "ended_at", "ended_by", "closed_at"])
        bulk.forget_edits()
    return _views(workspace_id, [bulk])[0]


def _row(workspace_id: UUID, bulk_id: UUID, *, lock: bool = False) -> BulkRetry:
    rows = BulkRetry.objects.select_for_update() if lock else BulkRetry.objects
    found = rows.filter(workspace_id=workspace_id, pk=bulk_id).first()
    if found is None:
        raise NotFound("There is no such bulk retry.", code="bulk_retry_not_found")
    return found


def _views(workspace_id: UUID, rows: Sequence[BulkRetry]) -> list[BulkRetryView]:
    held = list(Hold.objects.filter(workspace_id=workspace_id).values_list("pk", flat=True))
    held_to = _held_to(rows)
    return [
        BulkRetryView(
            id=row.pk,
            workflow_id=row.workflow_id,
            cause=row.cause,
            title=row.title,
            at=row.at,
            by=row.by,
            reason=row.reason,
            version=row.version,
            per_minute=row.per_minute,
            stop_after=row.stop_after,
            status=row.status,
            trial=row.trial,
            total=row.total,
            begun=row.begun,
            done=row.done,
            failed=row.failed,
            asks=row.asks,
            refused=row.refused,
            ended_at=row.ended_at,
            ended_by=row.ended_by,
            open=row.closed_at is None,
            workflow_held=_is_held(row, held),
            held_to=held_to[row.pk],
            kind=row.kind,
        )
        for row in rows
    ]


def _held(workspace_id: UUID, workflows: Collection[UUID], runs: Sequence[UUID], version: str) -> str:
    """What this goes on with, whatever is published meanwhile: the live version of each of these workflows, where it is
    to be that, and of each that their versions run."""
    found: dict[UUID, UUID] = {}
    if version == "published":
        live = Deployment.objects.filter(pk__in=list(workflows), retired=False)
        found = dict(live.values_list("pk", "version_id"))
        versions = set(found.values())
    else:
        versions = set(Run.objects.filter(pk__in=runs).order_by().values_list("version_id", flat=True).distinct())
    below = called_versions.live_below(workspace_id, [parsed(one).graph for one in versions])
    return called_versions.text({**below, **found})


def _held_to(rows: Sequence[BulkRetry]) -> dict[UUID, tuple[HeldTo, ...]]:
    """The versions that each of these goes on with, and which ones are live now."""
    kept: dict[UUID, dict[UUID, UUID]] = {}
    for row in rows:
        kept[row.pk] = called_versions.from_text(row.versions)
    versions = {version for one in kept.values() for version in one.values()}
    numbers = dict(Version.objects.filter(pk__in=versions).values_list("pk", "number"))
    workflows = {workflow for one in kept.values() for workflow in one}
    live = dict(Deployment.objects.filter(pk__in=workflows, retired=False).values_list("pk", "version__number"))
    return {
        bulk: tuple(
            HeldTo(workflow, numbers[version], live.get(workflow))
            for workflow, version in one.items()
            if version in numbers
        )
        for bulk, one in kept.items()
    }


def _is_held(row: BulkRetry, held: Sequence[UUID]) -> bool:
    if row.workflow_id is not None or not held:
        return row.workflow_id in held
    runs = BulkRetryItem.objects.filter(bulk_id=row.pk).values("run_id")
    return Run.objects.filter(pk__in=runs, workflow_id__in=held).exists()
