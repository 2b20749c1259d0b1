"""Batches: the entries of one container's list, as people watch, correct and prove them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.db.models import BigIntegerField, Count, ExpressionWrapper, F, Max, Min, Q, QuerySet
from django.db.models.functions import Cast

from runtime.api.batch_pace import slowing
from runtime.api.budgets import turns_awaited
from runtime.api.cursors import decode_number, encode_number, page_size
from runtime.api.files import file as file_view
from runtime.api.rows import document
from runtime.api.runs import snapshot
from runtime.contracts import ItemCounts, NotFound, Page
from runtime.contracts.batches import BatchFile, BatchView, ControlTotal, CountAndSum, FailedFor, PassedOverView
from runtime.contracts.files import FileView
from runtime.engine.jsonprofile import JSON
from runtime.interpreter import manifests
from runtime.interpreter.versions import Step, container_of, parsed
from runtime.sdk.batch_settings import expected_amounts
from runtime.sdk.files import is_file
from runtime.sdk.hours import hours_of
from runtime.sdk.table_value import is_table
from runtime.store import batches as store
from runtime.store import left_out, readings
from runtime.store.dialect import database_now
from runtime.store.models import DeadLetter, File, Run, StepRun

__all__ = ["batch", "batch_files", "batch_passed_over", "keep_manifest", "manifest"]

#: Containers that go through a list.
_LIST: Final = "flow.for_each@"
_RATE_MS: Final = 5 * 60_000
#: Of fewer that ended nobody can say how fast it goes.
_FEWEST: Final = 5
_MOST_POINTS: Final = 60
_MOST_CAUSES: Final = 20
#: A smaller one is counted each time; what was counted of a large one stands for so many times as long as that took.
_LARGE: Final = 1_000
_STANDS_TIMES: Final = 5
_MOST_KEPT: Final = 100
_KEPT: Final[dict[tuple[UUID, UUID, str], tuple[float, BatchView]]] = {}


def batch(*, workspace_id: UUID, run_id: UUID, node: str) -> BatchView:
    """The entries of this step as they stand. Raises NotFound, also where the step goes through no list.

    While a large one is under way, many who watch it cost no more than one: what was counted stands for a moment.
    """
    kept = _KEPT.get((workspace_id, run_id, node))
    if kept is not None and time.monotonic() < kept[0]:
        return kept[1]
    began = time.monotonic()
    view = _counted(workspace_id, run_id, node)
    took = time.monotonic() - began
    if view.finished_at is None and view.started >= _LARGE:
        if len(_KEPT) >= _MOST_KEPT:
            _KEPT.clear()
        _KEPT[workspace_id, run_id, node] = time.monotonic() + took * _STANDS_TIMES, view
    return view


def _counted(workspace_id: UUID, run_id: UUID, node: str) -> BatchView:
    found = snapshot(workspace_id=workspace_id, run_id=run_id)
    run, step = found.run, next((one for one in found.steps if one.node == node), None)
    container = _list_in(run.version_id, node)
    stand = (None if step is None else step.items) or ItemCounts(None, 0, 0, 0, 0, 0)
    config = _config(run_id, node)
    kept = last_manifest(run_id, node)
    own = own_runs(run_id, node)
    open_ = run.finished_at is None and step is not None and step.finished_at is None
    last = own.aggregate(last=Max("finished_at"))["last"]
    rate, points = _pace(own)
    skipped = readings.skipped(run_id, node)
    skipped_by_people = left_out.by_step(run_id, [node]).get(node, 0)
    return BatchView(
        run_id=run_id,
        node=node,
        key=container.node.key,
        name=container.node.name,
        workflow_id=run.workflow_id,
        version_id=run.version_id,
        status="waiting" if step is None else step.status,
        run_status=run.status,
        run_waiting=run.finished_at is None,
        total=stand.total,
        started=stand.started,
        done=stand.done + stand.left_out - skipped_by_people,
        failed=stand.failed,
        solved=stand.solved,
        running=stand.running,
        waiting=stand.waiting,
        skipped=skipped,
        left_out=skipped_by_people,
        started_at=None if step is None else step.started_at,
        finished_at=None if step is None else step.finished_at,
        ended_last=last,
        per_minute=rate,
        points=points,
        causes=_causes(own),
        has_amounts=bool(config.get("amount")),
        expected_count=whole(config.get("expected_count")),
        totals=_totals(run_id, node, config),
        files=File.objects.filter(run_id__in=own.values("pk"), removed_at=None).count(),
        manifest=None if kept is None else file_view(workspace_id=workspace_id, file_id=kept.pk),
        sealed=kept is not None and not _has_changed_since(own, kept.created_at),
        input=_input(workspace_id, config),
        turns=turns_awaited(own),
        slowing=slowing(workspace_id, own, parsed(run.version_id).graph.body(node), database_now()) if open_ else None,
        goes_on_at=_goes_on_at(config, stand.total, stand.started) if open_ else None,
    )


def _goes_on_at(config: Mapping[str, Any], total: int | None, started: int) -> int | None:
    hours = hours_of(config)
    if hours is None or (total is not None and started >= total):
        return None
    return hours.opens(database_now())


def manifest(*, workspace_id: UUID, run_id: UUID, node: str) -> Iterator[bytes]:
    """The manifest of these entries as they stand now, line by line. Raises NotFound."""
    refuse_other_than_lists(workspace_id, run_id, node)
    return manifests.lines(workspace_id, run_id, node)


def keep_manifest(*, workspace_id: UUID, run_id: UUID, node: str) -> FileView:
    """Keep the manifest as it stands now, as a file of the run. Raises NotFound, StoreUnavailable."""
    view = batch(workspace_id=workspace_id, run_id=run_id, node=node)
    kept = manifests.keep(run_id, node, view.key, 1, workspace_id=workspace_id)
    manifests.add(workspace_id, view.workflow_id, run_id, kept)
    return file_view(workspace_id=workspace_id, file_id=kept.write.id)


def batch_files(
    *, workspace_id: UUID, run_id: UUID, node: str, after: str | None = None, limit: int = 100
) -> Page[BatchFile]:
    """The files of the entries by their number, of so many entries at a time; manifests are none of them. Raises
    NotFound, BadCursor."""
    if not Run.objects.filter(workspace_id=workspace_id, pk=run_id).exists():
        raise NotFound("There is no such run.", code="run_not_found")
    own, last, size = own_runs(run_id, node), decode_number(after), page_size(limit)
    if last is not None:
        own = own.filter(item_index__gt=last)
    rows = list(own.order_by("item_index").values_list("id", "item_index", "business_key")[: size + 1])
    shown = {row[0]: row for row in rows[:size]}
    owners = manifests.below(list(shown))
    found = File.objects.filter(workspace_id=workspace_id, run_id__in=owners, removed_at=None)
    made = [
        BatchFile(one.pk, one.name, one.mime, one.size, one.sha256, int(index or 0), key)
        for one in found.exclude(mime=manifests.MIME).order_by("id")
        if one.run_id is not None
        for _, index, key in (shown[owners[one.run_id]],)
    ]
    made.sort(key=lambda one: one.index)
    return Page(made, encode_number(int(rows[size - 1][1] or 0)) if len(rows) > size else None)


def batch_passed_over(
    *, workspace_id: UUID, run_id: UUID, node: str, after: str | None = None, limit: int = 100
) -> Page[PassedOverView]:
    """The entries that began no run, in their order: they came twice, or an earlier run had done them. Raises NotFound,
    BadCursor."""
    refuse_other_than_lists(workspace_id, run_id, node)
    last, size = decode_number(after), page_size(limit)
    rows = readings.passed_over(run_id, node)
    if last is not None:
        rows = rows.filter(number__gt=last)
    found = [PassedOverView(row.number, row.place, row.key, row.done_by, row.done_at) for row in rows[: size + 1]]
    return Page(found[:size], encode_number(found[size - 1].number) if len(found) > size else None)


def refuse_other_than_lists(workspace_id: UUID, run_id: UUID, node: str) -> None:
    """Raise NotFound where this run is not here, or the step goes through no list."""
    version_id = Run.objects.filter(workspace_id=workspace_id, pk=run_id).values_list("version_id", flat=True).first()
    if version_id is None:
        raise NotFound("There is no such run.", code="run_not_found")
    _list_in(version_id, node)


def _list_in(version_id: UUID, node: str) -> Step:
    """The container of this version that goes through a list. Raises NotFound."""
    found = container_of(parsed(version_id).graph, node)
    if found is None or not found.node.type.startswith(_LIST):
        raise NotFound("This run has no such list.", code="batch_not_found")
    return found


def own_runs(run_id: UUID, node: str) -> QuerySet[Run]:
    """The runs of the entries."""
    return Run.objects.filter(parent_run_id=run_id, parent_node=node)


def last_manifest(run_id: UUID, node: str) -> File | None:
    """The one that was kept last."""
    rows = File.objects.filter(run_id=run_id, node_id=node, mime=manifests.MIME, removed_at=None)
    return rows.order_by("-id").first()


def _has_changed_since(own: QuerySet[Run], at: int) -> bool:
    return own.filter(Q(finished_at__isnull=True) | Q(finished_at__gt=at)).exists()


def _config(run_id: UUID, node: str) -> Mapping[str, Any]:
    """The step's settings as they were worked out when it began; without the list."""
    rows = StepRun.objects.filter(run_id=run_id, node_id=node, input__isnull=False).order_by("-generation")
    generation = rows.values_list("generation", flat=True).first()
    return {} if generation is None else _begun_with(run_id, node, generation)


