"""Asks for the plan, has it carried out, and looks at what the company was asked (`test_plans_kept.py`)."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from uuid import UUID

from runtime import api
from runtime.contracts import Decision, NotRetryable, RetryPlan, RetryRefused, RetryStep, RuntimeRefused, UndoPlan
from runtime.store.models import Deployment, Run, StepRun
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine
from tests.runtime.plan_flows import Drawing, back, drawn
from tests.runtime.plan_oracle import Asked, Expected, asked, named, tree

ROUNDS: Final = 7
#: Longer than it takes until a run looks by itself after those that it waits for.
PATIENCE: Final = 120.0


@dataclass
class Player:
    """One run of one drawing, from its start to its end and back."""

    machine: Machine
    world: World
    seed: int
    journal: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    calls: list[Asked] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    #: The number of the last call that was looked at.
    last: int = 0
    gate_is_open: bool = False

    def play(self) -> None:
        chance = self.chance = Random(self.seed)
        self.mark = f"p{self.seed}-{time.time_ns()}"
        drawing = self.drawing = Drawing(drawn(chance), self.mark, self.world.url, self.machine)
        self.note(" -> ".join(map(str, drawing.row)))
        workflow = self.machine.publish(drawing.document())
        # What fails again and again is held, which is another matter.
        Deployment.objects.update(breaker_failures=0)
        self.root = self.machine.begin_again(workflow)
        how = chance.choices(("nothing", "cancel", "crash"), (8, 1.5, 1))[0]
        if how != "nothing":
            time.sleep(chance.choice((0.0, 0.02, 0.05, 0.1)))
            self._disturb(how)
        self._settle()
        for number in range(ROUNDS):
            if Run.objects.get(pk=self.root).status == "completed":
                break
            self._go_on(number)
        if chance.random() < 0.6:
            self._take_back()

    def note(self, text: str) -> None:
        self.journal.append(text)

    def _disturb(self, how: str) -> None:
        self.note(f"- {how}")
        if how == "crash":
            self.machine.crash()
            self.machine.start()
            return
        try:
            api.cancel(workspace_id=WORKSPACE, run_id=self.root, undo=self.chance.random() < 0.3)
        except RuntimeRefused as refused:
            self.note(f"  refused ({refused.code})")

    # --- what the company saw -------------------------------------------------------------------------------------

    def _since(self, seq: int) -> list[dict[str, Any]]:
        """The calls behind this one. To ask is a call, too."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.world.ask("GET", f"/calls?after={seq}&limit=1000")["items"]
            found += page
            seq = int(page[-1]["seq"]) if page else seq
            if len(page) < 1000:
                return found

    def _settle(self) -> list[Asked]:
        """Wait for the end of all of it; what was called since the last time."""
        deadline = time.monotonic() + PATIENCE
        while Run.objects.filter(pk__in=tree(self.root), finished_at=None).exists():
            if time.monotonic() > deadline:
                rows = Run.objects.filter(finished_at=None).values_list("pk", "status", "wake_at", "lease_owner")
                raise AssertionError(f"seed {self.seed}: nothing goes on: {list(rows)}")
            time.sleep(0.01)
        page = self._since(self.last)
        self.last = int(page[-1]["seq"]) if page else self.last
        found: list[Asked] = []
        for one in page:
            if (call := asked(one, self.mark, [*self.calls, *found])) is not None:
                found.append(call)
        status = Run.objects.get(pk=self.root).status
        self.note(
            f"    {status}; called: " + ", ".join(f"{named((one.run_id, one.step))}={one.status}" for one in found)
        )
        self.before, self.calls = self.calls, [*self.calls, *found]
        return found

    # --- going on -------------------------------------------------------------------------------------------------

    def _go_on(self, number: int) -> None:
        chance = self.chance
        if chance.random() < 0.5 or number > 2:
            self._open_gate()
        try:
            plan = api.retry_plan(workspace_id=WORKSPACE, run_id=self.root)
        except NotRetryable:
            # An undo step had no answer: first it is undone again.
            self._take_back()
            return
        start: list[str] = []
        if chance.random() < 0.2 and number < 3:
            start = [chance.choice([line.node for line in plan.steps if line.node != "start"] or ["start"])]
            plan = api.retry_plan(workspace_id=WORKSPACE, run_id=self.root, start=start)
        edits = self._edits(plan, number)
        expected = Expected(self.drawing)
        expected.read(self.root, plan.steps, start)
        decisions = self._decisions(plan, expected)
        expected.edited = {(self.root, node) for node in edits}
        consents = {line.node for line in plan.steps if self._needs_consent(line, edits)}
        self.note(f"- retry from {start}, edits {sorted(edits)}, consents {consents}, decisions {decisions}")
        self.note("    " + ", ".join(_told(line) for line in plan.steps))
        choices: dict[str, Any] = {"plan": plan.id, "start": start, "edits": edits}
        must = consents | decisions.keys()
        in_items = {line.node for line in plan.steps if line.items is not None and line.items.repeats}
        if must:
            self._refused(choices, must)
        may = consents | {node for node in in_items if chance.random() < 0.7}
        self._leave(expected, plan, may)
        api.retry(workspace_id=WORKSPACE, run_id=self.root, **choices, repeats=may, decisions=decisions)
        calls = self._settle()
        self.counts.update(line.fate for line in plan.steps)
        self.counts["plans"] += 1
        self.counts["calls"] += len(calls)
        self._blame(expected.compare(self.root, calls, self.before))

    def _refused(self, choices: dict[str, Any], must: set[str]) -> None:
        """Without somebody's word of each of them nothing is begun."""
        try:
            api.retry(workspace_id=WORKSPACE, run_id=self.root, **choices)
        except RetryRefused as refused:
            if set(refused.fields) != must:
                self._blame([f"the plan asks about {must}, and a retry about {set(refused.fields)}"])
        else:
            self._blame([f"{must} was to be agreed to, and went without"])

    def _leave(self, expected: Expected, plan: RetryPlan, may: set[str]) -> None:
        """Runs of steps that would repeat something stay as they are where nobody has said that they may."""
        for line in plan.steps:
            if line.items is None or not line.items.repeats or line.node in may:
                continue
            for one in api.retry_items(workspace_id=WORKSPACE, run_id=self.root, node=line.node, fate="repeats").items:
                inside = tree(one.run_id)
                for at in [at for at in expected.lines if at[0] in inside]:
                    del expected.lines[at]
                    expected.begins.pop(at, None)

    @staticmethod
    def _needs_consent(line: RetryStep, edits: dict[str, Any]) -> bool:
        return line.fate == "repeats" or (line.node in edits and line.why == "same_key" and line.fate == "again")

    def _edits(self, plan: RetryPlan, number: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for line in plan.steps:
            block = self.drawing.blocks.get(line.node)
            given: Any = line.input
            if block is None or not line.first or not isinstance(given, dict) or "url" not in given:
                continue
            if block.kind != "gate" and block.fault and self.chance.random() < (0.5 if number < 3 else 0.9):
                path = "/customers/C-200" if block.kind == "read" else "/invoices"
                found[line.node] = {**given, "url": f"{self.world.url}{path}"}
            elif "json_body" in given and self.chance.random() < 0.1:
                found[line.node] = {**given, "json_body": {**given["json_body"], "note": f"edited {number}"}}
        return found

    def _decisions(self, plan: RetryPlan, expected: Expected) -> dict[str, Decision]:
        found = {}
        for line in plan.steps:
            if line.fate != "asks":
                continue
            told = StepRun.objects.filter(run_id=self.root, node_id=line.node, status="succeeded")
            outputs = [str(output) for output in told.values_list("output", flat=True)]
            order = f"{self.mark}/{self.root}/{line.node}"
            made = [one["id"] for one in self.world.invoices(order) if not any(one["id"] in text for text in outputs)]
            if made:
                found[line.node] = Decision(True, {"status": 201, "body": {"id": made[-1]}})
                expected.happened.add((self.root, line.node))
            else:
                found[line.node] = Decision(False)
        return found

    def _open_gate(self) -> None:
        if not self.gate_is_open:
            self.gate_is_open = True
            self.world.ask("POST", "/orders", _gate(self.mark))

    def _blame(self, found: Any) -> None:
        for text in found:
            self.wrong.append(text)
            self.note(f"    !!! {text}")

    # --- going back -----------------------------------------------------------------------------------------------

    def _take_back(self) -> None:
        """Undo by the plan: its steps are called once each, in its order, and no other one is."""
        plan = api.undo_plan(workspace_id=WORKSPACE, run_id=self.root)
        if not plan.possible:
            return
        wanted = self._to_undo(self.root, plan)
        silent = tree(self.root)
        made = {one.id: one for one in Run.objects.filter(pk__in=silent)}
        stand = {
            (row.run_id, row.node_id)
            for row in StepRun.objects.filter(run_id__in=silent, status="succeeded")
            if row.generation == made[row.run_id].generation
        }
        repeats = [
            line.undo_node for line in plan.lines if line.undo_node and line.fate == "again" and line.why == "in_doubt"
        ]
        self.note(f"- undo: {[named(at) for at in wanted]}, may repeat {repeats}")
        api.undo(workspace_id=WORKSPACE, run_id=self.root, plan=plan.id, reason="x", repeats=repeats)
        calls = self._settle()
        self.counts["undo plans"] += 1
        self.counts["undone"] += len(calls)
        self._blame(_compare_undo(wanted, stand, calls, Run.objects.get(pk=self.root).status))

    def _to_undo(self, run_id: UUID, plan: UndoPlan) -> list[tuple[UUID, str]]:
        """The undo steps that the plan names, in its order; those of runs that a step has begun in one heap."""
        found: list[tuple[UUID, str]] = []
        for line in plan.lines:
            if line.items is not None:
                children = Run.objects.filter(parent_run_id=run_id, parent_node=line.node).order_by("-finished_at")
                for child in children.values_list("pk", flat=True):
                    found += self._to_undo(child, api.undo_plan(workspace_id=WORKSPACE, run_id=child))
            elif line.fate in ("undo", "again"):
                found.append((run_id, back(line.key)))
        return found


def _compare_undo(wanted: list[tuple[UUID, str]], stand: set[tuple[UUID, str]], calls: list[Asked], status: str) -> Any:
    came = [(call.run_id, call.step) for call in calls]
    for at, count in Counter(came).items():
        if at not in wanted:
            yield f"{named(at)} was called, and the undo plan did not name it"
        if count > 1:
            yield f"{named(at)} was called {count} times"
    if status == "compensated":
        # One whose action gave no result to name it by is not sent.
        for at in wanted:
            if at not in came and (at[0], at[1].removeprefix("back_")) in stand:
                yield f"{named(at)} was planned, all is undone, and it was not called"
    by_run: dict[UUID, list[str]] = {}
    for run_id, key in came:
        by_run.setdefault(run_id, []).append(key)
    for run_id, keys in by_run.items():
        planned = [key for of, key in wanted if of == run_id and key in keys]
        if planned != keys:
            yield f"{str(run_id)[-6:]} was undone in the order {keys}, and the plan said {planned}"


def _gate(mark: str) -> dict[str, Any]:
    return {"number": mark, "customer": "C-200", "total": 1, "currency": "EUR", "lines": []}


def _told(line: RetryStep) -> str:
    items = "" if line.items is None else f" {line.items}"
    return f"{line.key}: {line.fate}/{line.why}{'*' if line.first else ''}{items}"
