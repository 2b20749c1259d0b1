"""The plan of a retry says of the runs that a step has begun what becomes of each, and that happens (I10, I22)."""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import PlannedItem, PlannedItems, PlanOutdated, RetryPlan, RetryRefused
from runtime.store.models import DeadLetter, Run
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, detail, fields, flow, look, step
from tests.runtime.test_own_runs import call, callee, children, each, inside, made, mark_of_this_test

__all__ = ["mark_of_this_test"]

#: How a call may end: well; with its answer lost, after which the same key is safe; refused.
WELL, LOST, REFUSED = "slow=0", "drop*1", "fail=422"
ROUNDS = int(os.environ.get("PLANNED_ROUNDS", "4"))
RUNS = 10
SEED = int(os.environ.get("PLANNED_SEED", "20261127"))


def planned(run_id: UUID, **choices: Any) -> RetryPlan:
    return api.retry_plan(workspace_id=WORKSPACE, run_id=run_id, **choices)


def items_of(plan: RetryPlan, node: str = "each") -> PlannedItems:
    found = next(line.items for line in plan.steps if line.node == node)
    assert found is not None
    return found


def listed(run_id: UUID, node: str = "each", **choices: Any) -> list[PlannedItem]:
    """All that are not kept, page by page."""
    found: list[PlannedItem] = []
    after = None
    while True:
        page = api.retry_items(workspace_id=WORKSPACE, run_id=run_id, node=node, after=after, limit=2, **choices)
        found += page.items
        if (after := page.next_cursor) is None:
            return found


@dataclass
class Made:
    """A run that failed, and what it was made of."""

    run_id: UUID
    kind: str
    consent: bool
    hows: list[str]
    number: int


def making(world: World, kind: str) -> dict[str, Any]:
    """A step that ends as its item says: with a key; without, so that a lost answer asks; or so that whatever is
    answered counts as no success, though it was done."""
    made_ = call("make", world, "{{ item.how }}", order="{{ item.n }}")
    if kind == "unsafe":
        made_["config"]["send_key"] = False
    elif kind == "strange":
        made_["config"]["success_codes"] = "299"
    return made_


def a_failed_run(machine: Machine, world: World, dice: random.Random, number: int) -> Made:
    kind = ("keyed", "unsafe", "strange", "redrawn")[number % 4]
    # Each of the two sorts that nobody may go on with unasked is there in every part.
    hows = [LOST] * (kind in ("unsafe", "redrawn")) + [
        dice.choice([WELL, WELL, LOST, REFUSED]) for _ in range(dice.randint(1, 6))
    ]
    bad = [at for at, how in enumerate(hows) if kind == "strange" or how != WELL]
    if not bad:
        hows[dice.randrange(len(hows))] = LOST
        bad = [hows.index(LOST)]
    later = [] if kind == "strange" else [WELL] * dice.randint(0, 3)
    items: list[Any] = [{"how": how, "n": f"{number}.{at}"} for at, how in enumerate([*hows, *later])]
    stop: dict[str, Any] = {"stop": "number", "may_fail": len(bad) - 1} if len(bad) > 1 else {}
    graph = flow(
        "start -> each",
        each(**stop, at_a_time=dice.randint(1, 3), label="{{ item.n }}"),
        *inside("each", making(world, kind)),
    )
    run_id = machine.begin(graph, {"lines": items})
    if kind == "redrawn":
        made_ = call("make", world, "{{ item.how }}", order="{{ item.n }}")
        made_["config"]["json_body"] |= {"note": "Once more"}
        machine.publish(flow("start -> each", graph["nodes"][1], *inside("each", made_)), look(run_id).workflow_id)
    return Made(run_id, kind, dice.random() < 0.5, hows + later, number)


