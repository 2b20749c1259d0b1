"""Going on with a run that ended without being done: a plan first, then exactly that plan (I22).

`retry_plan` and `retry` read the same rows through the same function of the engine; a retry names the plan that it was
shown, and is refused where the run is no longer as it was then. So two people at once open one generation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from runtime import queue
from runtime.api.generations import kept_row, note_decision, open_next
from runtime.api.rows import document
from runtime.api.runs import run as one_run
from runtime.contracts import (
    JSON,
    Decision,
    NotFound,
    NotRetryable,
    PlanOutdated,
    RetryPlan,
    RetryRefused,
    RetryStep,
    RetryView,
    RunView,
)
from runtime.engine import replay
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import JSONRefused, dumps, loads_stored, normalise
from runtime.engine.needs import engine_needed
from runtime.engine.replay import Fate, Known, PlannedStep
from runtime.engine.state import RunState, RunStatus, StepKey
from runtime.interpreter.keys import request_digest
from runtime.interpreter.loading import known_of, lost_try, since_undone, tries_of, undone_in
from runtime.interpreter.payloads import INLINE_CHARACTERS, put_aside
from runtime.interpreter.rows import ports_text, step_state
from runtime.interpreter.versions import Unsupported, Version
from runtime.sdk import StepFailure
from runtime.store import reads
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Attempt, Deployment, Replay, Run, StepRun
from runtime.store.models import Version as VersionRow
from runtime.store.reads import AttemptRow, StepRow

_RUN: Final = (
    "id", "workspace_id", "workflow_id", "version_id", "trigger_node", "mode", "status", "generation", "seq", "error",
    "finished_at", "event_id", "business_key", "min_engine",
)  # fmt: skip


def retry_plan(*, workspace_id: UUID, run_id: UUID, start: Sequence[str] = (), version: int | None = None) -> RetryPlan:
    """What a retry would keep, do again, repeat outside, and ask first. `start`: node ids to go on from, besides what
    did not end well; `version`: a number of `versions`, by default the run's own.

    Raises NotFound, NotRetryable, RetryRefused (a step that is not there), DataDamaged.
    """
    return _view(_look(workspace_id, run_id, start, version))


def retry(
    *,
    workspace_id: UUID,
    run_id: UUID,
    plan: str,
    start: Sequence[str] = (),
    version: int | None = None,
    edits: Mapping[str, JSON] | None = None,
    decisions: Mapping[str, Decision] | None = None,
    repeats: Collection[str] = (),
    by: UUID | None = None,
) -> RunView:
    """Open the run's next generation by the plan with this id.

    `edits`: other settings, by node id, for steps that the plan begins with. `decisions`: what a person says of each
    step that asks. `repeats`: the steps that may do once more what they did outside. Raises NotFound, NotRetryable,
    PlanOutdated, RetryRefused.
    """
    edits, decisions = dict(edits or {}), dict(decisions or {})
    found = _look(workspace_id, run_id, start, version)
    if _id_of(found) != plan:
        raise PlanOutdated("The run has changed since this plan was made. Look at the new plan.")
    lines = found.lines(edited=edits)
    _refuse(found, lines, edits, decisions, set(repeats))
    rows = _rows(found, lines, edits, decisions)
    who = "api" if by is None else f"user:{by}"
    with commit("run.replay"):
        now = database_now()
        open_next(
            found.row,
            now=now,
            who=who,
            solution="retried",
            status=(RunStatus.RUNNING if rows else RunStatus.ACCEPTED).value,
            version_id=found.version.id,
            min_engine=max(found.row["min_engine"], replay.NEEDS_ENGINE, engine_needed(found.version.graph)),
            error=None,
        )
        StepRun.objects.bulk_create(rows)
        _note_decisions(found, decisions, who, now)
        Replay.objects.create(
            run_id=run_id,
            generation=found.generation + 1,
            at=now,
            by=who,
            from_status=found.row["status"],
            error=found.row["error"],
            version_before_id=found.row["version_id"],
            version_after_id=found.version.id,
            plan=dumps([{"node": line.node, "fate": line.fate.value, "why": _why(line)} for line in lines]),
            edits=dumps({node: {"before": found.input_of(node), "after": after} for node, after in edits.items()}),
            decisions=dumps(
                {node: {"happened": one.happened, "output": one.output} for node, one in decisions.items()}
            ),
        )
    queue.ring([run_id])
    return one_run(workspace_id=workspace_id, run_id=run_id)


def retries(*, workspace_id: UUID, run_id: UUID) -> list[RetryView]:
    """The retries of a run, the oldest first. Raises NotFound."""
    one_run(workspace_id=workspace_id, run_id=run_id)
    columns = (
        "generation", "at", "by", "version_before__number", "version_after__number", "plan", "edits", "decisions",
        "kind", "reason",
    )  # fmt: skip
    return [
        RetryView(*row[:5], *(loads_stored(text) for text in row[5:8]), *row[8:])
        for row in Replay.objects.filter(run_id=run_id).order_by("generation").values_list(*columns)
    ]


def replay_as_new(*, workspace_id: UUID, run_id: UUID, version: int | None = None, by: UUID | None = None) -> RunView:
    """Start another run from the same event: everything is done anew, under keys of its own.

    Raises NotFound, NotRetryable (no event, or the version has no such start).
    """
    row = run_row(workspace_id, run_id)
    chosen = version_of(row, version)
    if row["finished_at"] is None:
        raise NotRetryable("This run is not over yet.", code="still_open")
    if row["event_id"] is None:
        raise NotRetryable("This run was not started by an event.", code="no_event")
    if row["trigger_node"] not in chosen.graph.by_id:
        raise NotRetryable("This version of the workflow has no such start.", code="no_such_start")
    new_id = uuid7()
    with commit("run.replay"):
        now = database_now()
        Run.objects.create(
            id=new_id,
            workspace_id=workspace_id,
            workflow_id=row["workflow_id"],
            version_id=chosen.id,
            event_id=row["event_id"],
            trigger_node=row["trigger_node"],
            mode=row["mode"],
            started_by="api" if by is None else f"user:{by}",
            status=RunStatus.ACCEPTED.value,
            replay_of=run_id,
            min_engine=max(row["min_engine"], engine_needed(chosen.graph)),
            accepted_at=now,
            wake_at=now,
        )
    queue.ring([new_id])
    return one_run(workspace_id=workspace_id, run_id=new_id)


# --- what is known ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    """An ended run, read once."""

    row: dict[str, Any]
    old: Version
    version: Version
    steps: dict[str, StepRow]
    tries: dict[str, list[AttemptRow]]
    state: RunState
    known: dict[str, Known]
    start: tuple[str, ...]

    @property
    def generation(self) -> int:
        return int(self.row["generation"])

    def lines(self, edited: Collection[str] = ()) -> tuple[PlannedStep, ...]:
        return replay.plan(
            self.version.graph,
            self.state,
            self.known,
            start=self.start,
            edited=edited,
            changed=self.redrawn() | self._given_anew(),
            moved=self._moved(),
        )

    def _moved(self) -> set[str]:
        """Steps that the chosen version comes to in another way."""
        if self.old is self.version:
            return set()
        return {node for node in self.version.graph.by_id if replay.is_moved(self.old.graph, self.version.graph, node)}

    def _given_anew(self) -> set[str]:
        """Steps whose lost call was not the one that they were last given."""
        found = set()
        for node, tries in self.tries.items():
            row, lost = self.steps.get(node), lost_try(tries)
            if lost is not None and (
                row is None or row.input is None or request_digest(row.input) != lost.request_digest
            ):
                found.add(node)
        return found

    def redrawn(self) -> set[str]:
        """Steps that the chosen version has set up otherwise."""
        if self.old is self.version:
            return set()
        old, new = self.old.graph.by_id, self.version.graph.by_id
        return {node for node in old if node in new and old[node].config != new[node].config}

    def input_of(self, node: str) -> JSON:
        row = self.steps.get(node)
        found: JSON = None if row is None else document(row.input)
        return found


def _look(workspace_id: UUID, run_id: UUID, start: Sequence[str], version: int | None) -> _Found:
    row = run_row(workspace_id, run_id)
    if row["finished_at"] is None:
        raise NotRetryable("This run is not over yet.", code="still_open")
    if RunStatus(row["status"]) not in replay.REOPENS:
        raise NotRetryable("This run is done: start it anew instead.", code="already_done")
    old = version_of(row)
    chosen = version_of(row, version) if version not in (None, old.number) else old
    if row["trigger_node"] not in chosen.graph.by_id:
        raise NotRetryable("This version of the workflow has no such start.", code="no_such_start")
    for node in start:
        if node not in chosen.graph.by_id or chosen.graph.by_id[node].is_trigger:
            raise RetryRefused({node: "It is not possible to go on from this step."})
    rows = reads.load_runs([run_id])[run_id]
    generation = row["generation"]
    steps = {found.node_id: found for found in rows.steps if found.generation == generation}
    state = RunState(
        RunStatus(row["status"]),
        generation,
        {StepKey(node, generation): step_state(found) for node, found in steps.items()},
    )
    undone = undone_in(rows.steps, before=generation + 1)
    ever = tries_of(rows.attempts, before=generation + 1)
    tries = since_undone(ever, undone)
    known = {node: known_of(theirs) if theirs else Known.UNDONE for node, theirs in tries.items()}
    begins = {*start, *(node for node, last in undone.items() if last == generation and node in chosen.graph.by_id)}
    found = _Found(row, old, chosen, steps, tries, state, known, tuple(sorted(begins)))
    if not any(line.fate in (Fate.AGAIN, Fate.REPEATS, Fate.ASKS, Fate.NEXT) for line in found.lines()):
        raise NotRetryable("Every step of this run is done.", code="nothing_left")
    return found


def run_row(workspace_id: UUID, run_id: UUID) -> dict[str, Any]:
    """A run by its columns. Raises NotFound."""
    row = Run.objects.filter(workspace_id=workspace_id, pk=run_id).values(*_RUN).first()
    if row is None:
        raise NotFound("There is no such run.", code="run_not_found")
    return dict(row)


def version_of(row: Mapping[str, Any], number: int | None = None) -> Version:
    """The run's own version, or the live one of its workflow by its number."""
    version_id = row["version_id"]
    if number is not None:
        version_id = next((one for one, known in _choices(row) if known == number), None)
        if version_id is None:
            raise NotRetryable("Choose the version that this run had, or the one that is live.", code="no_such_version")
    stored = VersionRow.objects.filter(pk=version_id).values_list("number", "graph").get()
    return Version(version_id, *stored)


