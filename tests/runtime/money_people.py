"""The operator of `test_money.py`: somebody who retries, undoes, cancels and decides at random, and keeps a journal."""

from __future__ import annotations

import inspect
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

from runtime import api
from runtime.contracts import AlreadyFinished, Decision, RetryRefused, RuntimeRefused, TaskView
from runtime.engine.ids import uuid7
from runtime.engine.undo import INCOMPLETE
from runtime.store.models import Deployment, HumanTask, Run
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine
from tests.runtime.money import ENDED, Books, Oracle, Place, Violation, read, shown
from tests.runtime.money_flows import Part, Sketch
from tests.runtime.test_people import INES

#: A run that has neither ended nor come to wait for a person after so long hangs.
PATIENCE = 30.0
SOON_MS = 3_000
#: So often somebody who means well tries to bring a run to its end.
ROUNDS = 8
FAULTS = ("drop", "drop", "fail=422", "fail=500")
OPERATIONS = (
    *("retry", "retry from", "back at once", "undo", "item", "item undo", "cancel", "decide", "open gate"),
    *("publish", "retry newest", "retry edited", "disturb", "pause", "both"),
)
WEIGHTS = (4, 2, 2, 4, 2, 1, 1.5, 6, 1, 1.5, 2, 1.5, 3, 0.7, 1)
#: How the operator is when it means no more well than others.
WORDS = {"consents": 0.85, "says": 0.3, "lies": 0.1}
#: Whether people can say what became of an undo step that had no answer.
CAN_SAY = "decisions" in inspect.signature(api.undo).parameters


class Hangs(AssertionError):
    """Nothing goes on, and nobody is asked."""