@pytest.mark.parametrize("part", range(ROUNDS))
def test_what_the_plan_says_of_each_item_is_what_happens(machine: Machine, world: World, part: int) -> None:
    dice = random.Random(SEED + part)
    print(f"{RUNS} runs, seed {SEED + part}")
    seen: Counter[str] = Counter()
    for one in [a_failed_run(machine, world, dice, number) for number in range(RUNS)]:
        assert machine.finish(one.run_id).status == "dead_lettered", one
        before = {row.item_index or 0: row.generation for row in children(one.run_id)}
        were = Counter(made(world))
        version = 2 if one.kind == "redrawn" else None
        plan = planned(one.run_id, version=version)
        items, told = items_of(plan), listed(one.run_id, version=version)
        assert items.total == len(one.hows), one
        fates = {row.index: row.fate for row in told}
        counted = Counter(fates.values())
        assert (items.again, items.repeats, items.asks, items.open) == tuple(
            counted[fate] for fate in ("again", "repeats", "asks", "open")
        ), one
        assert items.kept + len(told) == len(before)
        assert items.next == len(one.hows) - len(before)
        assert [row.label for row in told] == [f"{one.number}.{row.index}" for row in told]
        for fate in ("again", "repeats", "asks"):
            assert [row.index for row in listed(one.run_id, fate=fate, version=version)] == [
                at for at in fates if fates[at] == fate
            ]
        seen += counted
        repeats = ["each"] if one.consent else []
        api.retry(workspace_id=WORKSPACE, run_id=one.run_id, plan=plan.id, version=version, repeats=repeats)
        machine.finish(one.run_id)
        goes = {"again"} | ({"repeats"} if one.consent else set())
        after = {row.item_index or 0: row for row in children(one.run_id)}
        again = {at for at, generation in before.items() if after[at].generation > generation}
        assert again == {at for at, fate in fates.items() if fate in goes}, one
        are = Counter(made(world))
        for at in before:
            happened = are[f"make/{one.number}.{at}"] - were[f"make/{one.number}.{at}"]
            # With the same key a second call is recognised; with another it does it a second time.
            assert happened == (1 if fates.get(at) == "repeats" and one.consent else 0), (one, at)
        mended = any(after[at].status == "completed" for at in fates)
        begun = len(after) - len(before)
        assert begun == items.next if mended else begun <= items.next, one
    assert all(seen[fate] for fate in ("again", "repeats", "asks")), seen
    print(dict(seen))


def test_a_plan_is_outdated_when_an_item_was_gone_on_with_by_itself(machine: Machine, world: World) -> None:
    failing = call("make", world, "{{ item }}", order="x")
    run = machine.run(flow("start -> each", each(), *inside("each", failing)), {"lines": [LOST]})
    plan = planned(run.id)
    item = children(run.id)[0].id
    api.retry(workspace_id=WORKSPACE, run_id=item, plan=planned(item).id)
    assert machine.finish(item).status == "completed"
    with pytest.raises(PlanOutdated):
        api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id)
    assert items_of(planned(run.id)).kept == 1


def given(machine: Machine, world: World | None) -> tuple[Any, UUID]:
    """A run whose call ended well and which then failed; the call's step is given what `a` says."""
    work = fields("work", of="{{ trigger.n }}") if world is None else call("make", world, order="{{ trigger.n }}")
    other = callee(machine, work, links=f"start -> {work['key']}")
    runs = step("runs", "flow.run_workflow@1", {"workflow": other, "input": {"n": "{{ steps.a.n }}"}})
    failing = step("last", "flow.fail@1", {"message": "x"})
    run = machine.run(flow("start -> a -> runs -> last", fields("a", n=1), runs, failing), {})
    assert run.status == "dead_lettered", run
    return {"a": {"fields": [{"name": "n", "value": 2}]}}, run.id


def test_a_call_that_did_something_is_begun_anew_for_another_input_only_where_somebody_says_so(
    machine: Machine, world: World
) -> None:
    edits, run_id = given(machine, world)
    plan = planned(run_id, start=["a"])
    line = next(line for line in plan.steps if line.node == "runs")
    assert (line.fate, line.why) == ("repeats", "called")
    with pytest.raises(RetryRefused):
        api.retry(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id, start=["a"], edits=edits)
    api.retry(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id, start=["a"], edits=edits, repeats=["runs"])
    machine.finish(run_id)
    assert [(one.item_index, one.status) for one in children(run_id, "runs")] == [(0, "completed"), (1, "completed")]
    assert made(world) == ["make/1", "make/2"]
    output: Any = detail(run_id, "runs").output
    assert output["run_id"] == str(children(run_id, "runs")[1].id)


def test_a_call_that_is_given_the_same_is_done_once_whatever_somebody_agreed_to(machine: Machine, world: World) -> None:
    _, run_id = given(machine, world)
    plan = planned(run_id, start=["a"])
    api.retry(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id, start=["a"], repeats=["runs"])
    machine.finish(run_id)
    assert len(children(run_id, "runs")) == 1
    assert made(world) == ["make/1"]


def test_a_call_that_did_nothing_outside_is_begun_anew_for_another_input(machine: Machine) -> None:
    edits, run_id = given(machine, None)
    plan = planned(run_id, start=["a"])
    assert {line.node: line.fate for line in plan.steps}["runs"] == "again"
    api.retry(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id, start=["a"], edits=edits)
    machine.finish(run_id)
    output: Any = detail(run_id, "runs").output
    assert output["result"] == {"of": 2}


