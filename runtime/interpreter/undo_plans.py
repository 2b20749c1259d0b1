"""What undoing an ended run would do, and opening the generation that does it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal
from uuid import UUID

from runtime.contracts import NotUndoable, UndoDecision, UndoLine
from runtime.engine import undo as law
from runtime.engine.containers import has_runs, is_call, waits_for_call
from runtime.engine.graph import Graph
from runtime.engine.jsonprofile import dumps
from runtime.engine.replay import SAID_NOT_DONE, Known
from runtime.engine.state import DECIDED, RunStatus, StepError, StepKey, StepState, StepStatus
from runtime.interpreter.calls import UNKNOWN, Call, Ledger, known_of, ledger, unsettled
from runtime.interpreter.deeds import left_standing
from runtime.interpreter.expiry import data_removed_at, expired
from runtime.interpreter.generations import decided, kept_row, note_decision, open_next
from runtime.interpreter.past import is_done, kept_in, owed, own_call, row_of, standing, twice
from runtime.interpreter.reopening import run_row, version_of
from runtime.interpreter.rows import error_of, error_text, ports_text, step_state
from runtime.interpreter.versions import Version
from runtime.store import reads
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Attempt, Replay, StepRun
from runtime.store.reads import AttemptRow, StepRow

__all__ = ["Fate", "Found", "carry_out", "found_of", "look"]

#: What becomes of a run that another has begun, when that other is undone.
Fate = Literal["undo", "nothing", "stays", "asks", "open"]

#: What is carried out.
_CARRIED_OUT: Final = ("undo", "again")


def carry_out(
    found: Found,
    *,
    who: str,
    reason: str,
    point: str,
    by: str | None = None,
    decisions: Mapping[str, UndoDecision] | None = None,
) -> None:
    """Open the generation that undoes the run by this plan; `by`: what its record says of who did; `decisions`: what
    somebody says, by their node ids, of undo steps that had no answer. Raises PlanOutdated."""
    error, decisions = found.cause(), decisions or {}
    with commit(point):
        now = database_now()
        lost = {node: unsettled(found.undos(node)) for node in decisions}
        open_next(
            found.row,
            [
                *(kept_row(found.row, row) for row in found.kept() if row.node_id not in decisions),
                *(_decided(found, node, said, now) for node, said in decisions.items()),
            ],
            attempts=[
                (one.node_id, one.generation, one.attempt, decided(decisions[node] == "undone", is_undo=True))
                for node, tries in lost.items()
                for one in tries
            ],
            now=now,
            who=who,
            solution="undone",
            status=RunStatus.COMPENSATING.value,
            min_engine=max(found.row["min_engine"], law.NEEDS_ENGINE),
            error=error_text(error),
        )
        Replay.objects.create(
            run_id=found.row["id"],
            generation=found.generation + 1,
            at=now,
            by=by or who,
            kind="undo",
            reason=reason[:400],
            from_status=found.row["status"],
            error=found.row["error"],
            version_before_id=found.row["version_id"],
            version_after_id=found.row["version_id"],
            plan=dumps([{"node": line.node, "fate": line.fate, "why": line.why} for line in found.lines]),
            decisions=dumps({**decisions}),
        )
        for node, tries in lost.items():
            _note(found, node, tries, decisions[node], who=who, now=now)


def _decided(found: Found, node: str, said: UndoDecision, now: int) -> StepRun:
    """The row of an undo step of which somebody said how it ended: it is not carried out any more."""
    row = kept_row(found.row, found.last_of(node))
    row.commit_seq = 1 + max((one.commit_seq or 0 for one in found.steps.values()), default=0)
    if said == "undone":
        row.status, row.error, row.finished_at = StepStatus.SUCCEEDED.value, None, now
        row.ports = ports_text(law.ports_of(found.graph.undoes[node]))
    else:
        row.error = error_text(_said_not_done(found, node))
    return row


def _said_not_done(found: Found, node: str) -> StepError:
    action = found.graph.by_id[found.graph.undoes[node]].name
    return StepError(
        code=SAID_NOT_DONE,
        title="Not undone",
        message=f"Somebody looked and said that “{action}” is still done.",
        kind="config",
        node=node,
    )


def _note(found: Found, node: str, tries: Sequence[AttemptRow], said: UndoDecision, *, who: str, now: int) -> None:
    """Put what somebody said beside the tries that it is about (I12)."""
    for one in tries:
        (attempt,) = Attempt.objects.filter(
            run_id=found.row["id"], node_id=node, generation=one.generation, attempt=one.attempt
        )
        note_decision(attempt, happened=said == "undone", who=who, now=now, is_undo=True)


@dataclass(frozen=True, slots=True)
class Found:
    """A run, read once."""

    row: dict[str, Any]
    version: Version
    graph: Graph
    steps: dict[str, StepRow]
    states: dict[StepKey, StepState]
    rows: reads.RunRows
    past: Ledger
    #: What earlier generations did that nothing undid, by node id, with its name.
    earlier: Mapping[str, str]
    lines: list[UndoLine]

    @property
    def generation(self) -> int:
        return int(self.row["generation"])

    def id(self, items: str) -> str:
        """The plan's name; `items`: a digest of what becomes of the runs that its steps have begun."""
        lines = [[line.node, line.fate, line.why, line.undo_node] for line in self.lines]
        named = [str(self.row["id"]), self.row["generation"], self.row["seq"], "undo"]
        return hashlib.sha256(dumps([*named, lines, items]).encode()).hexdigest()[:32]

    @property
    def fate(self) -> Fate:
        """What becomes of it when the run around it is undone."""
        problem = self.problem
        if problem is not None and problem.code == "still_open":
            return "open"
        if problem is not None and problem.code == "data_removed":
            return "stays"
        if problem is not None:
            return "stays" if any(line.fate == "stays" for line in self.lines) else "nothing"
        doubtful = any(line.fate == "again" and line.why == Known.IN_DOUBT for line in self.lines)
        return "asks" if doubtful else "undo"

    @property
    def left(self) -> list[str]:
        """Names of the steps that nothing undoes."""
        return [line.name for line in self.lines if line.fate == "stays"]

    @property
    def problem(self) -> NotUndoable | None:
        """Why it cannot be undone, if so."""
        if self.row["finished_at"] is None:
            return NotUndoable("This run is not over yet: cancel it with undo instead.", code="still_open")
        if (removed_at := data_removed_at(self.row)) is not None:
            return NotUndoable(expired(removed_at), code="data_removed")
        if not any(line.fate in _CARRIED_OUT for line in self.lines):
            return NotUndoable("Nothing of this run is left that an undo step could undo.", code="nothing_to_undo")
        return None

    def call(self, action: str) -> Call | None:
        """The call that undoing this action is about."""
        row = self.steps.get(action)
        return None if row is None else own_call(self.rows, self.past, row)

    def undos(self, by: str) -> list[AttemptRow]:
        """The tries of this undo step at that."""
        call = self.call(self.graph.undoes[by])
        return self.past.tries.get(by, []) if call is None else call.undos

    def last_of(self, by: str) -> StepRow:
        """The row of this undo step as it was tried last."""
        rows = (row for row in self.rows.steps if row.node_id == by and row.generation <= self.generation)
        return max(rows, key=lambda row: row.generation)

    def unknown(self) -> set[str]:
        """The undo steps of which nobody knows whether they undid what they were to undo."""
        return {
            line.undo_node for line in self.lines if line.undo_node and line.fate == "again" and line.why in UNKNOWN
        }

    def cause(self) -> StepError | None:
        """What the run failed of, whatever came of undoing it since: undo steps may read it."""
        error = error_of(self.row["error"])
        if error is None or error.code != law.INCOMPLETE:
            return error
        graph = self.graph
        failed = [
            replace(step.error, node=key.node)
            for key, step in self.states.items()
            if step.status is StepStatus.FAILED
            and step.error is not None
            and not step.ports
            and key.node not in graph.undoes
        ]
        return failed[0] if failed else None

    def kept(self) -> list[StepRow]:
        """The rows that the next generation begins with: all but the undo steps that did not end well."""
        return [row for row in self.steps.values() if row.node_id not in self.graph.undoes or row.status == "succeeded"]


