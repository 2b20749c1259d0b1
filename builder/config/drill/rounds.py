"""One round of a drill for each step boundary: kill the worker there, start the next one, look what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db import connections

from builder.config.drill import database
from builder.config.drill.advice import by_name, doubted, not_undone, repeated
from builder.config.drill.crowd import Crowd
from builder.config.drill.moving import ROUND_SECONDS, WORKSPACE, at_rest, family
from builder.config.drill.recorder import Recorder, Stand, duplicates, read, watch_steps
from builder.config.drill.tables import lay
from runtime import api, ports
from runtime.contracts import GraphHasProblems, RunView
from runtime.store import failpoints
from runtime.store.models import Run, StepRun, Trigger
from runtime.worker.boot import Runtime

__all__ = ["carry_out"]

#: Where the plug is pulled: behind each commit of a step, and between what it did outside and the result of that.
POINTS: Final = (
    "run.begin:after", "step.intent:after", "step.effect:after", "step.result:after", "step.retry_scheduled:after",
    "timer.create:after", "human.create:after", "wait.begin:after", "child.start:after",
)  # fmt: skip
#: By which of its points a commit is called: by what it begins, else by what it ends.
_CALLED_BY: Final = (
    "step.intent:after", "step.retry_scheduled:after", "timer.create:after", "human.create:after", "wait.begin:after",
    "child.start:after", "step.result:after", "run.begin:after",
)  # fmt: skip
_EFFECT: Final = "step.effect:after"
#: A workflow with more boundaries is drilled at so many of them, chosen at random.
MOST_ROUNDS: Final = 60
WORKFLOW: Final = UUID(int=2)
#: A run that ended otherwise has left out something.
_WELL: Final = "completed"
#: So many workers may follow the one whose plug was pulled.
_LIVES: Final = 2
_ROUND_LOST: Final = 70


@dataclass(frozen=True, slots=True)
class Plan:
    """What is drilled. `answers`: what the steps' calls get, by step key; `keys_count`: see `recorder.duplicates`;
    `called`: what is live of the workflows that it may call, by workflow; `tables`: copies of the data tables that
    any of them names."""

    graph: dict[str, Any]
    trigger: str | None
    input: Any
    answers: dict[str, Any]
    keys_count: bool
    called: dict[str, dict[str, Any]] = field(default_factory=dict)
    tables: list[dict[str, Any]] = field(default_factory=list)

    def keyed(self, key: str) -> dict[str, Any] | None:
        """The step of this key, of this workflow or else of a called one."""
        graphs = (self.graph, *self.called.values())
        return next((one for graph in graphs for one in graph["nodes"] if one["key"] == key), None)

    def step(self, workflow_id: UUID, node: str) -> dict[str, Any] | None:
        """A step of this or of a called workflow; None where it is none of theirs."""
        graph = self.called.get(str(workflow_id), self.graph)
        return next((one for one in graph["nodes"] if one["id"] == node), None)

    def name_of(self, workflow_id: UUID, node: str) -> str | None:
        """What a step of this or of a called workflow is named; None where it is none of theirs."""
        found = self.step(workflow_id, node)
        return None if found is None else str(found.get("name") or node)


def carry_out(folder: Path, say: Callable[[dict[str, Any]], None]) -> None:
    """The whole drill; `say` hears of each round."""
    plan = Plan(**json.loads((folder / "plan.json").read_text(encoding="utf-8")))
    _in_child(lambda: _set_up(folder, plan))
    calm = _round(folder, plan, None)
    boundaries = list(_boundaries(folder / "points"))
    if len(boundaries) > MOST_ROUNDS:
        boundaries = sorted(random.sample(boundaries, MOST_ROUNDS))
    say({"rounds": len(boundaries), "calm": calm})
    for number, (point, nth) in enumerate(boundaries, 1):
        found = _round(folder, plan, (point, nth))
        alike = found["status"] == calm["status"]
        # Where the undisturbed run got no further, ending as it did is no proof of anything behind that.
        found["beyond"] = calm["beyond"] if alike else None
        found["finished"] = alike and calm["status"] == _WELL and calm["beyond"] is None
        found["asks"] = not alike and found["in_doubt"]
        say({"round": number, "point": point.partition(":")[0], **found})


def _set_up(folder: Path, plan: Plan) -> None:
    """A database with what may be called, and nothing that would start by itself."""
    database.make(folder)
    for workflow, graph in plan.called.items():
        # One that could not be published today is not there: the report says how far the run came.
        with contextlib.suppress(GraphHasProblems):
            api.publish(workspace_id=WORKSPACE, workflow_id=UUID(workflow), graph=graph, by=None)
    Trigger.objects.all().delete()


def _boundaries(log: Path) -> Iterator[tuple[str, int]]:
    """Where the undisturbed run could be interrupted, in the order in which it came there: by one point each.

    A commit passes several points before it and the same ones behind it; a call stands for itself.
    """
    commit: list[tuple[str, int]] = []
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else ():
        point, _, nth, _ = line.split(" ")
        if commit and (point == _EFFECT or point.endswith(":before")):
            yield min(commit, key=lambda one: _CALLED_BY.index(one[0]))
            commit = []
        if point == _EFFECT:
            yield point, int(nth)
        elif point.endswith(":after"):
            commit.append((point, int(nth)))
    if commit:
        yield min(commit, key=lambda one: _CALLED_BY.index(one[0]))


def _round(folder: Path, plan: Plan, boundary: tuple[str, int] | None) -> dict[str, Any]:
    """One run, from its start to its end and undo; with a death in between."""
    if plan.tables:
        _in_child(lambda: lay(WORKSPACE, plan.tables))
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    (folder / "run").unlink(missing_ok=True)
    if boundary is None:
        before = (point.replace(":after", ":before") for point in POINTS if point != _EFFECT)
        watch, log = ";".join(f"{point}=sleep(0)" for point in (*POINTS, *before)), str(folder / "points")
    else:
        watch, log = f"{boundary[0]}=kill@nth({boundary[1]})", None

    def begin() -> None:
        failpoints.arm(watch, log=log)
        _worker(folder, plan, starts=True, undoes=False, report=report)

    code = _in_child(begin)
    killed = code == -signal.SIGKILL
    (folder / "where").unlink(missing_ok=True)
    if killed:
        point = "" if boundary is None else boundary[0]
        _in_child(lambda: _note_where(folder, plan, point))
    where = (folder / "where").read_text(encoding="utf-8") if (folder / "where").exists() else None
    # Whoever died is followed by another; whoever did not is followed too, for the undo.
    for _ in range(_LIVES):
        _in_child(lambda: _worker(folder, plan, starts=False, undoes=True, report=report))
        # One that ended without a word, for whatever reason of its own, is followed once more, as in earnest.
        if report.exists():
            break
    found: dict[str, Any] = {"status": "lost", "in_doubt": False, "undo": None, "duplicates": {}, "calls": 0}
    found |= {"beyond": None, "advice": []}
    if report.exists():
        found = json.loads(report.read_text(encoding="utf-8"))
    return {**found, "killed": killed, "step": where}


def _note_where(folder: Path, plan: Plan, point: str) -> None:
    """Which step the worker was at when it died: that of the last commit before. Of a commit that is called by what it
    ends, the step that ended."""
    rows = StepRun.objects.order_by("-started_at", "-run_id", "-seq").values_list("run__workflow_id", "node_id")
    if point == "step.result:after":
        ended = StepRun.objects.filter(status__in=("succeeded", "failed"))
        rows = ended.order_by("-finished_at", "-seq", "-started_at").values_list("run__workflow_id", "node_id")
    if (last := rows.first()) is not None and (name := plan.name_of(*last)) is not None:
        (folder / "where").write_text(name, encoding="utf-8")


def _in_child(work: Callable[[], None]) -> int:
    """Do this in a process of its own; how it ended."""
    connections.close_all()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.alarm(int(ROUND_SECONDS) + 10)
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _worker(folder: Path, plan: Plan, *, starts: bool, undoes: bool, report: Path) -> None:
    asyncio.run(_work(folder, plan, starts=starts, undoes=undoes, report=report))


async def _work(folder: Path, plan: Plan, *, starts: bool, undoes: bool, report: Path) -> None:
    """A worker's life: it starts the run, or finds it, and sees it to its end."""
    watch_steps()
    ports.configure(vault=Stand(), people=Crowd.for_graphs([plan.graph, *plan.called.values()]))
    runtime = Runtime(kind="embedded", outside=Recorder(folder / "ledger", plan.answers))
    await runtime.start()
    try:
        await asyncio.to_thread(_see_through, folder, plan, starts, undoes, report)
    finally:
        await runtime.stop(1.0)


