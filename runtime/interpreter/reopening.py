"""Ended runs and what going on with them would do: read by whoever plans it, and by whoever does it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from runtime.contracts import JSON, Decision, NotFound, NotRetryable, RetryRefused
from runtime.engine import containers, replay
from runtime.engine.jsonprofile import dumps, normalise
from runtime.engine.needs import engine_needed
from runtime.engine.replay import Fate, Known, PlannedStep
from runtime.engine.state import RunState, RunStatus, StepKey
from runtime.engine.undo import INCOMPLETE
from runtime.interpreter import called_versions
from runtime.interpreter.called_versions import Called
from runtime.interpreter.calls import known_of, ledger, lost_try
from runtime.interpreter.deeds import acted
from runtime.interpreter.expiry import data_removed_at, expired
from runtime.interpreter.generations import kept_row, open_next, refuse_part_of_what_is_over
from runtime.interpreter.keys import request_digest
from runtime.interpreter.payloads import INLINE_CHARACTERS, put_aside
from runtime.interpreter.rows import error_of, ports_text, step_state
from runtime.interpreter.undone_inside import refuse_unknown, undone_inside
from runtime.interpreter.versions import Version, parsed
from runtime.store import reads
from runtime.store.dialect import database_now
from runtime.store.models import Deployment, Replay, Run, StepRun
from runtime.store.queued import queued
from runtime.store.reads import AttemptRow, StepRow
from runtime.store.statements import HELD

__all__ = [
    "RUN",
    "Found",
    "carry_on",
    "choices",
    "found_of",
    "look",
    "never_begun",
    "next_rows",
    "run_row",
    "version_by_id",
    "version_of",
]

RUN: Final = (
    "id", "workspace_id", "workflow_id", "version_id", "trigger_node", "mode", "status", "generation", "seq", "error",
    "finished_at", "event_id", "business_key", "min_engine", "parent_run_id", "parent_node", "detached",
    "values_removed_at",
)  # fmt: skip

_SETTLED_BY_HAND: Final = (
    "The run that this one is a part of was undone or cancelled, and nobody knows what became of something in this one."
    " Look at it there, and settle it by hand: done elsewhere, or discarded. To have it all done, start the run anew."
)


@dataclass(frozen=True, slots=True)
class Found:
    """An ended run, read once."""

    row: dict[str, Any]
    old: Version
    version: Version
    steps: dict[str, StepRow]
    tries: dict[str, list[AttemptRow]]
    state: RunState
    known: dict[str, Known]
    start: tuple[str, ...]
    #: Steps that are done, and some of whose runs were to be undone, and were not: they are done, too.
    own_runs: frozenset[str] = frozenset()
    #: Steps that have begun runs, in this go or in an earlier one that came further.
    with_runs: frozenset[str] = frozenset()
    #: With which versions runs of other workflows are gone on with.
    called: Called = field(default_factory=dict)

    @property
    def generation(self) -> int:
        return int(self.row["generation"])

    @property
    def asks(self) -> bool:
        """Whether somebody has to decide something before it is gone on with, or to say that something may happen
        twice, which nobody further out than the run around it is asked."""
        return any(line.fate in (Fate.ASKS, Fate.REPEATS) for line in self.lines())

    def lines(self, edited: Collection[str] = ()) -> tuple[PlannedStep, ...]:
        return replay.plan(
            self.version.graph,
            self.state,
            self.known,
            start=self.start,
            edited=edited,
            changed=self.redrawn() | self._given_anew(),
            moved=self._moved(),
            own_runs=self.own_runs,
            with_runs=self.with_runs,
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


def look(
    workspace_id: UUID,
    run_id: UUID,
    start: Sequence[str],
    version: int | None,
    *,
    held_to: UUID | None = None,
    called: Called | None = None,
) -> Found:
    """An ended run, with what going on with it comes to; `held_to`: with this version of its workflow, whichever is
    live; `called`: with these of the workflows that it runs, by default with those that are live. Raises NotFound,
    NotRetryable, RetryRefused."""
    row = run_row(workspace_id, run_id)
    old, over, gone = _to_go_on_with(row)
    if held_to is not None:
        chosen = old if held_to == old.id or row["mode"] != "live" else version_by_id(held_to, row)
    else:
        chosen = version_of(row, version) if version not in (None, old.number) else old
    found = found_of(row, old, chosen, reads.load_runs([run_id], with_own_runs=True)[run_id], start)
    if gone is not None and found.asks:
        # That one, retried, would come to this one again, and say that somebody has to decide here first.
        raise NotRetryable(_SETTLED_BY_HAND, code="around_undone")
    if (refused := gone or (None if found.asks else over)) is not None:
        raise refused
    if called is None:
        called = called_versions.live_below(workspace_id, [chosen.graph]) if row["mode"] == "live" else {}
    return replace(found, called=called)


def _to_go_on_with(row: Mapping[str, Any]) -> tuple[Version, NotRetryable | None, NotRetryable | None]:
    """The version of a run that has ended and is not done; why it is not gone on with unless it asks something; and why
    not even then."""
    if row["finished_at"] is None:
        raise NotRetryable("This run is not over yet.", code="still_open")
    if RunStatus(row["status"]) not in replay.REOPENS:
        raise NotRetryable("This run is done: start it anew instead.", code="already_done")
    if (removed_at := data_removed_at(row)) is not None:
        raise NotRetryable(expired(removed_at), code="data_removed")
    refusals: list[NotRetryable | None] = [None, None]
    for asks in (False, True):
        try:
            refuse_part_of_what_is_over(row, asks=asks)
        except NotRetryable as refused:
            refusals[asks] = refused
    if row["status"] == "cancelled":
        _refuse_started_anew(row)
    over, gone = refusals
    return version_of(row), over, gone


def _refuse_started_anew(row: Mapping[str, Any]) -> None:
    """Raise NotRetryable for a run that was cancelled before it did anything, and in whose place another was started,
    or is to be: what started it would have two runs (I33)."""
    if row["event_id"] is None or not never_begun([row["id"]]):
        return
    others = Run.objects.filter(replay_of=row["id"], event_id=row["event_id"]).order_by("id")
    other = others.values_list("id", flat=True).first()
    if other is not None:
        raise NotRetryable(
            f"This run was cancelled before it began, and run {other.hex[-8:]} was started in its place. Go on with"
            " that one.",
            code="started_anew",
        )
    if queued().filter(pk=row["event_id"], run_id=row["id"]).exists():
        raise NotRetryable(
            "This run was cancelled before it began, and its time was asked for again: another run is started in its"
            " place when its turn comes. Wait for that one, or stop those starts and then go on with this run.",
            code="started_anew",
        )


def never_begun(run_ids: Collection[UUID]) -> set[UUID]:
    """Those of these cancelled runs of which no step has done anything."""
    begun = StepRun.objects.filter(run_id__in=run_ids).exclude(status="cancelled")
    return {*run_ids} - {*begun.values_list("run_id", flat=True)}


def found_of(
    row: dict[str, Any], old: Version, chosen: Version, rows: reads.RunRows, start: Sequence[str] = ()
) -> Found:
    """The same from its rows. Raises NotRetryable, RetryRefused."""
    if not chosen.begins_with(row["trigger_node"]):
        raise NotRetryable("This version of the workflow has no such start.", code="no_such_start")
    for node in start:
        if node not in chosen.graph.by_id or chosen.graph.by_id[node].is_trigger:
            raise RetryRefused({node: "It is not possible to go on from this step."})
    generation = row["generation"]
    steps = {found.node_id: found for found in rows.steps if found.generation == generation}
    state = RunState(
        RunStatus(row["status"]),
        generation,
        {StepKey(node, generation): step_state(found) for node, found in steps.items()},
    )
    past = ledger(rows.steps, rows.attempts, before=generation + 1, undoes=old.graph.undoes)
    refuse_unknown(old.graph, rows, generation, past, start)
    partly = undone_inside(row["id"], rows.partly_undone_runs, old.graph)
    tries = past.live()
    known = {node: known_of(theirs) if theirs else Known.UNDONE for node, theirs in tries.items()}
    with_runs = rows.undone_runs | rows.standing_runs
    known |= dict.fromkeys(_called(row["id"], chosen, with_runs), Known.CALLED)
    begins = {
        *start,
        *(node for node, last in past.undone.items() if last == generation and node in chosen.graph.by_id),
    }
    # A step some of whose own runs were undone is not done, whatever became of the others.
    begins |= {node for node in rows.undone_runs | partly if node in chosen.graph.by_id and node in steps}
    own_runs = rows.partly_undone_runs - begins
    found = Found(row, old, chosen, steps, tries, state, known, tuple(sorted(begins)), own_runs, with_runs)
    error = error_of(row["error"])
    # One that was to be undone, and of which everything stands, is done once somebody says that it shall be.
    is_done = error is None or error.code != INCOMPLETE
    if is_done and not any(line.fate is not Fate.KEPT for line in found.lines()):
        raise NotRetryable("Every step of this run is done.", code="nothing_left")
    return found


def _called(run_id: UUID, version: Version, with_runs: Collection[str]) -> list[str]:
    """The steps whose call of another workflow did something outside that stands, or may have."""
    calls = [node for node in version.graph.nodes if containers.is_call(node.type) and node.id in with_runs]
    return [node.id for node in calls if acted(run_id, node.id)]


def carry_on(
    found: Found,
    lines: Sequence[PlannedStep],
    rows: list[StepRun],
    *,
    who: str,
    now: int | None = None,
    attempts: Sequence[tuple[str, int, int, str]] = (),
    edits: Mapping[str, Any] | None = None,
    decisions: Mapping[str, Any] | None = None,
    may: Collection[str] = (),
    **changes: Any,
) -> None:
    """Open the generation that goes on with the run by this plan, within the caller's transaction; `rows`: what it
    begins with, `may`: steps that may do something a second time, `changes`: of the run's row besides. Raises
    NotRetryable, PlanOutdated."""
    now = database_now() if now is None else now
    if found.row["status"] == "cancelled":
        # Once more under its lock, which whoever starts another in its place takes too (`worker.queued`).
        list(Run.objects.select_for_update().filter(pk=found.row["id"]).values_list("pk"))
        _refuse_started_anew(found.row)
    open_next(
        found.row,
        rows,
        now=now,
        who=who,
        solution="retried",
        attempts=attempts,
        status=(RunStatus.RUNNING if rows else RunStatus.ACCEPTED).value,
        version_id=found.version.id,
        min_engine=max(found.row["min_engine"], replay.NEEDS_ENGINE, engine_needed(found.version.graph)),
        error=None,
        **changes,
    )
    Replay.objects.create(
        run_id=found.row["id"],
        generation=found.generation + 1,
        at=now,
        by=who,
        from_status=found.row["status"],
        error=found.row["error"],
        version_before_id=found.row["version_id"],
        version_after_id=found.version.id,
        plan=dumps(
            [
                {"node": line.node, "fate": line.fate.value, "why": None if line.why is None else line.why.value}
                | ({"may": True} if line.node in may else {})
                for line in lines
            ]
        ),
        edits=dumps(edits or {}),
        decisions=dumps(decisions or {}),
        called=called_versions.text(found.called),
    )


def run_row(workspace_id: UUID, run_id: UUID) -> dict[str, Any]:
    """A run by its columns. Raises NotFound."""
    row = Run.objects.filter(workspace_id=workspace_id, pk=run_id).values(*RUN).first()
    if row is None:
        raise NotFound("There is no such run.", code="run_not_found")
    # It may have ended while it was paused.
    return {**row, "min_engine": row["min_engine"] % HELD}


def version_of(row: Mapping[str, Any], number: int | None = None) -> Version:
    """The run's own version, or the live one of its workflow by its number."""
    version_id = row["version_id"]
    if number is not None:
        version_id = next((one for one, known in choices(row) if known == number), None)
        if version_id is None:
            raise NotRetryable("Choose the version that this run had, or the one that is live.", code="no_such_version")
    return version_by_id(version_id, row)