@dataclass
class Affair:
    """One run of one sketch, and all that people do with it."""

    machine: Machine
    world: World
    row: tuple[Part, ...]
    mark: str = field(default_factory=lambda: uuid7().hex[-8:])
    journal: list[str] = field(default_factory=list)
    found: list[Violation] = field(default_factory=list)

    def prepare(self) -> None:
        self.behave()
        sketch = self.sketch = Sketch(self.row, self.mark, self.world, self.machine)
        self.workflow = self.machine.publish(sketch.document())
        # What fails again and again is held, which is another matter.
        Deployment.objects.update(breaker_failures=0)
        self.oracle = Oracle(dict(sketch.parts))
        self.note(" -> ".join(map(str, self.row)))

    def begin(self) -> None:
        self.root = self.machine.begin_again(self.workflow)
        self.settle()

    def note(self, text: str) -> None:
        self.journal.append(text)

    def books(self) -> Books:
        """As they were when it was last quiet; nothing has happened since."""
        return self.seen

    def settle(self) -> Books:
        """Wait until all has ended or somebody is asked, and look."""
        deadline = time.monotonic() + PATIENCE
        while not self.is_quiet():
            if time.monotonic() > deadline:
                rows = Run.objects.filter(finished_at__isnull=True).values_list("status", "wake_at", "lease_owner")
                raise Hangs(f"nothing goes on: {list(rows)}")
            time.sleep(0.008)
        books = self.seen = read(self.world, self.mark, self.root, self.oracle.parts)
        self.note("    " + state(books))
        for violation in self.oracle.look(books, self.root):
            if violation not in self.found:
                self.found.append(violation)
                self.note(f"    !!! {violation.rule}: {violation.text}")
        return books

    def is_quiet(self) -> bool:
        under_way = list(Run.objects.filter(finished_at__isnull=True).values_list("wake_at", "lease_owner"))
        if not under_way:
            return True
        soon = self.machine.now_ms() + SOON_MS
        # What waits for other runs looks after them now and then, too.
        if any(lease is not None or (wake is not None and wake < soon) for wake, lease in under_way):
            return False
        return HumanTask.objects.filter(status="open").exists()

    def trouble(self, rule: str, text: str) -> None:
        self.found.append(Violation(rule, text))
        self.note(f"    !!! {rule}: {text}")

    # --- what people do -------------------------------------------------------------------------------------------

    def misbehave(self, chance: Random) -> None:
        path, fault = chance.choice(("/invoices", "/invoices/")), chance.choice(FAULTS)
        times = chance.choice((1, 1, 2, 3))
        self.note(f"- the next {times} POST {path}… meet {fault}")
        asked = {"path": path, "method": "POST", "behaviour": fault, "times": times}
        self.world.ask("POST", "/behaviour", asked)

    def behave(self) -> None:
        self.world.ask("DELETE", "/behaviour")

    def operate(self, what: str, chance: Random) -> None:
        """One operation, with what comes of it. Where it is refused, or cannot be now, nothing happens."""
        books = self.books()
        status = books.runs[self.root].status
        ended = status in ENDED
        if what == "decide":
            self.decide(chance)
        elif what == "cancel" and not ended:
            undo = chance.random() < 0.6
            self.attempt(f"cancel, undo={undo}", lambda: self.cancel(undo))
        elif what in ("retry", "retry from") and ended:
            nodes = [part.key for part in self.row] if what == "retry from" else []
            start = [chance.choice(nodes)] if nodes else []
            self.attempt("retry", lambda: self.retry(self.root, chance, start, consents=0.85, lies=0.15))
        elif what == "back at once" and ended:
            self.back_at_once(chance)
        elif what == "undo" and ended:
            self.attempt("undo", lambda: self.undo(self.root, chance, **WORDS))
        elif what == "open gate":
            self.open_gate()
        elif what in ("item", "item undo"):
            items = [one for one, run in books.runs.items() if one != self.root and run.status in ENDED]
            if not items:
                return
            item = chance.choice(items)
            name = f"of {shown(books.places[item])}"
            if what == "item":
                inside = [self.oracle.parts[key].key for (of, key) in books.live if of == item and key in self.parts]
                start = [chance.choice(inside)] if inside and chance.random() < 0.3 else []
                self.attempt(f"retry {name}", lambda: self.retry(item, chance, start, consents=0.85, lies=0.15))
            else:
                self.attempt(f"undo {name}", lambda: self.undo(item, chance, **WORDS))
        else:
            return
        self.settle()

    @property
    def parts(self) -> dict[str, Part]:
        return self.oracle.parts

    def attempt(self, name: str, do: Callable[[], Any]) -> RuntimeRefused | None:
        """Do it; the refusal, if it is refused."""
        self.note(f"- {name}")
        at = len(self.journal) - 1
        try:
            do()
        except RuntimeRefused as refused:
            fields = getattr(refused, "fields", None)
            self.journal[at] += f": refused ({type(refused).__name__} {refused.code}): {fields or refused}"
            if type(refused).__name__ == "PlanOutdated":
                self.trouble("F", f"{name}: a plan was outdated at once")
            return refused
        return None

    def cancel(self, undo: bool) -> None:
        api.cancel(workspace_id=WORKSPACE, run_id=self.root, undo=undo)

    def undo(self, run_id: UUID, chance: Random, **words: float) -> None:
        self.undoing(run_id, chance, **words)()

    def undoing(
        self, run_id: UUID, chance: Random, *, consents: float = 1, says: float = 0, lies: float = 0
    ) -> Callable[[], None]:
        """The undo that is planned now, to be carried out. `says`: how often somebody says of an undo step without an
        answer what became of it."""
        plan = api.undo_plan(workspace_id=WORKSPACE, run_id=run_id)
        books = self.books()
        repeats, decisions, lied = [], {}, []
        for line in plan.lines:
            if line.undo_node is None or line.fate != "again" or line.why not in ("in_doubt", "same_key"):
                continue
            live, gone = books.live.get((run_id, line.node)), books.live.get((run_id, line.undo_node))
            if gone is not None and gone.status == "succeeded":
                live = None  # what is asked is about a call before that
            if CAN_SAY and live is not None and live.made is not None and chance.random() < says:
                lie = chance.random() < lies
                stands = any(one.id == live.made and one.stands for one in books.things)
                decisions[line.undo_node] = "still_done" if stands is not lie else "undone"
                self.journal[-1] += f", {line.node} is {decisions[line.undo_node]}{' (which is NOT so)' if lie else ''}"
                lied += [(*books.places[run_id], line.node)] if lie else []
            elif line.why == "in_doubt" and chance.random() < consents:
                repeats.append(line.undo_node)
                self.journal[-1] += f", {line.undo_node} may be sent again"
        more: dict[str, Any] = {"decisions": decisions} if decisions else {}

        def carry_out() -> None:
            api.undo(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id, reason="x", repeats=repeats, **more)
            self.oracle.lies.update(lied)

        return carry_out

    def retry(self, run_id: UUID, chance: Random, start: Sequence[str] = (), **words: Any) -> None:
        self.retrying(run_id, chance, start, **words)()

    def retrying(
        self,
        run_id: UUID,
        chance: Random,
        start: Sequence[str] = (),
        *,
        consents: float,
        lies: float,
        newest: bool = False,
        edited: bool = False,
    ) -> Callable[[], None]:
        """The retry that is planned now, to be carried out. `newest`: on the version that is live; `edited`: one of the
        steps that it begins with is given something else."""
        plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run_id, start=start)
        version = plan.versions[-1] if newest else None
        if newest:
            plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run_id, start=start, version=version)
        books = self.books()
        place = books.places[run_id]
        decisions, repeats, lied = {}, [], []
        for line in plan.steps:
            if line.fate == "asks":
                decision, lie = self.said(books, run_id, line.node, chance.random() < lies, chance)
                decisions[line.node] = decision
                lied += [(*place, line.node)] if lie else []
            elif (line.fate == "repeats" or (line.items and line.items.repeats)) and chance.random() < consents:
                repeats.append(line.node)
        given = {
            line.node: line.input
            for line in plan.steps
            if line.first and isinstance(line.input, dict) and line.node in self.parts
        }
        edits: dict[str, Any] = {}
        if edited and given:
            node = chance.choice([*given])
            edits = {node: self.changed(given[node], chance)}
        words = [f"from {', '.join(start)}"] if start else []
        words += [f"on version {version}"] if newest else []
        words += [f"{node} is given {one}" for node, one in edits.items()]
        words += [f"{node} may be done again" for node in repeats]
        words += [f"{node}: {self.worded(one, (*place, node) in lied)}" for node, one in decisions.items()]
        self.journal[-1] += "".join(f", {word}" for word in words)
        named: dict[str, Any] = {"workspace_id": WORKSPACE, "run_id": run_id, "plan": plan.id}
        named |= {"start": start, "version": version, "edits": edits, "decisions": decisions}

        def carry_out() -> None:
            more: list[str] = []
            while True:
                try:
                    api.retry(**named, repeats=[*repeats, *more])
                    break
                except RetryRefused as refused:
                    # What is given something else asks other things than the plan did.
                    again = {node for node, why in refused.fields.items() if "second time" in why and node in edits}
                    asked = {node for node, why in refused.fields.items() if "Say whether" in why and node in edits}
                    known = {node for node, why in refused.fields.items() if "is known" in why and node in edits}
                    if not (again - {*more}) and not (asked - decisions.keys()) and not known:
                        raise
                    more += again
                    decisions.update({node: self.said(books, run_id, node, False, chance)[0] for node in asked})
                    for node in known:
                        del decisions[node]
            self.oracle.consents += [(*place, node) for node in (*repeats, *more)]
            self.oracle.lies.update(lied)

        return carry_out

    @staticmethod
    def changed(given: dict[str, Any], chance: Random) -> dict[str, Any]:
        if isinstance(given.get("items"), list):
            return {**given, "items": chance.choice(([1, 2, 3], [1], [2, 1]))}
        if isinstance(given.get("json_body"), dict):
            return {**given, "json_body": {**given["json_body"], "note": f"edited {chance.randrange(9)}"}}
        return given

    def said(self, books: Books, run_id: UUID, node: str, lying: bool, chance: Random) -> tuple[Decision, bool]:
        """What somebody says of a call without an answer, and whether it is a lie."""
        made = books.unknown(run_id, node)
        happened = bool(made) is not lying
        if not happened:
            return Decision(False), lying
        return Decision(True, {"status": 201, "body": {"id": made[-1].id if made else "INV-0"}}), lying

    @staticmethod
    def worded(decision: Decision, lie: bool) -> str:
        said = f"it happened, {decision.output}" if decision.happened else "send it again"
        return f"{said} (which is NOT so)" if lie else said

    def back_at_once(self, chance: Random) -> None:
        """Gone on with while no worker is there, and taken back, or paused, before one comes."""
        self.machine.stop()
        try:
            name = "retry with no worker there"
            refused = self.attempt(name, lambda: self.retry(self.root, chance, consents=1, lies=0.1))
            if refused is None:
                if chance.random() < 0.4:
                    self.attempt("pause", lambda: api.pause_run(workspace_id=WORKSPACE, run_id=self.root))
                    if chance.random() < 0.3:
                        self.attempt("resume", lambda: api.resume_run(workspace_id=WORKSPACE, run_id=self.root))
                undo = chance.random() < 0.6
                refused = self.attempt(f"cancel, undo={undo}", lambda: self.cancel(undo))
                if refused is not None:
                    self.attempt("cancel, undo=False", lambda: self.cancel(False))
        finally:
            self.machine.start()

    def tasks(self) -> list[TaskView]:
        found = api.tasks(workspace_id=WORKSPACE, around=self.root).items
        own = api.tasks(workspace_id=WORKSPACE, run_id=self.root).items
        return [*{one.id: one for one in (*own, *found) if one.over is None}.values()]

    def decide(self, chance: Random, *, lies: float = 0.15, gives_up: bool = True) -> None:
        tasks = self.tasks()
        if not tasks:
            return
        task, books = chance.choice(tasks), self.books()
        place: Place = (*books.places[task.run.id], task.node)
        choices = [str(one["id"]) for one in task.spec["choices"]]
        made, lying = books.unknown(task.run.id, task.node), chance.random() < lies
        output: Any = {"status": 201, "body": {"id": made[-1].id if made else "INV-0"}}
        is_action = self.parts[task.node].kind == "action"
        options = {"give_up": False} if gives_up else {}
        if "retry" in choices:
            options["retry"] = False
        if is_action:
            options |= {one: not made for one in ("value", "happened") if one in choices}
            options |= {one: bool(made) for one in ("send_again",) if one in choices}
        fitting = [one for one, lie in options.items() if lie is lying] or [
            one for one, lie in options.items() if not lie
        ]
        outcome = chance.choice(fitting)
        lie = options[outcome]
        given = output if outcome in ("value", "happened") else None
        name = f"{shown(place)}: {outcome} {given or ''}{' (which is NOT so)' if lie else ''}"
        said: Any = {"task_id": task.id, "outcome": outcome, "voter": INES, "output": given}
        decide = partial(api.decide, workspace_id=WORKSPACE, **said)
        if self.attempt(name, decide) is None and lie:
            self.oracle.lies.update([place])

    def open_gate(self) -> None:
        """What the gates read is there from now on."""
        if any(one["number"] == self.mark for one in self.world.ask("GET", "/orders")["items"]):
            return
        self.note("- the gate is opened")
        asked = {"number": self.mark, "customer": "C-200", "total": 1, "currency": "EUR", "lines": []}
        self.world.ask("POST", "/orders", asked)

    # --- who means well -------------------------------------------------------------------------------------------

    def put_right(self, forward: bool) -> None:
        """Bring it to its end, now that nothing fails any more: it is possible, whatever was done before (F)."""
        self.behave()
        self.open_gate()
        before, self.stuck = "", 0
        for _ in range(ROUNDS + len(self.books().things)):
            books = self.books()
            root = books.runs[self.root]
            if root.status == ("completed" if forward else "compensated") or self.stuck > 2:
                break
            told: list[str] = []
            if root.status not in ENDED:
                self.solve_below(books)
                self.decide(Random(0), lies=0, gives_up=False)
            elif forward:
                told = self.go_on(self.root)
                if told and "nothing_left" in told[-1]:
                    # All is done, and some of it undone in vain: what is left is to undo it.
                    forward = False
            elif not api.undo_plan(workspace_id=WORKSPACE, run_id=self.root).possible:
                break
            else:
                told = self.go_back(self.root)
            books = self.settle()
            now = re.sub(" g[0-9]+ ", " ", state(books))
            if forward:
                # Done and undone once more is no nearer.
                now = now.partition(" | ")[0]
            self.stuck, before = self.stuck + 1 if now == before else 0, now
        if any(part.by_name for part in self.parts.values()):
            # What is called by a name that something has already is refused for ever, and rightly.
            return
        if not forward:
            self.trouble_going_back()
        if any("around_undone" in line for line in self.journal[-6:]):
            # What nobody knows of in a run that was undone is settled by hand, and the run started anew.
            return
        if forward and self.books().runs[self.root].status != "completed":
            circular = any("around_over" in line for line in self.journal[-6:])
            why = "the run waits for a part of it, and the part for the run" if circular else "; ".join(told)
            self.trouble("F", f"it cannot be brought to its end: {why or state(self.books())}")

    def trouble_going_back(self) -> None:
        """Whatever was done can be undone, one undo after the other, but for what no step undoes (F)."""
        books = self.books()
        run = books.runs[self.root]
        if run.status == "compensated" or not books.things or self.oracle.lies or run.status not in ENDED:
            return
        left = [one for one in books.things if one.stands and self.oracle.counts(books, one)]
        for one in left:
            if self.parts[one.key].back == "undo" and (one.run_id, one.key) not in books.unanswered:
                self.trouble("F", f"it cannot be undone: {shown(books.place(one))} {one.id} stands")
                return
        if not left and not any(self.kind(key) == "action" for _, key in books.unanswered) and self.says_incomplete():
            self.trouble("F", f"all is undone, and it does not end as that: {run.error}")

    def kind(self, key: str) -> str:
        return self.parts[key].kind if key in self.parts else ""

    def says_incomplete(self) -> bool:
        return INCOMPLETE in (self.books().runs[self.root].error or "")

    def solve_below(self, books: Books) -> None:
        """Say of each run below what became of its call without an answer, the innermost first."""
        below = [one for one in books.runs.values() if one.id != self.root and one.status in ENDED]
        for one in sorted(below, key=lambda one: -len(books.places[one.id])):
            if one.status == "completed":
                continue
            try:
                plan = api.retry_plan(workspace_id=WORKSPACE, run_id=one.id)
            except RuntimeRefused as refused:
                self.note(f"- no plan to retry {shown(books.places[one.id])}: {refused.code}: {refused}")
                if refused.code == "undo_unknown":
                    self.go_back(one.id)
                    self.settle()
                continue
            if any(line.fate in ("asks", "repeats") for line in plan.steps):
                do = partial(self.retry, one.id, Random(0), consents=1, lies=0)
                if self.attempt(f"retry of {shown(books.places[one.id])}", do) is None:
                    self.settle()

    def go_on(self, run_id: UUID) -> list[str]:
        """Retry it, those below it first that say that they have to be; what stood in the way."""
        try:
            plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run_id)
        except RuntimeRefused as refused:
            self.note(f"- no plan to retry it: {refused.code}: {refused}")
            told = [f"{refused.code} {refused}"]
            if refused.code != "undo_unknown":
                return told
            start = re.findall("whether “([^”]*)”", str(refused))
            if self.stuck > 1 and start[0] in [part.key for part in self.row]:
                # Undone again and again it is not: what is done anew is another call.
                do = partial(self.retry, run_id, Random(0), start, consents=1, lies=0)
                refused_too = self.attempt("retry all the same", do)
                return told if refused_too is None else [*told, f"{refused_too.code} {refused_too}"]
            return [*told, *self.go_back(run_id)]
        if self.stuck or any(line.items is not None and line.items.asks for line in plan.steps):
            self.solve_below(self.books())
        refused_too = self.attempt("retry", partial(self.retry, run_id, Random(0), consents=1, lies=0))
        return [] if refused_too is None else [f"{refused_too.code} {refused_too}"]

    def go_back(self, run_id: UUID) -> list[str]:
        """Undo it, those below it first that say that somebody looks at them first; what stood in the way."""
        books = self.books()
        below = [books.runs[one] for one in books.under(run_id) if books.runs[one].status in ENDED]
        unknown = ("in_doubt", "same_key") if self.stuck else ("in_doubt",)
        for one in sorted(below, key=lambda one: -len(books.places[one.id])):
            plan = api.undo_plan(workspace_id=WORKSPACE, run_id=one.id)
            if any(line.fate == "again" and line.why in unknown for line in plan.lines) and plan.possible:
                do = partial(self.undo, one.id, Random(0), says=self.stuck)
                self.attempt(f"undo of {shown(books.places[one.id])}", do)
                self.settle()
        name = f"undo of {shown(books.places[run_id])}" if books.places[run_id] else "undo"
        refused = self.attempt(name, partial(self.undo, run_id, Random(0), says=self.stuck))
        return [] if refused is None else [f"{refused.code} {refused}"]

    def leave(self) -> None:
        """Leave nothing under way behind."""
        self.behave()
        for one in Run.objects.filter(finished_at__isnull=True, parent_run_id__isnull=True):
            with suppress(AlreadyFinished):
                api.cancel(workspace_id=WORKSPACE, run_id=one.id)
        deadline = time.monotonic() + PATIENCE
        while Run.objects.filter(finished_at__isnull=True).exists() and time.monotonic() < deadline:
            time.sleep(0.01)


def state(books: Books) -> str:
    """The runs and the books in one line."""
    said = []
    for run_id, run in books.runs.items():
        steps = [f"{key}:{live.status}" for (of, key), live in books.live.items() if of == run_id and key != "start"]
        name = shown(books.places[run_id]) or "run"
        said.append(f"{name} g{run.generation} {run.status} ({', '.join(steps)})")
    things = [f"{shown(books.place(one))}={one.id}{'' if one.stands else ' void'}" for one in books.things]
    return f"{'; '.join(said)} | {', '.join(things) or 'no things'}"
