"""What crosses the runtime's front door: frozen dataclasses and errors.

`runtime.api` takes and returns only these. Times are int milliseconds since the epoch (UTC), ids are UUIDs,
`JSON` values follow the one JSON profile (`runtime.engine.jsonprofile`).

The functions of `runtime.api` (all synchronous, keyword-only):

    check(graph) -> CheckReport
    publish(workspace_id, workflow_id, graph, by, note) -> VersionView            raises GraphHasProblems
    enable(workspace_id, workflow_id) / disable(workspace_id, workflow_id)
    retire(workspace_id, workflow_id)                                             the workflow was deleted
    deployment(workspace_id, workflow_id) -> DeploymentView | None
    deployments(workspace_id, workflow_ids) -> dict[UUID, DeploymentView]
    versions(workspace_id, workflow_id) -> Page[VersionView]
    version(workspace_id, workflow_id, number) -> VersionView                     raises NotFound
    version_graph(workspace_id, version_id) -> dict
    triggers(workspace_id, workflow_id) -> list[TriggerView]
    start_run(workspace_id, workflow_id, trigger_node, input, by, key) -> StartedRun
                                                              raises NotStartable, InputRefused, KeyReused
    start_test(workspace_id, workflow_id, graph, trigger_node, input, by) -> StartedRun
                                                              raises GraphHasProblems, NotStartable, InputRefused
    runs(workspace_id, filters, after, limit) -> Page[RunView]
    run(workspace_id, run_id) -> RunView                                          raises NotFound
    snapshot(workspace_id, run_id) -> RunSnapshot
    changes(workspace_id, run_id, after) -> RunChanges                            rows whose seq > after
    step(workspace_id, run_id, node_id) -> StepDetail
    because(workspace_id, run_id) -> Because | None                               None: it has ended
    trail(workspace_id, run_id, after, limit) -> Page[TrailEntry] / trail_faults(…) -> list[str]
    times(workspace_id, run_id, begin, end) -> RunTimes: see `runtime.contracts.run_times`
    cards(workspace_id, run_id) -> list[CardSource]                               unmasked: for whoever masks them
    playback(workspace_id, run_id) -> RunPlayback; compare(…), …: see `runtime.contracts.looking_back`
    export(workspace_id, run_id) -> Iterator[bytes]                               one JSON document, in portions
    cancel(workspace_id, run_id, by, undo, reason) -> RunView                     raises AlreadyFinished, NotUndoable
    pause_run(workspace_id, run_id, by, reason) -> RunView / resume_run(…)        raises AlreadyFinished, NotPaused
    hold_workflow(workspace_id, workflow_id, by, reason, open_runs) -> DeploymentView   paused, still accepting
    let_go(workspace_id, workflow_id, by, per_minute, at_once, trial, version) -> DeploymentView  raises NotPaused
    set_breaker(workspace_id, workflow_id, failures, percent, minutes) -> DeploymentView
    undo_plan(workspace_id, run_id) -> UndoPlan
    asked_undo_plan(workspace_id, task_id) -> (UndoPlan, WhyNoUndo | None)
    undo_from_question(workspace_id, task_id, plan, reason, voter) -> TaskView    raises NotUndoable, PlanOutdated, …
    undo(workspace_id, run_id, plan, reason, repeats, by) -> RunView              raises NotUndoable, PlanOutdated, …
    retry_plan(workspace_id, run_id, start, version) -> RetryPlan                 raises NotRetryable, RetryRefused
    retry(workspace_id, run_id, plan, …) -> RunView                               raises those and PlanOutdated
    retries(workspace_id, run_id) -> list[RetryView]
    ask_now(workspace_id, run_id, node, …) -> AskedNow                            another system; raises NotRetryable
    replay_as_new(workspace_id, run_id, version, by) -> RunView                   raises NotRetryable
    dead_letter_groups(workspace_id, workflow_id) -> list[DeadLetterGroup] / dead_letters(workspace_id, cause, …)
    retry_each(workspace_id, run_ids, by) / solve_dead_letters(workspace_id, run_ids, solution, reason, by)
    send_letters(…), sendings(…), end_sending(…), …: see `runtime.contracts.sendings`
    start_bulk_retry(workspace_id, cause | run_ids, …) / go_on_with_bulk(…) / stop_bulk_retry(…) -> BulkRetryView
    editable_letters(workspace_id, cause, …) -> Page[EditableLetter]              start_bulk_retry: raises EditsRefused
    bulk_retry(workspace_id, bulk_id) / bulk_retries(workspace_id) / bulk_retry_items(workspace_id, bulk_id)
    tasks(workspace_id, voter, whose, closed, run_id, around, after, limit) -> Page[TaskView] / task(…) / task_count(…)
    decide(workspace_id, task_id, outcome, voter, …) -> TaskView    raises NotAsked, AlreadyDecided, TaskRefused
    waits(workspace_id, run_id) -> list[WaitView]                                 links and events, the newest first
    resume_link(workspace_id, run_id, node_id) -> str                             raises NotFound, AlreadyDecided
    resume(workspace_id, run_id, node_id, data, voter) -> WaitView                raises NotFound, AlreadyDecided
    run_stands(workspace_id, run_id) -> RunStands / take_up(workspace_id, run_id, by) -> RunView
    try_now(workspace_id, run_id, node_id, attempt, by) -> RunView                raises NotFound, AlreadyDecided, …
    send_event(workspace_id, name, key, data, by, dedupe_key) -> SentEvent        raises KeyReused, EventRefused
    events(workspace_id, filters, after, limit) -> Page[EventView] / event(workspace_id, event_id) -> EventDetail
    files(…), …: see `runtime.contracts.files`; tables(…), table_rows(…), …: see `runtime.contracts.datatables`
    samples(workspace_id, workflow_id) -> dict[node_key, JSON]                    newest output of each step
    preview(template, context) -> PreviewResult
    schedule_preview(workspace_id, config, after, count) -> SchedulePreview
    statistics(workspace_id, workflow_ids, since) -> dict[UUID, WorkflowStatistics]
    system_health() -> list[HealthItem]
    restored() -> Hold | None / held_runs() / hold_restored() / confirm_restored(schedules)    across workspaces
    functions() -> list[dict]                                                     the expression catalogue
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from runtime.contracts.control import BreakerView, CancelView, HeldVersion, HoldView
from runtime.contracts.events import EventDetail, EventFilters, EventView
from runtime.contracts.items import ItemCounts, ItemView, ParentView, SolvedView
from runtime.contracts.people import (
    Absent,
    Addressee,
    Away,
    Fixable,
    PendingView,
    Person,
    SaidView,
    StandIn,
    TaskNote,
    TaskView,
    Voter,
    VoteView,
)
from runtime.contracts.refusals import (
    AlreadyDecided,
    AlreadyFinished,
    EditsRefused,
    EventRefused,
    GraphHasProblems,
    InputRefused,
    KeyReused,
    NotAsked,
    NotFound,
    NotPaused,
    NotRetryable,
    NotStartable,
    NotUndoable,
    PlanOutdated,
    RetryRefused,
    RuntimeRefused,
    StillHeld,
    StoreUnavailable,
    TaskRefused,
)
from runtime.contracts.restores import HeldRun, HeldStep, Hold
from runtime.contracts.retries import (
    BulkRetryItemView,
    BulkRetryView,
    DeadLetterGroup,
    DeadLetterView,
    Decision,
    EditableLetter,
    HeldTo,
    PlannedItem,
    PlannedItems,
    RetryOutcome,
    RetryPlan,
    RetryStep,
    RetryView,
    RunEdit,
)
from runtime.contracts.searching import CappedCount, FieldTerm, RunFieldView, RunFilters, SearchedField, StandingAt
from runtime.contracts.starts import (
    BackfillInstant,
    BackfillPlan,
    BackfillView,
    RepeatFigures,
    RepeatView,
)
from runtime.contracts.trail import Because, TrailEntry, TrailStep
from runtime.contracts.undo import PlannedUndo, UndoDecision, UndoLine, UndoPlan, WhyNoUndo
from runtime.contracts.waits import SentEvent, WaitView
from runtime.engine.check import Problem
from runtime.engine.jsonprofile import JSON, JSONRefused, dumps, loads, normalise
from runtime.engine.state import TERMINAL

__all__ = [
    "JSON",
    "TERMINAL",
    "Absent",
    "Addressee",
    "AlreadyDecided",
    "AlreadyFinished",
    "AttemptView",
    "Away",
    "BackfillInstant",
    "BackfillPlan",
    "BackfillView",
    "Because",
    "BreakerView",
    "BulkRetryItemView",
    "BulkRetryView",
    "CancelView",
    "CappedCount",
    "CheckReport",
    "DeadLetterGroup",
    "DeadLetterView",
    "Decision",
    "DeploymentView",
    "EditableLetter",
    "EditsRefused",
    "EventDetail",
    "EventFilters",
    "EventRefused",
    "EventView",
    "FieldTerm",
    "Fixable",
    "GraphHasProblems",
    "HealthItem",
    "HeldRun",
    "HeldStep",
    "HeldTo",
    "HeldVersion",
    "Hold",
    "HoldView",
    "InputRefused",
    "ItemCounts",
    "ItemView",
    "JSONRefused",
    "KeyReused",
    "NotAsked",
    "NotFound",
    "NotPaused",
    "NotRetryable",
    "NotStartable",
    "NotUndoable",
    "Page",
    "ParentView",
    "PendingView",
    "Person",
    "PlanOutdated",
    "PlannedItem",
    "PlannedItems",
    "PlannedUndo",
    "PreviewResult",
    "Problem",
    "RepeatFigures",
    "RepeatView",
    "RetryOutcome",
    "RetryPlan",
    "RetryRefused",
    "RetryStep",
    "RetryView",
    "RunChanges",
    "RunEdit",
    "RunFieldView",
    "RunFilters",
    "RunSnapshot",
    "RunTouched",
    "RunView",
    "RuntimeRefused",
    "SaidView",
    "SchedulePreview",
    "SearchedField",
    "SentEvent",
    "StandIn",
    "StandingAt",
    "StartedRun",
    "StepDetail",
    "StepView",
    "StillHeld",
    "StoreUnavailable",
    "TaskNote",
    "TaskRefused",
    "TaskView",
    "TrailEntry",
    "TrailStep",
    "TriggerView",
    "UndoDecision",
    "UndoLine",
    "UndoPlan",
    "VersionView",
    "VoteView",
    "Voter",
    "WaitView",
    "WhyNoUndo",
    "WorkflowStatistics",
    "dumps",
    "loads",
    "normalise",
]

T = TypeVar("T")

# --- views ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list. `next_cursor` is opaque text for the next call, None at the end."""

    items: list[T]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the check says of a graph document: problems, each step's sentence, each step's ways out."""

    problems: list[Problem]
    summaries: dict[str, str]
    ports: dict[str, list[dict[str, str]]]

    @property
    def publishable(self) -> bool:
        return not any(problem.severity == "error" for problem in self.problems)


@dataclass(frozen=True, slots=True)
class VersionView:
    """An immutable, checked snapshot of a graph. `number` counts from 1 within a workflow; 0 is a test version."""

    id: UUID
    workflow_id: UUID
    number: int
    note: str
    graph_sha256: str
    created_at: int
    created_by: UUID | None
    live: bool


@dataclass(frozen=True, slots=True)
class DeploymentView:
    """What is live of a workflow, and whether it takes starts."""

    workflow_id: UUID
    enabled: bool
    version: VersionView | None
    #: Paused and still accepting; None where it is not.
    hold: HoldView | None = None
    breaker: BreakerView | None = None


@dataclass(frozen=True, slots=True)
class TriggerView:
    """An armed start. `path` is where webhooks are posted, relative to the public address."""

    id: UUID
    node_id: str
    node_key: str
    type: str
    enabled: bool
    path: str | None
    next_fires: list[int]
    config: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A start that was made durable, or the earlier one it repeats."""

    run_id: UUID
    event_id: UUID
    duplicate: bool