def _choices(row: Mapping[str, Any]) -> list[tuple[UUID, int]]:
    """Versions to go on with, by id and number, the run's own first."""
    own = VersionRow.objects.values_list("number", flat=True).get(pk=row["version_id"])
    found: list[tuple[UUID, int]] = [(row["version_id"], own)]
    live = Deployment.objects.filter(pk=row["workflow_id"], retired=False).values_list("version_id", "version__number")
    return found + [one for one in live if row["mode"] == "live" and one[0] != row["version_id"]]


def _id_of(found: _Found) -> str:
    lines = [[line.node, line.fate.value, _why(line), line.first] for line in found.lines()]
    named = [str(found.row["id"]), found.row["generation"], found.row["seq"], str(found.version.id), *found.start]
    return hashlib.sha256(dumps([*named, lines]).encode()).hexdigest()[:32]


def _why(line: PlannedStep) -> str | None:
    return None if line.why is None else line.why.value


def _view(found: _Found) -> RetryPlan:
    graph, lines = found.version.graph, found.lines()
    return RetryPlan(
        id=_id_of(found),
        run_id=found.row["id"],
        generation=found.generation,
        version=found.version.number,
        versions=[number for _, number in _choices(found.row)],
        steps=[
            RetryStep(
                node=line.node,
                key=graph.by_id[line.node].key,
                name=graph.by_id[line.node].name,
                type=graph.by_id[line.node].type,
                fate=line.fate.value,
                why=_why(line),
                first=line.first,
                input=found.input_of(line.node) if line.first else None,
            )
            for line in lines
        ],
        incompatible=[graph.by_id[node].key for node in _incompatible(found, lines)],
    )