@lru_cache(maxsize=256)
def _begun_with(run_id: UUID, node: str, generation: int) -> Mapping[str, Any]:
    """They never change once the step has begun, and a list in them may be large."""
    rows = StepRun.objects.filter(run_id=run_id, node_id=node, generation=generation)
    found: Any = document(rows.values_list("input", flat=True).first())
    return {name: value for name, value in found.items() if name != "items"} if isinstance(found, dict) else {}


def _input(workspace_id: UUID, config: Mapping[str, Any]) -> FileView | None:
    given = config.get("file") if config.get("source") == "file" else None
    if is_table(given):
        given = given["file"]  # type: ignore[index]
    if not is_file(given):
        return None
    try:
        return file_view(workspace_id=workspace_id, file_id=UUID(str(given["id"])))  # type: ignore[index]
    except (NotFound, ValueError):
        return None


def _pace(own: QuerySet[Run]) -> tuple[float | None, tuple[tuple[int, int], ...]]:
    """How many end a minute, by those that did last; and how many ended in each minute."""
    now = database_now()
    recent = own.filter(finished_at__gte=now - _RATE_MS).aggregate(count=Count("id"), first=Min("finished_at"))
    rate = None
    if recent["count"] >= _FEWEST:
        rate = recent["count"] * 60_000 / max(now - recent["first"], 1_000)
    minute = ExpressionWrapper(F("finished_at") / 60_000, output_field=BigIntegerField())
    rows = (
        own.filter(finished_at__isnull=False)
        .annotate(minute=Cast(minute, BigIntegerField()))
        .values_list("minute")
        .annotate(count=Count("id"))
        .order_by("-minute")[:_MOST_POINTS]
    )
    return rate, tuple(sorted((int(at) * 60_000, int(count)) for at, count in rows))


