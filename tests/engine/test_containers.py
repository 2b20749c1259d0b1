"""Containers in a graph: bodies, what undoes them, where they may stand, and steps that bring branches together."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.engine.advance import advance
from runtime.engine.change import tally_of
from runtime.engine.check import check
from runtime.engine.commands import Execute, FinishRun
from runtime.engine.containers import MOST_DEEP, UNDO_TYPE, undo_id
from runtime.engine.facts import (
    CancelRequested,
    RunStarted,
    SignalReceived,
    StepFailed,
    StepInterrupted,
    StepStarted,
    StepSucceeded,
    StepWaits,
)
from runtime.engine.graph import Graph, parse
from runtime.engine.needs import engine_needed
from runtime.engine.shape import structural_problems
from runtime.engine.state import RunState, RunStatus, StepError, StepStatus, fresh

BROKEN = StepError("broken", "Broken", "It broke.", may_have_happened=True)


def node(key: str, type: str = "data.edit_fields@1", parent: str | None = None, **more: Any) -> dict[str, Any]:
    made = {"id": key, "key": key, "name": key, "type": type, "config": {}, "position": {"x": 0, "y": 0}, **more}
    return made if parent is None else {**made, "parent": parent}


def document(links: str, *nodes: dict[str, Any]) -> dict[str, Any]:
    edges = []
    for number, link in enumerate(filter(None, links.split(", "))):
        source, _, target = link.partition(" -> ")
        name, _, port = source.partition(":")
        edges.append({"id": f"e{number}", "source": name, "sourceHandle": port or "out", "target": target})
    return {"format": "millrace.workflow", "version": 1, "nodes": list(nodes), "edges": edges}


def loop(**more: Any) -> dict[str, Any]:
    return node("each", "flow.for_each@1", **more)


def nested() -> Graph:
    return parse(
        document(
            "start -> each, each -> after, a -> b",
            node("start", "trigger.manual@1"),
            loop(),
            node("a", parent="each"),
            node("b", parent="each"),
            node("c", parent="each"),
            node("after"),
        )
    )


def codes(doc: dict[str, Any]) -> list[str]:
    return [problem.code for problem in structural_problems(doc)]


def test_a_body_is_a_graph_of_its_own() -> None:
    graph = nested()
    assert set(graph.by_id) == {"start", "each", "after"}
    body = graph.body("each")
    assert body is not None
    assert body.container == "each"
    assert set(body.by_id) == {"a", "b", "c"}
    assert body.roots == ("a", "c")
    assert engine_needed(graph) == 5


def test_a_run_of_a_body_begins_with_all_that_nothing_leads_to() -> None:
    body = nested().body("each")
    assert body is not None
    state, commands = advance(body, fresh(), RunStarted("each", 1))
    assert commands == (Execute("a", 1), Execute("c", 1))
    for key in ("a", "c", "b"):
        state, commands = advance(body, state, StepSucceeded(key, 1, ("out",), 2))
    assert state.status is RunStatus.COMPLETED
    assert isinstance(commands[-1], FinishRun)


def test_a_switched_off_step_at_the_beginning_of_a_body_is_passed_through() -> None:
    off = {**node("a", parent="each"), "settings": {"disabled": True}}
    graph = parse(document("a -> b", node("start", "trigger.manual@1"), loop(), off, node("b", parent="each")))
    body = graph.body("each")
    assert body is not None
    state, commands = advance(body, fresh(), RunStarted("each", 1))
    assert commands[-1] == Execute("b", 1)
    assert state.step("a") is not None


def waiting(graph: Graph) -> RunState:
    state, _ = advance(graph, fresh(), RunStarted("start", 1))
    state, _ = advance(graph, state, StepSucceeded("start", 1, ("out",), 1, 1))
    state, _ = advance(graph, state, StepWaits("each", 1, "children", None, 2))
    return state


def test_a_run_that_is_cancelled_waits_for_the_end_of_its_own_runs() -> None:
    graph = nested()
    state = waiting(graph)
    assert state.status is RunStatus.WAITING_EVENT
    state, commands = advance(graph, state, CancelRequested(3))
    assert commands == ()
    assert not state.status.is_terminal
    again, commands = advance(graph, state, CancelRequested(4))
    assert again is state
    assert commands == ()
    state, commands = advance(graph, state, StepInterrupted("each", 1, 5))
    assert state.status is RunStatus.CANCELLED
    assert isinstance(commands[-1], FinishRun)
    assert tally_of(state) == state.tally


def test_the_results_of_its_runs_end_the_step() -> None:
    graph = nested()
    _, commands = advance(graph, waiting(graph), SignalReceived("each", ("out",), 3, 2))
    assert commands == (Execute("after", 1),)
    failed, _ = advance(graph, waiting(graph), StepFailed("each", 1, BROKEN, 3, commit_seq=2))
    assert failed.status is RunStatus.DEAD_LETTERED


def undoable() -> Graph:
    return parse(
        document(
            "start -> each, each -> last, a:undo -> b",
            node("start", "trigger.manual@1"),
            loop(),
            node("a", "http.request@1", "each"),
            node("b", "http.request@1", "each"),
            {**node("last", "flow.fail@1"), "settings": {"on_failure": "undo"}},
        )
    )


def test_what_undoes_the_runs_of_a_container_is_put_where_it_belongs() -> None:
    graph = undoable()
    by = undo_id("each")
    assert graph.undone_by == {"each": by}
    assert graph.by_id[by].type == UNDO_TYPE
    assert nested().undone_by == {}
    assert len(undo_id("x" * 64)) == 64
    assert undo_id("x" * 64) != undo_id("x" * 63 + "y")


def test_undoing_waits_for_the_runs_that_are_undone() -> None:
    graph = undoable()
    state, _ = advance(graph, waiting(graph), SignalReceived("each", ("out",), 3, 2))
    state, commands = advance(graph, state, StepFailed("last", 1, BROKEN, 4, commit_seq=3))
    by = undo_id("each")
    assert commands == (Execute(by, 1),)
    assert state.status is RunStatus.COMPENSATING
    state, _ = advance(graph, state, StepStarted(by, 1, 5))
    state, _ = advance(graph, state, StepWaits(by, 1, "children", None, 5))
    assert state.status is RunStatus.COMPENSATING
    state, _ = advance(graph, state, SignalReceived(by, ("out",), 6, 4))
    assert state.status is RunStatus.COMPENSATED
    step = state.step(by)
    assert step is not None
    assert step.ports == ("undo:each",)


def test_a_called_workflow_is_undone_where_it_was_waited_for() -> None:
    calls = node("calls", "flow.run_workflow@1")
    assert parse(document("start -> calls", node("start", "trigger.manual@1"), calls)).undone_by
    apart = {**calls, "config": {"wait": False}}
    assert not parse(document("start -> calls", node("start", "trigger.manual@1"), apart)).undone_by


@pytest.mark.parametrize(
    ("nodes", "links", "code"),
    [
        ([node("a", parent="nobody")], "", "node.parent_missing"),
        ([node("b"), node("a", parent="b")], "", "node.parent_not_container"),
        ([loop(), node("a", "trigger.webhook@1", "each")], "", "node.trigger_inside"),
        ([loop(), node("a", parent="each"), node("b")], "a -> b", "edge.crosses_container"),
        ([loop(parent="two"), node("two", "flow.for_each@1", "each")], "", "node.parent_circle"),
    ],
)
def test_steps_that_stand_where_they_cannot_are_named(nodes: list[dict[str, Any]], links: str, code: str) -> None:
    assert code in codes(document(links, *nodes))


def test_containers_stand_in_each_other_up_to_a_depth() -> None:
    chain = [node(f"n{n}", "flow.for_each@1", None if n == 0 else f"n{n - 1}") for n in range(MOST_DEEP)]
    inner = node("inner", parent=f"n{MOST_DEEP - 1}")
    assert codes(document("", *chain, inner)) == []
    deeper = [*chain, node("more", "flow.for_each@1", f"n{MOST_DEEP - 1}"), node("inner", parent="more")]
    assert codes(document("", *deeper)) == ["node.too_deep"]


def together(wait_for: str, number: int = 2) -> Graph:
    join = {**node("join", "flow.together@1"), "config": {"wait_for": wait_for, "number": number}}
    return parse(
        document(
            "start -> a, start -> b, start -> c, a -> join, b -> join, c -> join, join -> after",
            *(node("start", "trigger.manual@1"), node("a"), node("b"), node("c"), join, node("after")),
        )
    )


@pytest.mark.parametrize(("wait_for", "needed"), [("all", 3), ("first", 1), ("number", 2)])
def test_branches_are_brought_together_when_enough_have_come(wait_for: str, needed: int) -> None:
    graph = together(wait_for)
    state, _ = advance(graph, fresh(), RunStarted("start", 1))
    state, _ = advance(graph, state, StepSucceeded("start", 1, ("out",), 1))
    for count, key in enumerate("abc", start=1):
        state, commands = advance(graph, state, StepSucceeded(key, 1, ("out",), 2))
        assert (Execute("join", 1) in commands) == (count == needed), (count, key)


def test_fewer_than_enough_suffice_when_no_more_can_come() -> None:
    graph = together("number", 3)
    state, _ = advance(graph, fresh(), RunStarted("start", 1))
    state, _ = advance(graph, state, StepSucceeded("start", 1, ("out",), 1))
    state, _ = advance(graph, state, StepSucceeded("a", 1, ("out",), 2))
    state, _ = advance(graph, state, StepSucceeded("b", 1, (), 2))
    state, commands = advance(graph, state, StepSucceeded("c", 1, (), 2))
    assert commands == (Execute("join", 1),)
    state, _ = advance(graph, state, StepSucceeded("join", 1, ("out",), 3))
    assert {key.node: step.status for key, step in state.steps.items()}["join"] is StepStatus.SUCCEEDED


def test_the_check_knows_where_there_is_an_item() -> None:
    from runtime.catalog import CATALOG

    def fields(key: str, value: str, parent: str | None = None) -> dict[str, Any]:
        made = node(key, parent=parent)
        return {**made, "config": {"fields": [{"name": "x", "value": value}]}}

    each = {**loop(), "config": {"items": "{{ trigger.lines }}", "label": "{{ item.number }}"}}
    start = node("start", "trigger.manual@1")
    good = document(
        "start -> each, each -> after, a -> b",
        start, each, fields("a", "{{ item }}", "each"), fields("b", "{{ steps.a.x }}", "each"),
        fields("after", "{{ steps.each.done }}"),
    )  # fmt: skip
    assert [one.code for one in check(good, CATALOG) if one.severity == "error"] == []
    outside = document(
        "start -> each, each -> after", start, each, fields("a", "1", "each"), fields("after", "{{ item }}")
    )
    assert "reference.no_items" in [one.code for one in check(outside, CATALOG)]
    into = document(
        "start -> each, each -> after", start, each, fields("a", "1", "each"), fields("after", "{{ steps.a.x }}")
    )
    assert "reference.inside_container" in [one.code for one in check(into, CATALOG)]
    rules = [{"name": "x", "when": "{{ item.x > index }}"}]
    review = node("list", "people.review@1", config={"rules": rules, "title": "{{ item }}"})
    told = [
        one.field for one in check(document("start -> list", start, review), CATALOG) if one.code.endswith("_items")
    ]
    assert told == ["title"], "a rule speaks of each row"
    empty = document("start -> each", start, each)
    assert "container.empty" in [one.code for one in check(empty, CATALOG)]
    itself = document("start -> each", start, each, fields("a", "{{ steps.each.done }}", "each"))
    assert "reference.not_before" in [one.code for one in check(itself, CATALOG)]
