"""For how long the workspace keeps what: rules, what they would remove, legal holds, how much is stored. For admins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from django.db.models import Sum
from django.db.models.functions import Length
from pydantic import Field

from builder.accounts.rights import Action
from builder.accounts.selectors import names_of
from builder.accounts.times import maybe, stamp
from builder.api.operation import ApiView, Body, Call, Query, View, operation
from builder.workflows import old_drafts
from builder.workflows.models import Draft, Workflow
from runtime import api as runtime_api
from runtime.contracts.retention import CLASSES, MOST_DAYS, LegalHoldView, RetentionView, Sweep

Class = Literal["done", "failed", "tests", "values", "items", "calls", "starts", "files", "drafts"]
Days = Annotated[int, Field(ge=1, le=MOST_DAYS)]
Reason = Annotated[str, Field(min_length=1, max_length=400)]


class Counted(View):
    """So many of a class or of a reason."""

    name: str
    count: int


class SweepShape(View):
    """What a sweep came to: what was `removed`, by class; what was old enough and `kept`, by reason: `open`, `letter`
    (its dead letter waits for a decision), `hold`, `uncounted` (not in the figures yet), `needed`."""

    began_at: str
    ended_at: str | None
    removed: list[Counted]
    kept: list[Counted]


class RuleShape(View):
    """For how many days a class is kept; null: for ever."""

    name: str
    days: int | None


class LegalHoldShape(View):
    """A legal hold: nothing of the workflow, or of the runs with this key, is removed by a rule."""

    id: UUID
    workflow_id: UUID | None
    workflow_name: str | None
    key: str | None
    reason: str
    at: str
    by: str | None


class RetentionShape(View):
    """The rules as they are, by their `revision`; the last sweep, the one under way, and whether one is wanted."""

    rules: list[RuleShape]
    revision: int
    last: SweepShape | None
    under_way: SweepShape | None
    waits: bool
    holds: list[LegalHoldShape]


class PreviewShape(View):
    """What the rules would remove at this moment, and what is old enough and kept. `whole`: false where there is more
    than could be counted in a moment."""

    removes: list[Counted]
    kept: list[Counted]
    whole: bool


class StoredShape(View):
    """How much there is of a class: `count` of runs, events or files, and about so many bytes."""

    name: str
    count: int
    size: int


class StoredList(View):
    """By class."""

    stored: list[StoredShape]


class Rules(Body):
    """All rules, in place of those with this revision. A class without one is kept for ever."""

    revision: Annotated[int, Field(ge=0)]
    days: dict[Class, Days]


class PreviewQuery(Query):
    """Days by class: by these rules in place of those that are set. None of them: by those that are set."""

    done: Days | None = None
    failed: Days | None = None
    tests: Days | None = None
    values: Days | None = None
    items: Days | None = None
    calls: Days | None = None
    starts: Days | None = None
    files: Days | None = None
    drafts: Days | None = None


class NewHold(Body):
    """What is held: a workflow, or all runs with this key, as it is shown; and why."""

    workflow: UUID | None = None
    key: Annotated[str, Field(max_length=200)] | None = None
    reason: Reason


class Retention(ApiView):
    @operation(Action.RETENTION_MANAGE, answer=RetentionShape)
    def get(self, call: Call) -> RetentionShape:
        """The rules, the legal holds, and the last sweep."""
        return _shape(call, runtime_api.retention(workspace_id=call.workspace.id))

    @operation(
        Action.RETENTION_MANAGE,
        body=Rules,
        answer=RetentionShape,
        also=(409,),
        repeat="stored_apart",
        does="retention.changed",
    )
    def put(self, call: Call, *, body: Rules) -> RetentionShape:
        """Set the rules. They count from the next sweep on, which begins within a day, or when somebody asks for it."""
        rules = {str(name): days for name, days in body.days.items()}
        found = runtime_api.set_retention(workspace_id=call.workspace.id, rules=rules, revision=body.revision)
        return _shape(call, found)


class RetentionSweep(ApiView):
    @operation(
        Action.RETENTION_MANAGE, answer=RetentionShape, also=(409,), repeat="stored_apart", does="retention.asked_for"
    )
    def post(self, call: Call) -> RetentionShape:
        """Have what the rules let go removed now."""
        found = runtime_api.sweep_now(workspace_id=call.workspace.id, by=call.person.id)
        return _shape(call, found)


class RetentionPreview(ApiView):
    @operation(Action.RETENTION_MANAGE, query=PreviewQuery, answer=PreviewShape)
    def get(self, call: Call, *, query: PreviewQuery) -> PreviewShape:
        """What the rules would remove at this moment, and what they would not, and why."""
        rules = {name: days for name, days in query.model_dump().items() if days is not None}
        rules = rules or dict(runtime_api.retention(workspace_id=call.workspace.id).rules)
        found = runtime_api.retention_preview(workspace_id=call.workspace.id, rules=rules)
        removes = dict(found.removes)
        if (days := rules.get("drafts")) is not None:
            removes["drafts"] = old_drafts.to_remove(call.workspace.id, days, call.now).count()
        return PreviewShape(removes=_counted(removes), kept=_counted(found.kept), whole=found.whole)


class RetentionStored(ApiView):
    @operation(Action.RETENTION_MANAGE, answer=StoredList)
    def get(self, call: Call) -> StoredList:
        """How much is stored of each class."""
        found = runtime_api.retention_stored(workspace_id=call.workspace.id)
        shapes = [StoredShape(name=name, count=one.count, size=one.size) for name, one in found.items()]
        drafts = Draft.objects.filter(workflow__workspace=call.workspace, workflow__deleted_at__isnull=False)
        size = drafts.aggregate(size=Sum(Length("graph")))["size"]
        shapes.append(StoredShape(name="drafts", count=drafts.count(), size=int(size or 0)))
        return StoredList(stored=sorted(shapes, key=lambda one: CLASSES.index(one.name)))


class LegalHolds(ApiView):
    @operation(
        Action.RETENTION_MANAGE,
        body=NewHold,
        answer=LegalHoldShape,
        status=201,
        also=(404, 409),
        repeat="stored_apart",
        does="retention.hold_set",
    )
    def post(self, call: Call, *, body: NewHold) -> LegalHoldShape:
        """Hold a workflow, or the runs with a key: no rule removes anything of them until it is lifted."""
        found = runtime_api.set_legal_hold(
            workspace_id=call.workspace.id, workflow_id=body.workflow, key=body.key, reason=body.reason,
            by=call.person.id,
        )  # fmt: skip
        return _holds(call, [found])[0]


class OneLegalHold(ApiView):
    @operation(Action.RETENTION_MANAGE, also=(404,), repeat="stored_apart", does="retention.hold_lifted")
    def delete(self, call: Call, *, hold_id: UUID) -> None:
        """Lift it: the rules count again."""
        runtime_api.lift_legal_hold(workspace_id=call.workspace.id, hold_id=hold_id, by=call.person.id)


def _shape(call: Call, found: RetentionView) -> RetentionShape:
    return RetentionShape(
        rules=[RuleShape(name=name, days=found.rules.get(name)) for name in CLASSES],
        revision=found.revision,
        last=_sweep(found.last),
        under_way=_sweep(found.under_way),
        waits=found.waits,
        holds=_holds(call, runtime_api.legal_holds(workspace_id=call.workspace.id)),
    )


def _sweep(found: Sweep | None) -> SweepShape | None:
    if found is None:
        return None
    return SweepShape(
        began_at=stamp(found.began_at),
        ended_at=maybe(found.ended_at),
        removed=_counted(found.removed),
        kept=_counted(found.kept),
    )


def _counted(found: Mapping[str, int]) -> list[Counted]:
    return [Counted(name=name, count=count) for name, count in found.items()]


def _holds(call: Call, found: list[LegalHoldView]) -> list[LegalHoldShape]:
    flows = {one.workflow_id for one in found if one.workflow_id is not None}
    names = dict(Workflow.objects.filter(workspace=call.workspace, pk__in=flows).values_list("id", "name"))
    people = names_of({one.by for one in found if one.by is not None})
    return [
        LegalHoldShape(
            id=one.id,
            workflow_id=one.workflow_id,
            workflow_name=None if one.workflow_id is None else names.get(one.workflow_id),
            key=one.key,
            reason=one.reason,
            at=stamp(one.at),
            by=None if one.by is None else people.get(one.by),
        )
        for one in found
    ]
