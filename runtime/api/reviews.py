"""Lists that people review: how one stands, its rows, and what was done to it. `reviewing.py` changes them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Q

from runtime.api.batches import whole
from runtime.api.cursors import decode, encode, page_size
from runtime.api.tasks import row_of
from runtime.contracts import JSON, NotFound, Page, Voter
from runtime.contracts.batches import CountAndSum
from runtime.contracts.reviews import ReviewChangeView, ReviewRowView, ReviewTotal, ReviewView, RowsShown
from runtime.engine.jsonprofile import loads_stored
from runtime.interpreter.asking import over, standing_as
from runtime.interpreter.counting import able
from runtime.interpreter.people import tokens
from runtime.ports import PORTS
from runtime.sdk.batch_settings import expected_amounts
from runtime.sdk.reviews import Judge
from runtime.store import reviews as store
from runtime.store.batches import decimal_of
from runtime.store.dialect import database_now
from runtime.store.models import HumanTask, Review, ReviewChange, ReviewRow, Run

__all__ = ["review", "review_changes", "review_lines", "review_rows"]

_MOST_ROWS: Final = 500


def review(*, workspace_id: UUID, task_id: UUID, voter: Voter) -> ReviewView:
    """The list that this question is about, as this person sees it. Raises NotFound."""
    task, row = found(workspace_id, task_id)
    return view_of(task, row, voter)


def review_rows(
    *, workspace_id: UUID, task_id: UUID, show: RowsShown = "all", search: str = "", start: int = 0, limit: int = 100
) -> tuple[list[ReviewRowView], int]:
    """So many of its rows from there on, in their order; those that wait for a decision (`todo`) with the worst first.
    And how many there are. Raises NotFound."""
    _, row = found(workspace_id, task_id)
    chosen = ReviewRow.objects.filter(review_id=row.id)
    match show:
        case "todo":
            chosen = chosen.filter(rank__gt=0)
        case "changed":
            chosen = chosen.filter(prepared__isnull=False)
        case "rejected":
            chosen = chosen.filter(state="rejected")
        case "all":
            pass
    if wanted := search.strip().casefold():
        chosen = chosen.filter(sought__contains=wanted)
    order = ("-rank", "seq") if show == "todo" else ("seq",)
    judge = judge_of(row)
    total = chosen.count()
    size = max(1, min(limit, _MOST_ROWS))
    return [row_view(one, judge) for one in chosen.order_by(*order)[start : start + size]], total


def review_changes(
    *, workspace_id: UUID, task_id: UUID, number: int | None = None, after: str | None = None, limit: int = 50
) -> Page[ReviewChangeView]:
    """What was done to it, or to one row, the newest first. Raises NotFound, BadCursor."""
    _, row = found(workspace_id, task_id)
    chosen = ReviewChange.objects.filter(review_id=row.id)
    if number is not None:
        chosen = chosen.filter(seq=number - 1)
    if (last := decode(after)) is not None:
        chosen = chosen.filter(id__lt=last)
    size = page_size(limit)
    rows = list(chosen.order_by("-id")[: size + 1])
    return Page([change_view(one) for one in rows[:size]], encode(rows[size - 1].id) if len(rows) > size else None)


def review_lines(*, workspace_id: UUID, task_id: UUID) -> Iterator[bytes]:
    """The list as lines of JSON, whose SHA-256 is that of the release (`store/reviews.py`). Raises NotFound."""
    _, row = found(workspace_id, task_id)
    return store.lines(row.id)


# --- what `reviewing.py` needs, too -------------------------------------------------------------------------------


def found(workspace_id: UUID, task_id: UUID) -> tuple[HumanTask, Review]:
    """The question and its list. Raises NotFound."""
    task = row_of(workspace_id, task_id)
    row = None
    if task.kind == "review":
        spec: Any = loads_stored(task.spec)
        row = Review.objects.filter(workspace_id=workspace_id, pk=UUID(spec["review"])).first()
    if row is None:
        raise NotFound("This question is about no list.", code="review_not_found")
    return task, row


def spec_of(row: Review) -> dict[str, Any]:
    """Who reviews and releases it, and what it has to come to."""
    kept: Any = loads_stored(row.spec)
    return dict(kept)


def judge_of(row: Review) -> Judge:
    return Judge.again(spec_of(row)["judge"])


def hands_in(row: Review) -> dict[UUID, tuple[str, str]]:
    """Whoever had a hand in it, by id, with their names and addresses. Who sent it back had none."""
    done = ReviewChange.objects.filter(review_id=row.id).exclude(kind__in=("send_back", "take_back"))
    return {by: (name, email) for by, name, email in done.order_by().values_list("by", "name", "email").distinct()}


def totals_of(row: Review, spec: dict[str, Any]) -> list[ReviewTotal]:
    """What it comes to, by currency; nothing where no column says what a row is worth."""
    if Judge.again(spec["judge"]).worth is None:
        return []
    sums = store.totals(row.id)
    kept: Any = loads_stored(row.prepared)
    expected = expected_amounts(spec["expected_amount"])
    if "" in expected and "" not in sums and len(sums) == 1:
        # Nobody named the currency, and there is but one.
        expected[next(iter(sums))] = expected.pop("")
    made = []
    for currency in sorted({*sums, *kept, *expected}):
        one = sums.get(currency, store.Totals(0, 0, 0, 0, 0))
        count, amount = kept.get(currency, (0, "0"))
        made.append(
            ReviewTotal(
                currency=currency,
                prepared=CountAndSum(int(count), Decimal(amount)),
                now=_sum(one.rows, one.amount),
                accepted=_sum(one.rows - one.rejected_count, one.amount - one.rejected),
                rejected=_sum(one.rejected_count, one.rejected),
                expected=expected.get(currency),
                without=one.without,
            )
        )
    return made


def differs(row: Review, spec: dict[str, Any], totals: list[ReviewTotal]) -> bool:
    """Whether it is not what it has to be."""
    count = whole(spec["expected_count"])
    return (count is not None and count != row.rows) or not all(one.agrees for one in totals)


def is_barred(task: HumanTask, row: Review, voter: Voter) -> bool:
    """Whether this person may not release it, for they had a hand in it or ask for it."""
    spec = spec_of(row)
    absent = standing_as(task, voter)[1]
    # Whoever stands in for somebody may not do what that person may not.
    both = (voter,) if absent is None else (voter, Voter(absent.id, absent.name, absent.email))
    out = {*spec["barred"], *tokens(task.barred)}
    if any(not out.isdisjoint(one.barred_by) for one in both):
        return True
    return bool(spec["four_eyes"]) and not hands_in(row).keys().isdisjoint({one.id for one in both})


def view_of(task: HumanTask, row: Review, voter: Voter) -> ReviewView:
    """See `ReviewView`."""
    spec = spec_of(row)
    judge = Judge.again(spec["judge"])
    counts = ReviewRow.objects.filter(review_id=row.id).aggregate(
        todo=Count("seq", filter=Q(rank__gt=0)),
        blocking=Count("seq", filter=Q(rank=2)),
        changed=Count("seq", filter=Q(prepared__isnull=False)),
        rejected=Count("seq", filter=Q(state="rejected")),
    )
    totals = totals_of(row, spec)
    generation = Run.objects.filter(pk=task.run_id, finished_at__isnull=True).values_list("generation", flat=True)
    is_open = task.status == "open" and over(task, generation.first(), database_now()) is None
    hands = hands_in(row)
    as_what, absent = standing_as(task, voter)
    taken = task.claimed_by not in (None, voter.id, None if absent is None else absent.id)
    mine = is_open and not taken and as_what is not None
    barred = is_barred(task, row, voter)
    handed = row.stage == "release" and is_open
    last = ReviewChange.objects.filter(review_id=row.id, seq__isnull=True).order_by("-id").first()
    worth = judge.worth
    return ReviewView(
        id=row.id,
        task_id=task.id,
        stage=row.stage,  # type: ignore[arg-type]
        revision=row.revision,
        columns=[column.model_dump(mode="python") for column in judge.columns],
        rows=row.rows,
        expected_count=whole(spec["expected_count"]),
        totals=totals,
        differs=differs(row, spec, totals),
        must_agree=bool(spec["must_agree"]),
        two_people=bool(spec["four_eyes"]),
        sha256=row.sha256,
        handed_by=row.handed_name,
        handed_at=row.handed_at,
        handed_comment=row.handed_comment,
        sent_back=change_view(last) if last is not None and last.kind == "send_back" else None,
        hands=sorted(name for name, _ in hands.values()),
        may_edit=mine and row.stage == "review",
        may_hand_over=mine and row.stage == "review" and counts["todo"] == 0,
        may_release=mine and handed and not barred,
        may_send_back=handed and ((mine and not barred) or row.handed_by == voter.id),
        may_reject=mine and (row.stage == "review" or not barred),
        four_eyes=barred,
        nobody=is_open and _nobody_can_release(task, row, spec, hands, voter),
        worth=None if worth is None else worth.name,
        **counts,
    )


def _nobody_can_release(
    task: HumanTask, row: Review, spec: dict[str, Any], hands: dict[UUID, tuple[str, str]], voter: Voter
) -> bool:
    """Whether nobody is left who can release it, should this person hand it over."""
    if PORTS.people.mark(workspace_id=row.workspace_id) is None:
        return False
    if row.stage == "release":
        return not able(task)
    out = {*spec["barred"]}
    if spec["four_eyes"]:
        out |= {*(f"user:{one}" for one in hands), *voter.barred_by}
    known = PORTS.people.known(workspace_id=row.workspace_id, tokens=spec["releasers"])
    people = [person for one in known for person in one.people]
    return all(one.email.lower() in out or f"user:{one.id}" in out for one in people)


def row_view(row: ReviewRow, judge: Judge) -> ReviewRowView:
    """See `ReviewRowView`."""
    names = [column.name for column in judge.columns]
    data: Any = loads_stored(row.data)
    before: Any = None if row.prepared is None else loads_stored(row.prepared)
    problems: Any = loads_stored(row.problems)
    shown: dict[str, JSON] = {name: data.get(name) for name in names}
    return ReviewRowView(
        number=row.seq + 1,
        data=shown,
        prepared={}
        if before is None
        else {name: before.get(name) for name in names if before.get(name) != shown[name]},
        state=row.state,  # type: ignore[arg-type]
        reason=row.reason,
        problems=problems,
        todo=row.rank > 0,
        version=row.version,
        changed_by=row.changed_by,
        changed_at=row.changed_at,
    )


def change_view(change: ReviewChange) -> ReviewChangeView:
    """See `ReviewChangeView`."""
    before: Any = loads_stored(change.before) if change.before else {}
    after: Any = loads_stored(change.after) if change.after else {}
    number = None if change.seq is None else change.seq + 1
    return ReviewChangeView(change.id, number, change.kind, change.at, change.name, before, after, change.reason)


def _sum(count: int, amount: int) -> CountAndSum:
    return CountAndSum(count, Decimal(decimal_of(amount)))