def _causes(own: QuerySet[Run]) -> tuple[FailedFor, ...]:
    letters = DeadLetter.objects.filter(run_id__in=own.values("pk"), solved_at__isnull=True)
    rows = letters.values("cause").annotate(count=Count("run_id")).order_by("-count", "cause")
    found = []
    for row in rows[:_MOST_CAUSES]:
        newest = letters.filter(cause=row["cause"]).order_by("-at").values_list("code", "title", "message").first()
        if newest is not None:
            found.append(FailedFor(row["cause"], *newest, row["count"]))
    return tuple(found)


def _totals(run_id: UUID, node: str, config: Mapping[str, Any]) -> tuple[ControlTotal, ...]:
    worth, posted = store.sums(run_id, node)
    by_currency = {one.currency: one for one in worth}
    expected = expected_amounts(config.get("expected_amount"))
    if "" in expected and "" not in by_currency and len(by_currency) == 1:
        # Nobody named the currency, and there is but one.
        expected[next(iter(by_currency))] = expected.pop("")
    says_posted = bool(config.get("posted"))
    found = []
    for currency in sorted({*by_currency, *expected, *posted}):
        one = by_currency.get(currency, store.Sum(currency, *(0,) * 11))
        count, amount = posted.get(currency, (0, 0))
        found.append(
            ControlTotal(
                currency=currency,
                received=_sum(one.entries, one.amount),
                done=_sum(one.done_count, one.done),
                failed=_sum(one.failed_count, one.failed),
                left_out=_sum(one.left_out_count, one.left_out),
                open=_sum(one.open_count, one.open),
                posted=_sum(count, amount) if says_posted or count else None,
                expected=expected.get(currency),
                without=one.without,
            )
        )
    return tuple(found)


def _sum(count: int, amount: int) -> CountAndSum:
    return CountAndSum(count, Decimal(store.decimal_of(amount)))


def whole(value: JSON) -> int | None:
    """The number, where the value is a whole one."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        exact = Decimal(str(value).strip())
    except ArithmeticError:
        return None
    return int(exact) if exact.is_finite() and exact == exact.to_integral_value() else None