def look(workspace_id: UUID, run_id: UUID) -> Found:
    """A run, with what undoing it comes to. Raises NotFound."""
    row = run_row(workspace_id, run_id)
    return found_of(row, reads.load_runs([run_id], with_own_runs=True)[run_id])


def found_of(row: dict[str, Any], rows: reads.RunRows) -> Found:
    """The same from its rows."""
    version = version_of(row).knowing_writes()
    generation = row["generation"]
    steps = {found.node_id: found for found in rows.steps if found.generation == generation}
    graph = version.graph
    if not graph.undone_by:
        # Where nothing of it can be undone, what its own runs did has to be named nevertheless.
        begun = [node.id for node in graph.nodes if has_runs(node.type) and node.id in steps]
        acting = {node for node in begun if left_standing(row["id"], node)}
        graph = replace(graph, writes=graph.writes | acting) if acting else graph
    past = ledger(rows.steps, rows.attempts, before=generation + 1, undoes=graph.undoes)
    before = ledger(rows.steps, rows.attempts, before=generation, undoes=graph.undoes)
    ahead = owed(graph, rows, generation, before)
    graph = replace(graph, owed=ahead, owed_twice=twice(before, ahead))
    if row["finished_at"] is None:
        made = [one for one in rows.attempts if one.generation == generation]
        stands, _ = standing(graph, rows, before, steps, kept=kept_in(rows, generation), made=made)
    else:
        steps = _as_done(graph, rows, past, steps, generation)
        stands, _ = standing(graph, rows, past, steps, kept={node for node, one in steps.items() if is_done(one)})
    states = {StepKey(node, generation): step_state(one) for node, one in steps.items()}
    earlier = {
        node: name
        for node, name in stands.items()
        if node in graph.owed_twice or not law.is_ahead(graph, node, states.get(StepKey(node, generation)))
    }
    found = Found(row, version, graph, steps, states, rows, past, earlier, [])
    found.lines.extend(_lines(found))
    return found