def _see_through(folder: Path, plan: Plan, starts: bool, undoes: bool, report: Path) -> None:
    named = folder / "run"
    if starts:
        # Its id is known before it can be lost.
        started = api.start_test(
            workspace_id=WORKSPACE, workflow_id=WORKFLOW, graph=plan.graph, trigger_node=plan.trigger, input=plan.input
        )
        named.write_text(str(started.run_id), encoding="ascii")
    if named.exists():
        run_id = UUID(named.read_text(encoding="ascii"))
    else:
        found = Run.objects.filter(parent_run_id__isnull=True).order_by("-id").values_list("id", flat=True).first()
        if found is None:
            return
        run_id = found
        named.write_text(str(run_id), encoding="ascii")
    run = at_rest(run_id)
    if not undoes:
        return
    status, in_doubt = str(run.status), _is_in_doubt(run)
    beyond = _beyond(plan, run)
    calls = read(folder / "ledger", family(run_id))
    twice = duplicates(calls, keys_count=plan.keys_count)
    told = [*repeated(plan.keyed, twice)]
    if in_doubt:
        told += doubted(plan.step, family(run_id))
    undo, left = _undone(run_id) if run.finished_at is not None else (None, [])
    told += left
    after = read(folder / "ledger", family(run_id))
    said = {
        "status": status, "in_doubt": in_doubt, "duplicates": by_name(plan.keyed, twice), "calls": len(after),
        "undo": undo, "beyond": beyond, "advice": told,
    }  # fmt: skip
    report.write_text(json.dumps(said), encoding="utf-8")


