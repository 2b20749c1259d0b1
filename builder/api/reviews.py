"""Lists that people review: looked at, changed, handed over, released by a second person."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import StreamingHttpResponse
from pydantic import Field

from builder.accounts.directory import voter_of
from builder.accounts.rights import Action
from builder.accounts.times import maybe, stamp
from builder.api.batch_shapes import CountAndSumShape
from builder.api.cursors import PageQuery
from builder.api.operation import ApiView, Body, Call, Query, View, operation
from builder.api.shapes import Paged
from runtime import api as runtime_api
from runtime.contracts import Voter
from runtime.contracts.batches import CountAndSum
from runtime.contracts.reviews import ReviewChangeView, ReviewRowView, ReviewView, RowChange

RowNumber = Annotated[int, Field(ge=1, le=1_000_000)]
Revision = Annotated[int, Field(ge=0, le=2_000_000_000)]


class ReviewColumnShape(View):
    """A column. `type`: text · number · amount · date · yes_no; `total`: it says what a row is worth."""

    name: str
    label: str
    type: str
    editable: bool
    required: bool
    total: bool


class ReviewTotalShape(View):
    """The rows in one currency, empty where there is none. `prepared`: as they came; `now`: as they are, of which those
    that are `accepted` and `rejected`; `expected`: null where nobody said; `without`: so many have no amount."""

    currency: str
    prepared: CountAndSumShape
    now: CountAndSumShape
    accepted: CountAndSumShape
    rejected: CountAndSumShape
    expected: str | None
    agrees: bool
    without: int


class ReviewChangeShape(View):
    """What somebody did. `number`: to which row, from 1; null: to the list. `kind`: edit · accept · reject · reopen ·
    hand_over · send_back · take_back. `before`, `after`: the cells that changed."""

    id: UUID
    number: int | None
    kind: str
    at: str
    by: str
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str


class ReviewShape(View):
    """A list that is reviewed. `stage`: review · release (it waits for that) · released · rejected. `revision`: goes up
    with every change. `todo`: so many rows keep it from being handed over, of which `blocking` have to be mended or
    rejected. `differs`: a total or the number of rows is not what it has to be; `must_agree`: then it cannot be handed
    over. `two_people`: whoever had a hand in it (`hands`) may not release it. `sha256`: of the lines that were handed
    over. `sent_back`: that it was. `may_…`: I may do so now; `four_eyes`: I may not release it, for I had a hand in it
    or ask for it. `nobody`: nobody is left who could release it, should I hand it over.
    """

    id: UUID
    task_id: UUID
    stage: str
    revision: int
    columns: list[ReviewColumnShape]
    worth: str | None
    rows: int
    todo: int
    blocking: int
    changed: int
    rejected: int
    expected_count: int | None
    totals: list[ReviewTotalShape]
    differs: bool
    must_agree: bool
    two_people: bool
    sha256: str
    handed_by: str
    handed_at: str | None
    handed_comment: str
    sent_back: ReviewChangeShape | None
    hands: list[str]
    may_edit: bool
    may_hand_over: bool
    may_release: bool
    may_send_back: bool
    may_reject: bool
    four_eyes: bool
    nobody: bool


class RowProblem(View):
    """Why a row needs a look. `level`: warning (accept or reject it) · blocking (mend or reject it); `column`: of which
    cell, empty for the row."""

    level: str
    text: str
    column: str


class ReviewRowShape(View):
    """A row. `number`: from 1. `data`: by column; `prepared`: of cells that were changed, as they came. `state`: empty,
    accepted or rejected. `todo`: somebody has to mend, accept or reject it. `version`: to be named with a change."""

    number: int
    data: dict[str, Any]
    prepared: dict[str, Any]
    state: str
    reason: str
    problems: list[RowProblem]
    todo: bool
    version: int
    changed_by: str
    changed_at: str | None


class ReviewRowsShape(View):
    """Some of the rows, and how many there are."""

    rows: list[ReviewRowShape]
    total: int


class RowBecameShape(View):
    """What became of a change. `outcome`: changed · conflict (somebody changed the row meanwhile) · refused. `row`: as
    it is now; `fields`: what is wrong, by column, or `reason`, `state`."""

    number: int
    outcome: str
    row: ReviewRowShape | None
    message: str
    fields: dict[str, str]


class ChangedRowsShape(View):
    """What became of the changes, and the list as it is now."""

    review: ReviewShape
    items: list[RowBecameShape]


class RowsQuery(Query):
    """`show`: all, those that wait for a decision (the worst first), those that were changed or rejected; `search`: in
    the columns that are shown; so many from `start` on."""

    show: Literal["all", "todo", "changed", "rejected"] = "all"
    search: Annotated[str, Field(max_length=200)] = ""
    start: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class ChangesQuery(PageQuery):
    """What was done to the list; of one row only."""

    number: RowNumber | None = None


class RowChangeBody(Body):
    """What a row is to be. `version`: as it was seen; `values`: what is put into cells; `state`: null leaves it."""

    number: RowNumber
    version: Revision
    values: Annotated[dict[str, Any], Field(max_length=30)] = {}
    state: Literal["", "accepted", "rejected"] | None = None
    reason: Annotated[str, Field(max_length=500)] = ""


class ChangeRowsBody(Body):
    """Changes of rows. `decimal`, `dates`: how numbers and dates are written."""

    changes: Annotated[list[RowChangeBody], Field(min_length=1, max_length=500)]
    decimal: Literal[".", ","] = "."
    dates: Literal["dmy", "mdy"] = "dmy"


class HandReviewOverBody(Body):
    """`revision`: of the list as it was seen. A comment is needed where the control totals differ."""

    revision: Revision
    comment: Annotated[str, Field(max_length=2000)] = ""


class WhyBody(Body):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class OneReview(ApiView):
    @operation(Action.TASK_SEE, answer=ReviewShape)
    def get(self, call: Call, *, task_id: UUID) -> ReviewShape:
        """How the list stands: counts, control totals, who may do what."""
        return _shape(runtime_api.review(workspace_id=call.workspace.id, task_id=task_id, voter=_voter(call)))


class ReviewRows(ApiView):
    @operation(Action.TASK_SEE, query=RowsQuery, answer=ReviewRowsShape)
    def get(self, call: Call, *, task_id: UUID, query: RowsQuery) -> ReviewRowsShape:
        """Rows of the list, from one on."""
        rows, total = runtime_api.review_rows(
            workspace_id=call.workspace.id,
            task_id=task_id,
            show=query.show,
            search=query.search,
            start=query.start,
            limit=query.limit,
        )
        return ReviewRowsShape(rows=[_row(row) for row in rows], total=total)

    @operation(
        Action.TASK_DECIDE,
        body=ChangeRowsBody,
        answer=ChangedRowsShape,
        also=(409,),
        repeat="stored_apart",
        does="review.changed",
    )
    def post(self, call: Call, *, task_id: UUID, body: ChangeRowsBody) -> ChangedRowsShape:
        """Put values into cells, accept, reject, reopen rows. What somebody else changed meanwhile is left alone and
        told of."""
        voter = _voter(call)
        became = runtime_api.change_review_rows(
            workspace_id=call.workspace.id,
            task_id=task_id,
            voter=voter,
            changes=[RowChange(one.number, one.version, one.values, one.state, one.reason) for one in body.changes],
            decimal=body.decimal,
            dates=body.dates,
        )
        now = runtime_api.review(workspace_id=call.workspace.id, task_id=task_id, voter=voter)
        items = [
            RowBecameShape(
                number=one.number,
                outcome=one.outcome,
                row=None if one.row is None else _row(one.row),
                message=one.message,
                fields=dict(one.fields),
            )
            for one in became
        ]
        return ChangedRowsShape(review=_shape(now), items=items)


class ReviewChanges(ApiView):
    @operation(Action.TASK_SEE, query=ChangesQuery, answer=Paged[ReviewChangeShape])
    def get(self, call: Call, *, task_id: UUID, query: ChangesQuery) -> Paged[ReviewChangeShape]:
        """What was done to the list, the newest first: who, when, before and after."""
        page = runtime_api.review_changes(
            workspace_id=call.workspace.id,
            task_id=task_id,
            number=query.number,
            after=query.cursor,
            limit=query.limit,
        )
        return Paged[ReviewChangeShape](items=[_change(one) for one in page.items], next_cursor=page.next_cursor)


class ReviewSheet(ApiView):
    @operation(Action.TASK_SEE, file=True, does="review.downloaded")
    def get(self, call: Call, *, task_id: UUID) -> StreamingHttpResponse:
        """The list as lines of JSON. When it was handed over, their SHA-256 is that of the release."""
        lines = runtime_api.review_lines(workspace_id=call.workspace.id, task_id=task_id)
        headers = {"Content-Disposition": 'attachment; filename="reviewed-list.jsonl"', "Accept-Ranges": "none"}
        return StreamingHttpResponse(lines, content_type="application/x-ndjson", headers=headers)


class HandReviewOver(ApiView):
    @operation(
        Action.TASK_DECIDE,
        body=HandReviewOverBody,
        answer=ReviewShape,
        also=(409,),
        repeat="stored_apart",
        does="review.handed_over",
    )
    def post(self, call: Call, *, task_id: UUID, body: HandReviewOverBody) -> ReviewShape:
        """Hand the list over for its release: nobody changes it any more."""
        view = runtime_api.hand_review_over(
            workspace_id=call.workspace.id,
            task_id=task_id,
            voter=_voter(call),
            revision=body.revision,
            comment=body.comment,
        )
        return _shape(view)


class SendReviewBack(ApiView):
    @operation(
        Action.TASK_DECIDE,
        body=WhyBody,
        answer=ReviewShape,
        also=(409,),
        repeat="stored_apart",
        does="review.sent_back",
    )
    def post(self, call: Call, *, task_id: UUID, body: WhyBody) -> ReviewShape:
        """Give the list back to those who review it, or take back what I handed over."""
        view = runtime_api.send_review_back(
            workspace_id=call.workspace.id, task_id=task_id, voter=_voter(call), reason=body.reason
        )
        return _shape(view)


class ReleaseReview(ApiView):
    @operation(
        Action.TASK_DECIDE,
        body=HandReviewOverBody,
        answer=ReviewShape,
        also=(409,),
        repeat="stored_apart",
        does="review.released",
    )
    def post(self, call: Call, *, task_id: UUID, body: HandReviewOverBody) -> ReviewShape:
        """Release the list: the run goes on with what is accepted. Refused to whoever had a hand in it, where a second
        person has to."""
        view = runtime_api.release_review(
            workspace_id=call.workspace.id,
            task_id=task_id,
            voter=_voter(call),
            revision=body.revision,
            comment=body.comment,
        )
        return _shape(view)


class RejectReview(ApiView):
    @operation(
        Action.TASK_DECIDE, body=WhyBody, answer=ReviewShape, also=(409,), repeat="stored_apart", does="review.rejected"
    )
    def post(self, call: Call, *, task_id: UUID, body: WhyBody) -> ReviewShape:
        """Reject all of the list: the run goes on by its way out “Rejected”."""
        view = runtime_api.reject_review(
            workspace_id=call.workspace.id, task_id=task_id, voter=_voter(call), reason=body.reason
        )
        return _shape(view)


def _voter(call: Call) -> Voter:
    return voter_of(call.person, call.workspace.id, call.role)


def _shape(view: ReviewView) -> ReviewShape:
    return ReviewShape(
        id=view.id,
        task_id=view.task_id,
        stage=view.stage,
        revision=view.revision,
        columns=[ReviewColumnShape(**{**one, "label": one["label"] or one["name"]}) for one in view.columns],
        worth=view.worth,
        rows=view.rows,
        todo=view.todo,
        blocking=view.blocking,
        changed=view.changed,
        rejected=view.rejected,
        expected_count=view.expected_count,
        totals=[
            ReviewTotalShape(
                currency=one.currency,
                prepared=_sum(one.prepared),
                now=_sum(one.now),
                accepted=_sum(one.accepted),
                rejected=_sum(one.rejected),
                expected=None if one.expected is None else str(one.expected),
                agrees=one.agrees,
                without=one.without,
            )
            for one in view.totals
        ],
        differs=view.differs,
        must_agree=view.must_agree,
        two_people=view.two_people,
        sha256=view.sha256,
        handed_by=view.handed_by,
        handed_at=maybe(view.handed_at),
        handed_comment=view.handed_comment,
        sent_back=None if view.sent_back is None else _change(view.sent_back),
        hands=view.hands,
        may_edit=view.may_edit,
        may_hand_over=view.may_hand_over,
        may_release=view.may_release,
        may_send_back=view.may_send_back,
        may_reject=view.may_reject,
        four_eyes=view.four_eyes,
        nobody=view.nobody,
    )


def _row(row: ReviewRowView) -> ReviewRowShape:
    return ReviewRowShape(
        number=row.number,
        data=row.data,
        prepared=row.prepared,
        state=row.state,
        reason=row.reason,
        problems=[RowProblem(**one) for one in row.problems],
        todo=row.todo,
        version=row.version,
        changed_by=row.changed_by,
        changed_at=maybe(row.changed_at),
    )


def _change(change: ReviewChangeView) -> ReviewChangeShape:
    return ReviewChangeShape(
        id=change.id,
        number=change.number,
        kind=change.kind,
        at=stamp(change.at),
        by=change.by,
        before=change.before,
        after=change.after,
        reason=change.reason,
    )


def _sum(one: CountAndSum) -> CountAndSumShape:
    return CountAndSumShape(count=one.count, amount=str(one.amount))
