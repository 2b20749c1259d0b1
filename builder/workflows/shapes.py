"""Runs, steps and problems as browsers and programs read them: the API and the live socket send the same shapes.

One place where internal becomes external.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from builder.accounts.times import lasted, maybe, stamp
from runtime.contracts import AttemptView, Problem, RunView, StepView
from runtime.contracts.items import SolvedView


class View(BaseModel):
    """What an answer says."""

    model_config = ConfigDict(extra="forbid")


class ProblemView(View):
    """Something to mend or to know about a graph."""

    severity: str
    code: str
    message: str
    node: str | None
    edge: str | None
    field: str | None
    params: dict[str, Any]


class EffectView(View):
    """What a step does outside with the settings it has: its class, whether it changes anything, may be repeated."""

    effect: str
    writes: bool
    repeatable: bool


class WorkflowName(View):
    """A workflow in passing."""

    id: UUID
    name: str


class StepName(View):
    """A step in passing."""

    node: str
    name: str


class ErrorView(View):
    """Why a step or run failed, in words."""

    code: str
    title: str
    message: str
    detail: str | None = None
    retryable: bool = False
    http_status: int | None = None
    kind: str = ""


class WaitingView(View):
    """Why a run waits, since when and until when. Of one that is paused or held, `by` whom and for which `reason`; and
    of how many `runs` how many `failures`, where its workflow keeps failing. `paused_item`: the number (from 0) of the
    first item that somebody paused, of those that the run waits for; `asking_item`: of the first that waits for people;
    `of`: what these are: items · turns · call (the run of another workflow).
    `held_workflow`: the workflow that the run waits for a run of, where that holds it.
    `people`: the names of those it waits for; empty: anybody. Where it waits for its turn at a `connection`, that takes
    so many `calls` within `period_ms` and `at_once` at a time; `paused_until`: the other system has asked for it."""

    kind: str
    since: str | None
    until: str | None
    text: str
    by: str | None = None
    reason: str = ""
    cause: str = ""
    failures: int = 0
    runs: int = 0
    paused_item: int | None = None
    asking_item: int | None = None
    of: str = "items"
    held_workflow: UUID | None = None
    people: list[str] = []
    connection: UUID | None = None
    connection_name: str = ""
    calls: int | None = None
    period_ms: int | None = None
    at_once: int | None = None
    paused_until: str | None = None
    #: Why the connection is broken, where it waits for somebody to repair that.
    broken: str | None = None
    #: Of a list whose items may begin at some times only: when it goes on.
    goes_on_at: str | None = None


class ParentShape(View):
    """The run that has begun this one, for which of its steps, and as which number (from 0)."""

    run_id: UUID
    node_id: str
    node_name: str
    index: int
    workflow_id: UUID
    is_item: bool


class ItemsView(View):
    """How the runs stand that a step has begun. `total`: how many there will be, where that is known. Of a step that is
    done, within its runs that are: how many items are not (`failed_inside`), and how many workflows failed that were
    only started there (`failed_calls`). `solved`: of one that has ended, those that failed and were put right elsewhere
    or discarded since; they are none of `failed`. `left_out`: those that people skipped; they are none of `done`."""

    total: int | None
    started: int
    done: int
    failed: int
    running: int
    waiting: int
    failed_inside: int
    failed_calls: int
    solved: int
    left_out: int


class CancelledView(View):
    """That a run was asked to end: when, by whom (a name, or api · schedule · run, the run around it), and why, empty
    where nobody said."""

    at: str
    by: str
    reason: str


class SolvedShape(View):
    """What somebody said of a run that failed. `how`: elsewhere (put right outside of Millrace) · discarded · skipped
    (an item of a list, a step of which failed); `by`: a name, api, or run (the run around it)."""

    how: str
    by: str
    reason: str
    at: str


class RunFieldShape(View):
    """A field that a run is found by. `kind`: text · number · amount · date; `text` as it was given."""

    name: str
    label: str
    kind: str
    text: str
    currency: str


class RunShape(View):
    """One run."""

    id: UUID
    short_id: str
    workflow: WorkflowName
    version: int
    mode: str
    status: str
    outcome: str | None
    generation: int
    seq: int
    started_by: str
    #: The name of the person who started it; null where nobody did.
    started_by_name: str | None
    business_key: str | None
    event_id: UUID | None
    accepted_at: str
    started_at: str | None
    finished_at: str | None
    duration_ms: int | None
    waiting: WaitingView | None
    error: ErrorView | None
    current_step: StepName | None
    cancel_requested: bool
    paused: bool
    replay_of: UUID | None
    parent: ParentShape | None
    #: Of a run that is done: how many items of its containers are not, as they stand now; 100 for so many or more.
    failed_items: int
    #: And how many runs of other workflows failed that it began without waiting for their end.
    failed_calls: int
    cancelled: CancelledView | None
    #: Of one that failed, where somebody said since that nothing more is to be done.
    solved: SolvedShape | None
    #: What it is found by beside its key, in the order in which its version names it.
    fields: list[RunFieldShape]
    #: Since when the data of its steps is gone, by a rule of the workspace; null: it is there.
    data_removed_at: str | None
    #: The words that people have put on it.
    tags: list[str]


class WaitView(View):
    """What a step waits for."""

    kind: str
    until: str | None


class StepShape(View):
    """One step of a run as the canvas shows it."""

    node: str
    key: str
    generation: int
    status: str
    attempt: int
    ports: list[str]
    note: str | None
    wait: WaitView | None
    error: ErrorView | None
    started_at: str | None
    finished_at: str | None
    duration_ms: int | None
    seq: int
    items: ItemsView | None


class AttemptShape(View):
    """One try at a step; `generation` counts the goes of the run, from 1. `worker`: which one made it; null where that
    is not on record."""

    generation: int
    attempt: int
    status: str
    started_at: str | None
    finished_at: str | None
    duration_ms: int | None
    error: ErrorView | None
    request: Any
    response: Any
    effect_key: str | None
    effect_class: str | None
    worker: str | None


def problem(found: Problem) -> ProblemView:
    """One problem."""
    return ProblemView(
        severity=found.severity,
        code=found.code,
        message=found.message,
        node=found.node,
        edge=found.edge,
        field=found.field,
        params=dict(found.params),
    )


def problems(found: Iterable[Problem]) -> list[ProblemView]:
    """All problems, in their order."""
    return [problem(one) for one in found]


def run(
    view: RunView,
    *,
    workflow_name: str,
    step_name: str | None = None,
    parent_step: str | None = None,
    names: Mapping[UUID, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> RunShape:
    """One run; `step_name` is the name of its current step, `parent_step` that of the one it was begun for, where the
    caller has the graphs at hand; `names` are those of people who paused, cancelled or
    settled it, `labels` of those it asks."""
    parent = view.parent
    current = view.current_node
    return RunShape(
        id=view.id,
        short_id=short(view.id),
        workflow=WorkflowName(id=view.workflow_id, name=workflow_name),
        version=view.version,
        mode=view.mode,
        status=str(view.status),
        outcome=view.outcome,
        generation=view.generation,
        seq=view.seq,
        started_by=view.started_by,
        started_by_name=(names or {}).get(person) if (person := person_in(view.started_by)) is not None else None,
        business_key=view.business_key,
        event_id=view.event_id,
        accepted_at=stamp(view.accepted_at),
        started_at=maybe(view.started_at),
        finished_at=maybe(view.finished_at),
        duration_ms=lasted(view.accepted_at, view.finished_at),
        waiting=waiting(view.waiting, names, labels),
        error=error(view.error),
        current_step=StepName(node=current, name=step_name or current) if current else None,
        cancel_requested=view.cancel_requested,
        paused=view.paused,
        replay_of=view.replay_of,
        parent=None
        if parent is None
        else ParentShape(
            run_id=parent.run_id,
            node_id=parent.node,
            node_name=parent_step or parent.node,
            index=parent.index,
            workflow_id=parent.workflow_id,
            is_item=parent.is_item,
        ),
        failed_items=view.failed_items,
        failed_calls=view.failed_calls,
        cancelled=None
        if view.cancelled is None
        else CancelledView(
            at=stamp(view.cancelled.at), by=who(view.cancelled.by, names or {}) or "", reason=view.cancelled.reason
        ),
        solved=solved(view.solved, names or {}),
        fields=[
            RunFieldShape(name=one.name, label=one.label, kind=one.kind, text=one.text, currency=one.currency)
            for one in view.fields
        ],
        data_removed_at=maybe(view.data_removed_at),
        tags=list(view.tags),
    )


def solved(view: SolvedView | None, names: Mapping[UUID, str]) -> SolvedShape | None:
    """What was said of a run that failed."""
    if view is None:
        return None
    return SolvedShape(how=view.how, by=who(view.by, names) or "", reason=view.reason, at=stamp(view.at))


def short(run_id: UUID) -> str:
    """The end of an id, which differs between runs of the same moment, for people to say."""
    return run_id.hex[-8:]


def step(view: StepView) -> StepShape:
    """One step."""
    wait = view.wait
    return StepShape(
        node=view.node,
        key=view.key,
        generation=view.generation,
        status=str(view.status),
        attempt=view.attempt,
        ports=list(view.ports),
        note=view.note,
        wait=None if wait is None else WaitView(kind=str(wait.get("kind", "")), until=maybe(wait.get("until"))),
        error=error(view.error),
        started_at=maybe(view.started_at),
        finished_at=maybe(view.finished_at),
        duration_ms=lasted(view.started_at, view.finished_at),
        seq=view.seq,
        items=None if view.items is None else ItemsView(**asdict(view.items)),
    )


def attempt(view: AttemptView) -> AttemptShape:
    """One try."""
    return AttemptShape(
        generation=view.generation,
        attempt=view.attempt,
        status=str(view.status),
        started_at=maybe(view.started_at),
        finished_at=maybe(view.finished_at),
        duration_ms=lasted(view.started_at, view.finished_at),
        error=error(view.error),
        request=view.request,
        response=view.response,
        effect_key=view.effect_key,
        effect_class=view.effect_class,
        worker=view.worker or None,
    )


def error(value: Mapping[str, Any] | None) -> ErrorView | None:
    """A StepError as JSON, without what is only for machines."""
    if value is None:
        return None
    return ErrorView(
        code=str(value.get("code", "")),
        title=str(value.get("title", "")),
        message=str(value.get("message", "")),
        detail=value.get("detail"),
        retryable=bool(value.get("retryable", False)),
        http_status=value.get("http_status"),
        kind=str(value.get("kind") or ""),
    )


def person_in(who: str | None) -> UUID | None:
    """The person that a `user:` and an id stand for."""
    kind, _, rest = (who or "").partition(":")
    return UUID(rest) if kind == "user" else None


def waiting(
    value: Mapping[str, Any] | None,
    names: Mapping[UUID, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> WaitingView | None:
    if value is None:
        return None
    return WaitingView(
        kind=str(value.get("kind", "")),
        since=maybe(value.get("since")),
        until=maybe(value.get("until")),
        text=str(value.get("text", "")),
        by=who(value.get("by"), names or {}),
        reason=str(value.get("reason", "")),
        cause=str(value.get("cause", "")),
        failures=int(value.get("failures", 0)),
        runs=int(value.get("runs", 0)),
        paused_item=value.get("paused_item"),
        asking_item=value.get("asking_item"),
        of=str(value.get("of", "items")),
        held_workflow=UUID(value["held_workflow"]) if value.get("held_workflow") else None,
        people=[(labels or {}).get(one, one) for one in value.get("people", ())],
        connection=UUID(value["connection"]) if value.get("connection") else None,
        connection_name=str(value.get("connection_name", "")),
        calls=value.get("calls"),
        period_ms=value.get("period_ms"),
        at_once=value.get("at_once"),
        paused_until=maybe(value.get("paused_until")),
        broken=None if value.get("broken") is None else str(value["broken"]),
        goes_on_at=maybe(value.get("goes_on_at")),
    )


def who(told: str | None, names: Mapping[UUID, str]) -> str | None:
    """A person's name; `api`, `workflow` and `millrace` stand for themselves."""
    person = person_in(told)
    return told if person is None else names.get(person, "")