def _beyond(plan: Plan, run: RunView) -> dict[str, str] | None:
    """The step that the run did not get past: {step, why}; None where it went all the way."""
    if run.status == _WELL and not (run.failed_items or run.failed_calls):
        # What was begun and not waited for has to come to a good end as well.
        ill = Run.objects.filter(pk__in=family(run.id), detached=True).exclude(status=_WELL)
        left = ill.values_list("parent_node", "finished_at").first()
        if left is None:
            return None
        return {"step": plan.name_of(WORKFLOW, left[0] or "") or "", "why": "failed" if left[1] else "waits"}
    open_steps = ("waiting", "retrying", "running", "failed")
    rows = StepRun.objects.filter(run_id=run.id, generation=run.generation, status__in=open_steps).order_by("-seq")
    names = [plan.name_of(WORKFLOW, node) for node in (*rows.values_list("node_id", flat=True), run.current_node or "")]
    why = "failed" if run.finished_at is not None or run.status == "parked" else "waits"
    return {"step": next((name for name in names if name is not None), ""), "why": why}


def _is_in_doubt(run: RunView) -> bool:
    """Whether it stopped because nobody knows what happened, which is what a careful step does."""
    if run.status == "waiting_human":
        return True
    return run.error is not None and run.error.get("code") == "in_doubt"


def _undone(run_id: UUID) -> tuple[bool | None, list[dict[str, str]]]:
    """Undo the run: whether everything was undone, None where there is nothing to undo; and what to do about the rest,
    as in `advice`."""
    plan = api.undo_plan(workspace_id=WORKSPACE, run_id=run_id)
    if not plan.possible:
        return None, []
    repeats = [line.undo_node for line in plan.lines if line.undo_node is not None and line.fate == "again"]
    api.undo(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id, reason="Drill", repeats=repeats)
    status = at_rest(run_id).status
    left = not_undone(api.undo_plan(workspace_id=WORKSPACE, run_id=run_id).lines)
    return status == "compensated" and not left, left