def _as_done(
    graph: Graph, rows: reads.RunRows, past: Ledger, steps: dict[str, StepRow], generation: int
) -> dict[str, StepRow]:
    """The rows from which an undo begins: of each action that can be undone the row of the last call that stands,
    whichever generation made it; and of a step that has begun runs, and that this one did not come to, its last."""
    found = dict(steps)
    for action, by in graph.undone_by.items():
        if has_runs(graph.by_id[action].type) and action in rows.standing_runs and action not in steps:
            last = max((row for row in rows.steps if row.node_id == action), key=lambda row: row.generation)
            found[action] = last
            found.pop(by, None)
            continue
        standing = past.standing(action)
        here = steps.get(action)
        if not standing or (here is not None and is_done(here) and own_call(rows, past, here) is standing[-1]):
            continue
        row = row_of(rows, past, action, standing[-1], before=generation + 1)
        if row is not None:
            found[action] = row
            found.pop(by, None)
    if found == steps:
        return steps
    # By the clock, for each generation counts its commits by itself.
    ended = [row for row in found.values() if row.commit_seq is not None]
    ended.sort(key=lambda row: (row.finished_at or 0, row.commit_seq or 0))
    return found | {row.node_id: replace(row, commit_seq=seq) for seq, row in enumerate(ended, 1)}


def _lines(found: Found) -> list[UndoLine]:
    graph, states, generation = found.graph, found.states, found.generation
    under_way = [
        node
        for node in reversed(graph.order)
        if (step := states.get(StepKey(node, generation))) is not None
        and step.status not in DECIDED
        and (law.is_ahead(graph, node, step) or (step.first_started_at is not None and not _did_nothing(step)))
        and (node in graph.undone_by or node in graph.writes)
        and node not in graph.undoes
    ]
    lines = [_line(found, node) for node in (*under_way, *law.done(graph, states, generation))]
    said = [
        node
        for node in graph.order
        if graph.by_id[node].settings.nothing_to_undo
        and node not in graph.undone_by
        and (step := states.get(StepKey(node, generation))) is not None
        and law.may_have_happened(step)
    ]
    earlier = [
        UndoLine(node, node, name, "", "stays", "earlier_go", None, None) for node, name in found.earlier.items()
    ]
    apart = [node for node in graph.order if _goes_its_own_way(found, node)]
    return (
        lines
        + earlier
        + [_line(found, node, fate="apart") for node in apart]
        + [_line(found, node, fate="nothing") for node in said]
    )


def _did_nothing(step: StepState) -> bool:
    """Whether a step that waits would be over at once if the run were undone now, with nothing done: its last failure
    says so, as where it was refused and a person is asked, or it is tried again later."""
    waits = step.status in (StepStatus.READY, StepStatus.RETRYING, StepStatus.WAITING) and step.wait_kind != "children"
    return waits and step.error is not None and not step.error.may_have_happened


def _goes_its_own_way(found: Found, node: str) -> bool:
    """Whether this step has begun a run of another workflow whose end nobody waited for."""
    graph, step = found.graph, found.states.get(StepKey(node, found.generation))
    drawn = graph.by_id[node]
    return (
        is_call(drawn.type)
        and not waits_for_call(drawn.type, drawn.config)
        and step is not None
        and step.status is StepStatus.SUCCEEDED
    )


def _line(found: Found, node: str, fate: str | None = None) -> UndoLine:
    graph = found.graph
    by, why = graph.undone_by.get(node), None
    step = None if by is None else found.states.get(StepKey(by, found.generation))
    if fate is not None:
        pass
    elif by is None:
        fate, why = "stays", "no_undo_step"
    elif step is not None and step.status is StepStatus.SUCCEEDED:
        fate = "undone"
    elif graph.by_id[by].settings.disabled:
        fate, why = "stays", "switched_off"
    elif step is not None or known_of(found.undos(by)) in UNKNOWN:
        # What a step did by runs of its own, each of these knows of itself.
        of_runs = has_runs(graph.by_id[by].type)
        fate, why = "again", (Known.HAPPENED if of_runs else known_of(found.undos(by))).value
    else:
        fate = "undo"
    return UndoLine(
        node=node,
        key=graph.by_id[node].key,
        name=graph.by_id[node].name,
        type=graph.by_id[node].type,
        fate=fate,
        why=why,
        undo_node=by,
        undo_name=None if by is None else graph.by_id[by].name,
        done_at=None if by is None or (call := found.call(node)) is None else call.tries[-1].started_at,
    )