def _incompatible(found: _Found, lines: Sequence[PlannedStep]) -> tuple[str, ...]:
    if found.old is found.version:
        return ()
    return replay.incompatible(
        found.old.graph, found.version.graph, (line.node for line in lines if line.fate is Fate.KEPT)
    )


# --- what is done -------------------------------------------------------------------------------------------------


def _refuse(
    found: _Found,
    lines: Sequence[PlannedStep],
    edits: Mapping[str, JSON],
    decisions: Mapping[str, Decision],
    repeats: Collection[str],
) -> None:
    """Raise RetryRefused with a sentence for each step that stands in the way."""
    refused: dict[str, str] = {}
    for node in _incompatible(found, lines):
        refused[node] = (
            f"Version {found.version.number} comes to this step another way, so what it did does not fit in."
        )
    # By the plan as it was shown: an edit must not make the run go on from elsewhere.
    begins = {line.node for line in found.lines() if line.first}
    for node in (*edits, *decisions):
        if node not in begins:
            refused[node] = "Only a step that the run goes on with can be changed."
    for node, after in edits.items():
        if node not in refused and (problem := _problem(found, node, after)) is not None:
            refused[node] = problem
    for line in lines:
        if line.fate is Fate.ASKS and line.node not in decisions:
            refused.setdefault(line.node, "Say whether this happened, or whether it is to be sent again.")
        elif line.fate is Fate.REPEATS and line.node not in repeats:
            refused.setdefault(line.node, "This would happen a second time. Say that it may.")
        elif line.node in decisions and line.fate is not Fate.ASKS:
            refused.setdefault(line.node, "What became of this step is known.")
    if refused:
        raise RetryRefused(refused)