def test_what_the_run_before_failed_of_waits_for_nobody_once_another_was_begun(machine: Machine, world: World) -> None:
    other = callee(machine, call("make", world, "{{ trigger.how }}", order="{{ trigger.n }}"), links="start -> make")
    runs = step("runs", "flow.run_workflow@1", {"workflow": other, "input": "{{ trigger }}"})
    run = machine.run(flow("start -> runs", runs), {"how": REFUSED, "n": 1})
    (old,) = children(run.id, "runs")
    plan = planned(run.id)
    assert items_of(plan, "runs").again == 1
    edits: dict[str, Any] = {"runs": {"workflow": other, "input": {"how": WELL, "n": 2}, "wait": True}}
    api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id, edits=edits)
    assert machine.finish(run.id).status == "completed"
    assert made(world) == ["make/2"]
    assert Run.objects.get(pk=old.id).generation == 1, "what was refused is not sent again"
    assert not DeadLetter.objects.filter(run_id=old.id, solved_at__isnull=True).exists()


def test_items_of_an_earlier_go_are_in_the_plan_though_the_last_one_did_not_come_to_them(
    machine: Machine, world: World
) -> None:
    graph = flow(
        "start -> a -> before -> each",
        fields("a", how=WELL),
        call("before", world, "{{ steps.a.how }}", order="x"),
        each(),
        *inside("each", call("make", world, "{{ item }}", order="{{ index }}")),
    )
    run_id = machine.run(graph, {"lines": [WELL, REFUSED]}).id
    assert items_of(planned(run_id)).again == 1
    before = {row.item_index: row.generation for row in children(run_id)}
    plan = planned(run_id, start=["a"])
    edits: dict[str, Any] = {"a": {"fields": [{"name": "how", "value": REFUSED}]}}
    go: dict[str, Any] = {"start": ["a"], "edits": edits, "repeats": ["before", "each"]}
    api.retry(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id, **go)
    assert machine.finish(run_id).status == "dead_lettered"
    assert {row.item_index: row.generation for row in children(run_id)} == before, "it did not come to them"
    plan = planned(run_id)
    line = next(line for line in plan.steps if line.node == "each")
    assert (line.fate, line.first) == ("again", False)
    items = items_of(plan)
    assert (items.kept, items.again, items.next) == (1, 1, None)
    given: Any = next(line.input for line in plan.steps if line.node == "before")
    edits = {"before": {**given, "url": given["url"].replace(REFUSED, WELL)}}
    api.retry(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id, edits=edits, repeats=["before"])
    machine.finish(run_id)
    after = {row.item_index: row.generation for row in children(run_id)}
    assert after == {0: before[0], 1: before[1] + 1}


def test_the_plan_of_an_undo_says_of_the_items_what_happens(machine: Machine, world: World) -> None:
    """Some did something, some were refused, and of some nobody knows whether their undo happened."""
    dice = random.Random(SEED)
    for number in range(12):
        hows = [dice.choice([WELL, REFUSED]) for _ in range(dice.randint(1, 5))]
        undoing = [dice.choice([WELL, WELL, "fail=422"]) for _ in hows]
        items: list[Any] = [
            {"how": how, "undo": undo, "n": f"{number}.{at}"}
            for at, (how, undo) in enumerate(zip(hows, undoing, strict=True))
        ]
        graph = flow(
            "start -> each, make:undo -> unmake",
            each(stop="never"),
            *inside(
                "each",
                call("make", world, "{{ item.how }}", order="{{ item.n }}"),
                call("unmake", world, "{{ item.undo }}", order="{{ item.n }}"),
            ),
        )
        run_id = machine.run(graph, {"lines": items}).id
        for _ in range(2):
            plan = api.undo_plan(workspace_id=WORKSPACE, run_id=run_id)
            line = next((line for line in plan.lines if line.node == "each"), None)
            if not plan.possible or line is None:
                break
            assert line.items is not None
            before = {row.id: row.generation for row in children(run_id)}
            undone = sum(row.status == "compensated" for row in children(run_id))
            api.undo(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id, reason="Wrong")
            machine.finish(run_id)
            gone = sum(row.generation > before[row.id] for row in children(run_id))
            assert (gone, undone) == (line.items.undo, line.items.undone), (hows, undoing)
            assert line.items.total == len(hows)