@dataclass(frozen=True, slots=True)
class RunView:
    """One run as lists and headers show it. `waiting` is {kind, since, until, text}; `error` is a StepError as JSON."""

    id: UUID
    workspace_id: UUID
    workflow_id: UUID
    version_id: UUID
    version: int
    mode: str
    status: str
    outcome: str | None
    generation: int
    seq: int
    started_by: str
    business_key: str | None
    event_id: UUID | None
    accepted_at: int
    started_at: int | None
    finished_at: int | None
    waiting: dict[str, Any] | None
    error: dict[str, Any] | None
    current_node: str | None
    cancel_requested: bool
    replay_of: UUID | None = None
    parent: ParentView | None = None
    paused: bool = False
    #: Of a run that is done: how many items of its containers are not, as they stand now; 100 for so many or more.
    failed_items: int = 0
    #: And how many runs of other workflows failed that it began without waiting for their end.
    failed_calls: int = 0
    cancelled: CancelView | None = None
    #: Of one that failed, what somebody said since.
    solved: SolvedView | None = None
    #: What it is found by beside its key, as far as that is known.
    fields: tuple[RunFieldView, ...] = ()
    #: Since when what its steps were given and gave is gone, by a rule of the workspace.
    data_removed_at: int | None = None
    #: What people have put on it, in the order of the alphabet.
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepView:
    """One step's state as the canvas shows it; `seq` is the run's seq when the row last changed."""

    node: str
    key: str
    generation: int
    status: str
    attempt: int
    ports: list[str]
    note: str | None
    wait: dict[str, Any] | None
    error: dict[str, Any] | None
    started_at: int | None
    finished_at: int | None
    seq: int
    #: Of a step that has things done by runs of its own.
    items: ItemCounts | None = None


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One try at a step, numbered from 1. `request` and `response` are redacted summaries."""

    attempt: int
    status: str
    started_at: int | None
    finished_at: int | None
    error: dict[str, Any] | None
    effect_key: str | None
    effect_class: str | None
    request: JSON
    response: JSON
    worker: str | None
    generation: int = 1


@dataclass(frozen=True, slots=True)
class StepDetail:
    """A step with its data: what went in, what came out, and every try."""

    step: StepView
    input: JSON
    output: JSON
    attempts: list[AttemptView]


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """Everything the canvas needs of a run at one `seq`."""

    run: RunView
    graph: dict[str, Any]
    steps: list[StepView]
    seq: int


@dataclass(frozen=True, slots=True)
class RunChanges:
    """The rows of a run that changed after `after`, and the run itself, as of `seq`."""

    run: RunView
    steps: list[StepView]
    after: int
    seq: int


class RunTouched(NamedTuple):
    """News for the live sink: a commit raised this run's seq. Ids and words only, never payloads."""

    run_id: UUID
    workspace_id: UUID
    workflow_id: UUID
    seq: int
    status: str
    new: bool = False


@dataclass(frozen=True, slots=True)
class PreviewResult:
    """An expression evaluated against sample data, or why it cannot be."""

    ok: bool
    value: JSON = None
    text: str = ""
    type: str = ""
    error: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class SchedulePreview:
    """The next fire times (ms) of a schedule's config, the schedule in words, and notes about clock changes."""

    fires: list[int]
    words: str
    notes: list[str]


@dataclass(frozen=True, slots=True)
class WorkflowStatistics:
    """Counts of runs accepted since an instant, and the newest run. `failed`: those that stand so; `undone`: they
    failed and were undone. `all`: also what somebody cancelled or undid."""

    all: int = 0
    done: int = 0
    failed: int = 0
    undone: int = 0
    waiting: int = 0
    running: int = 0
    last_run: RunView | None = None


@dataclass(frozen=True, slots=True)
class HealthItem:
    """One line of the system check: `ok`, what was seen, and how to mend it."""

    id: str
    ok: bool
    title: str
    detail: str
    fix: str = ""


def as_mapping(value: JSON) -> Mapping[str, JSON]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}