def version_by_id(version_id: UUID, row: Mapping[str, Any]) -> Version:
    """A version as a run of this row sees it."""
    return parsed(version_id).of_run(row["trigger_node"])


def choices(row: Mapping[str, Any]) -> list[tuple[UUID, int]]:
    """Versions to go on with, by id and number, the run's own first."""
    found: list[tuple[UUID, int]] = [(row["version_id"], parsed(row["version_id"]).number)]
    live = Deployment.objects.filter(pk=row["workflow_id"], retired=False).values_list("version_id", "version__number")
    return found + [one for one in live if row["mode"] == "live" and one[0] != row["version_id"]]


def next_rows(
    found: Found,
    lines: Sequence[PlannedStep],
    edits: Mapping[str, JSON],
    decisions: Mapping[str, Decision],
    *,
    anew: Collection[str] = (),
) -> list[StepRun]:
    """The rows that the next generation begins with. `anew`: steps that are not given what they were given before."""
    rows: list[StepRun] = []
    redrawn = found.redrawn().union(anew)
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


def _is_start(found: Found, line: PlannedStep) -> bool:
    return found.version.graph.by_id[line.node].is_trigger


def _begins(
    found: Found, before: StepRow, *, input: str | None, output: str | None = None, ports: str = "[]"
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


def _stored(found: Found, node: str, value: JSON) -> str:
    """The document as a row holds it: by reference where it is large."""
    text = dumps(value)
    if len(text) <= INLINE_CHARACTERS:
        return text
    name = f"{found.version.graph.by_id[node].key}.json"
    return put_aside(text, workspace_id=found.row["workspace_id"], name=name).text()
