"""Lists that people review: set down before their question is asked, summed, and read once they were released.

What is handed over is the list as lines of JSON, in the order of the rows:

    {"row":1,"state":"accepted","data":{…}}
    {"row":2,"state":"rejected","reason":"Paid in October","data":{…}}

Their SHA-256, newlines included, is what the releaser saw; whoever downloads the list can work it out again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import JSON, dumps, loads_stored
from runtime.sdk.errors import PermanentError
from runtime.sdk.reviews import MOST_ROW_CHARACTERS, Judge, Judged, StagedList, not_released
from runtime.store.batches import decimal_of, units_of
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.people import HumanTask
from runtime.store.review_models import Review, ReviewRow

__all__ = ["Totals", "add", "digest", "lines", "released_rows", "stage", "staged", "totals", "verdict"]

_PORTION: Final = 500


class Place(NamedTuple):
    """The attempt of a step that sets a list down."""

    workspace_id: UUID
    run_id: UUID
    node_id: str
    generation: int
    attempt: int


def stage(place: Place, judge: Judge, spec: Mapping[str, JSON]) -> UUID:
    """Begin a list, in place of what an earlier go at the same attempt left. Raises PermanentError where people are
    asked about that one already."""
    made = uuid7()
    with commit("review.stage"):
        if HumanTask.objects.filter(kind="review", **_step_of(place)).exists():
            # A process that was thought dead comes late. What people work on stays; of what it says nothing is kept.
            raise PermanentError("It was asked already", "People look at the list of this step already.", "asked")
        mine = Review.objects.filter(**_step_of(place))
        ReviewRow.objects.filter(review_id__in=list(mine.values_list("id", flat=True))).delete()
        mine.delete()
        kept = dumps({**spec, "judge": judge.document()})
        Review.objects.create(id=made, spec=kept, created_at=database_now(), **place._asdict())
    return made


def _step_of(place: Place) -> dict[str, Any]:
    return {name: value for name, value in place._asdict().items() if name != "workspace_id"}


def add(review_id: UUID, judge: Judge, rows: Sequence[Mapping[str, JSON]], first: int) -> None:
    """Add rows. Raises PermanentError where one is none, or too large."""
    made = []
    for number, row in enumerate(rows, start=first):
        if not isinstance(row, Mapping):
            raise PermanentError(
                "An entry is no row",
                f"Entry {number + 1} of the list has no columns. Each has to be an object, such as "
                "{“supplier”: “S-1”, “amount”: 12}.",
                "no_row",
            )
        data = dumps(dict(row))
        if len(data) > MOST_ROW_CHARACTERS:
            raise PermanentError(
                "A row is too large",
                f"Row {number + 1} has more than 64 KiB. Leave out what nobody looks at.",
                "row_size",
            )
        found = judge.look(row, number)
        made.append(ReviewRow(review_id=review_id, seq=number, data=data, **verdict(found, "")))
    with commit("review.stage"):
        ReviewRow.objects.bulk_create(made)


def verdict(found: Judged, state: str) -> dict[str, Any]:
    """The columns of a row that follow from what was found out about it, in this state."""
    rank = found.rank
    if state == "rejected" or (state == "accepted" and rank == 1):
        rank = 0
    return {
        "state": state,
        "rank": rank,
        "problems": dumps([one.as_json() for one in found.problems]),
        "amount": units_of(found.amount),
        "currency": found.currency,
        "sought": found.sought,
    }


def staged(review_id: UUID) -> StagedList:
    """End the list: it is as it will be shown."""
    found = totals(review_id)
    count = sum(one.rows for one in found.values())
    sums = {currency: (one.rows, Decimal(decimal_of(one.amount))) for currency, one in found.items()}
    prepared = dumps({currency: [count, str(amount)] for currency, (count, amount) in sums.items()})
    with commit("review.stage"):
        Review.objects.filter(pk=review_id).update(stage="review", rows=count, prepared=prepared)
    return StagedList(review_id, count, sums, sum(one.without for one in found.values()))


class Totals(NamedTuple):
    """The rows in one currency; of these the ones that are rejected. Amounts as `batches.units_of` gives them."""

    rows: int
    amount: int
    rejected_count: int
    rejected: int
    #: So many have no amount.
    without: int


def totals(review_id: UUID) -> dict[str, Totals]:
    """What the rows come to, by currency."""
    out = Q(state="rejected")
    rows = (
        ReviewRow.objects.filter(review_id=review_id)
        .order_by("currency")
        .values("currency")
        .annotate(
            count=Count("seq"),
            worth=Sum("amount"),
            out_count=Count("seq", filter=out),
            out=Sum("amount", filter=out),
            without=Count("seq", filter=Q(amount__isnull=True)),
        )
    )
    return {
        row["currency"]: Totals(
            row["count"], int(row["worth"] or 0), row["out_count"], int(row["out"] or 0), row["without"]
        )
        for row in rows
    }


def chosen(review_id: UUID, which: str) -> QuerySet[ReviewRow]:
    """The rows that are accepted, or rejected. Nobody has to say of a row without a problem that it is well."""
    rows = ReviewRow.objects.filter(review_id=review_id)
    return rows.filter(state="rejected") if which == "rejected" else rows.exclude(state="rejected")


def lines(review_id: UUID) -> Iterator[bytes]:
    """The list as it is handed over, line by line; see the module's text."""
    last = -1
    while True:
        rows = ReviewRow.objects.filter(review_id=review_id, seq__gt=last).order_by("seq")
        found = list(rows.values_list("seq", "state", "reason", "data")[:_PORTION])
        for seq, state, reason, data in found:
            told: dict[str, JSON] = {"row": seq + 1, "state": state or "accepted"}
            if reason:
                told["reason"] = reason
            yield f'{dumps(told)[:-1]},"data":{data}}}\n'.encode()
        if len(found) < _PORTION:
            return
        last = found[-1][0]


def digest(review_id: UUID) -> str:
    """The SHA-256 of these lines."""
    found = hashlib.sha256()
    for line in lines(review_id):
        found.update(line)
    return found.hexdigest()


def released_rows(
    workspace_id: UUID, review_id: UUID, which: str, *, after: int, most: int
) -> tuple[list[tuple[int, JSON]], int]:
    """Rows that were released, with their numbers, behind that number; and how many there are. Raises
    PermanentError."""
    if not Review.objects.filter(workspace_id=workspace_id, pk=review_id, stage="released").exists():
        raise not_released()
    rows = chosen(review_id, which)
    found = rows.filter(seq__gt=after).order_by("seq").values_list("seq", "data")[:most]
    return [(seq, loads_stored(data)) for seq, data in found], rows.count()
