"""What reconciling two lists found: the totals, and the rows of each group."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action
from builder.api.batch_shapes import CountAndSumShape
from builder.api.cursors import PageQuery
from builder.api.files import FileShape, file_shapes
from builder.api.links import without_links
from builder.api.operation import ApiView, Call, View, operation
from builder.api.shapes import Paged
from runtime import api as runtime_api
from runtime.contracts.batches import CountAndSum
from runtime.contracts.reconciliations import GROUPS


class BothShape(View):
    """Of the first list, and of the second."""

    a: CountAndSumShape
    b: CountAndSumShape


class ReconciledTotalShape(View):
    """One currency (empty where none is named). `a` and `b` are the sums of the groups; `difference`: a less b, a
    decimal as text."""

    currency: str
    a: CountAndSumShape
    b: CountAndSumShape
    difference: str
    matched: BothShape
    differing: BothShape
    only_a: BothShape
    only_b: BothShape
    twice: BothShape


class CountsShape(View):
    """How many were found of each group."""

    matched: int
    differing: int
    only_a: int
    only_b: int
    twice: int


class ReconciliationShape(View):
    """What a step found. `within`: so many of those that match do with a difference within the tolerance."""

    run_id: UUID
    node: str
    key: str
    name: str
    workflow_id: UUID
    a_name: str
    b_name: str
    a_count: int
    b_count: int
    within: int
    counts: CountsShape
    totals: list[ReconciledTotalShape]
    excel: FileShape | None
    csv: FileShape | None


class OutcomesQuery(PageQuery):
    """Of which group, and in which this stands somewhere."""

    group: Literal["matched", "differing", "only_a", "only_b", "twice"] = "differing"
    search: Annotated[str, Field(max_length=200)] = ""


class OutcomeShape(View):
    """Rows that belong together, or one that is alone. `at`: tells it from others of its group. `why`: empty,
    tolerance, amount, currency, date, missing, no_key, twice or several. Amounts are decimals as text; `difference`: a
    less b. `missing`: what was named and is not there. `a`, `b`: the rows of each list, `…_places`: where they stand.
    """

    at: int
    group: str
    why: str
    key: str
    currency: str
    a_amount: str | None
    b_amount: str | None
    difference: str | None
    days: int | None
    missing: list[str]
    a: list[Any]
    b: list[Any]
    a_places: list[str]
    b_places: list[str]


class Reconciliation(ApiView):
    @operation(Action.RUN_SEE, answer=ReconciliationShape)
    def get(self, call: Call, *, run_id: UUID, node_id: str) -> ReconciliationShape:
        """What this step found: how many of each group, and the totals by currency."""
        one = runtime_api.reconciliation(workspace_id=call.workspace.id, run_id=run_id, node=node_id)
        return ReconciliationShape(
            run_id=one.run_id,
            node=one.node,
            key=one.key,
            name=one.name,
            workflow_id=one.workflow_id,
            a_name=one.a_name,
            b_name=one.b_name,
            a_count=one.a_count,
            b_count=one.b_count,
            within=one.within,
            counts=CountsShape(**one.counts),
            totals=[
                ReconciledTotalShape(
                    currency=total.currency,
                    a=_sum(total.a),
                    b=_sum(total.b),
                    difference=f"{total.difference:f}",
                    **{
                        group: BothShape(a=_sum(total.groups[group][0]), b=_sum(total.groups[group][1]))
                        for group in GROUPS
                    },
                )
                for total in one.totals
            ],
            excel=None if one.excel is None else file_shapes(call, [one.excel])[0],
            csv=None if one.csv is None else file_shapes(call, [one.csv])[0],
        )


class Outcomes(ApiView):
    @operation(Action.RUN_SEE, query=OutcomesQuery, answer=Paged[OutcomeShape])
    def get(self, call: Call, *, run_id: UUID, node_id: str, query: OutcomesQuery) -> Paged[OutcomeShape]:
        """What is in one group, in the order of the lists."""
        page = runtime_api.reconciled(
            workspace_id=call.workspace.id,
            run_id=run_id,
            node=node_id,
            group=query.group,
            search=query.search,
            after=query.cursor,
            limit=query.limit,
        )
        return Paged[OutcomeShape](
            items=[
                OutcomeShape(
                    at=one.at,
                    group=one.group,
                    why=one.why,
                    key=one.key,
                    currency=one.currency,
                    a_amount=None if one.a_amount is None else f"{one.a_amount:f}",
                    b_amount=None if one.b_amount is None else f"{one.b_amount:f}",
                    difference=None if one.difference is None else f"{one.difference:f}",
                    days=one.days,
                    missing=list(one.missing),
                    a=without_links(call, list(one.a)),
                    b=without_links(call, list(one.b)),
                    a_places=list(one.a_places),
                    b_places=list(one.b_places),
                )
                for one in page.items
            ],
            next_cursor=page.next_cursor,
        )


def _sum(one: CountAndSum) -> CountAndSumShape:
    return CountAndSumShape(count=one.count, amount=f"{one.amount:f}")