def _problem(found: _Found, node: str, after: JSON) -> str | None:
    """Why a step cannot have these settings."""
    if not isinstance(after, dict):
        return "The settings of a step are an object."
    try:
        normalise(after)
        step = found.version.step(node)
        if step.prepared is not None:
            step.prepared.validate(after)
            if step.type.effect_of(after) is not step.effect:
                return "This would make another sort of step of it. Change the workflow, and retry with that version."
    except StepFailure as failure:
        return failure.message
    except JSONRefused as error:
        return error.message
    except Unsupported:
        return "This Millrace does not know the step's type."
    return None


def _rows(
    found: _Found, lines: Sequence[PlannedStep], edits: Mapping[str, JSON], decisions: Mapping[str, Decision]
) -> list[StepRun]:
    """The rows that the next generation begins with."""
    rows: list[StepRun] = []
    redrawn = found.redrawn()
    for line in lines:
        before = found.steps.get(line.node)
        if before is None:
            continue
        if line.fate is Fate.KEPT:
            rows.append(kept_row(found.row, before))
            continue
        decision = decisions.get(line.node)
        if decision is not None and decision.happened:
            port = found.version.graph.by_id[line.node].default_port
            output = _stored(found, line.node, normalise(decision.output))
            rows.append(_begins(found, before, input=before.input, output=output, ports=ports_text((port,))))
        elif line.node in edits:
            rows.append(_begins(found, before, input=_stored(found, line.node, normalise(edits[line.node]))))
        elif line.first and before.input is not None and line.node not in redrawn and not _is_start(found, line):
            # What the plan shows is what is done; and the same bytes make the same key safe (I11).
            rows.append(_begins(found, before, input=before.input))
    return rows


def _is_start(found: _Found, line: PlannedStep) -> bool:
    return found.version.graph.by_id[line.node].is_trigger


def _begins(
    found: _Found, before: StepRow, *, input: str | None, output: str | None = None, ports: str = "[]"
) -> StepRun:
    """A step that is ready, with what it is given; with an output, what a person says that it gave."""
    return StepRun(
        run_id=found.row["id"],
        generation=found.generation + 1,
        seq=found.row["seq"] + 1,
        node_id=before.node_id,
        node_key=before.node_key,
        status="ready",
        attempt=1,
        ports=ports,
        input=input,
        output=output,
    )


def _stored(found: _Found, node: str, value: JSON) -> str:
    """The document as a row holds it: by reference where it is large."""
    text = dumps(value)
    if len(text) <= INLINE_CHARACTERS:
        return text
    name = f"{found.version.graph.by_id[node].key}.json"
    return put_aside(text, workspace_id=found.row["workspace_id"], name=name).text()


def _note_decisions(found: _Found, decisions: Mapping[str, Decision], who: str, now: int) -> None:
    for node, decision in decisions.items():
        lost = lost_try(found.tries[node])
        if lost is not None:
            tries = Attempt.objects.filter(run_id=found.row["id"], node_id=node, generation=lost.generation)
            for attempt in tries.filter(attempt=lost.attempt):
                note_decision(attempt, happened=decision.happened, who=who, now=now)
