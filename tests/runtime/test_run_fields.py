"""What runs are found by is written with the step that says it, and found from then on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from runtime import api
from runtime.contracts import FieldTerm, GraphHasProblems, RunFilters, RunView
from runtime.engine.naming import NamingField, as_worth, folded, instant_of, units_of
from runtime.store.models import RunField
from tests.runtime.machine import WORKSPACE, Machine, cut_short, fields, flow, look, pause, step, wait_until
from tests.runtime.test_own_runs import children, each, inside
from tests.runtime.test_retrying import go_on


def named(graph: dict[str, Any], key: str = "", *said: dict[str, Any]) -> dict[str, Any]:
    return {**graph, "naming": {"key": key, "fields": list(said)}}


TOTAL = {
    "name": "total",
    "label": "Total",
    "kind": "amount",
    "value": "{{ trigger.total }}",
    "currency": "{{ trigger.in }}",
}


def rows(run_id: UUID) -> dict[str, tuple[str, int | None, str]]:
    found = RunField.objects.filter(workspace_id=WORKSPACE, run_id=run_id)
    return {name: (shown, number, currency) for name, shown, number, currency in found.values_list(
        "name", "shown", "number", "currency"
    )}  # fmt: skip


def keys(**wanted: Any) -> list[str | None]:
    return [run.business_key for run in api.runs(workspace_id=WORKSPACE, filters=RunFilters(**wanted)).items]


class TestWriting:
    def test_the_key_and_the_fields_of_the_start_are_there_as_soon_as_it_is_done(self, machine: Machine) -> None:
        graph = named(flow("start -> pause -> a", pause("pause", 3600)), "{{ trigger.number }}", TOTAL)
        run_id = machine.begin(graph, input={"number": "R-2026-0417", "total": "13412.80", "in": "eur"})
        machine.until(run_id, lambda run: run.status == "waiting_timer")
        assert rows(run_id) == {
            "key": ("R-2026-0417", None, ""), "total": ("13412.80", 134_128_000, "EUR"),
        }  # fmt: skip
        run = api.run(workspace_id=WORKSPACE, run_id=run_id)
        assert run.business_key == "R-2026-0417"
        assert [(one.label, one.text, one.currency) for one in run.fields] == [("Total", "13412.80", "EUR")]

    def test_what_a_later_step_says_is_there_when_that_has_succeeded(self, machine: Machine) -> None:
        later = {"name": "supplier", "kind": "text", "value": "{{ steps.a.name }}"}
        graph = named(
            flow("start -> pause -> a", pause("pause", 600), fields("a", name="Brink", number="R-9")),
            "{{ steps.a.number }}",
            later,
        )
        run_id = machine.begin(graph)
        machine.until(run_id, lambda run: run.status == "waiting_timer")
        assert rows(run_id) == {}
        cut_short(run_id)
        run = machine.finish(run_id)
        assert run.business_key == "R-9"
        assert rows(run_id) == {"key": ("R-9", None, ""), "supplier": ("Brink", None, "")}

    def test_the_key_of_the_start_holds_until_a_later_step_says_another(self, machine: Machine) -> None:
        start = step("start", "trigger.manual@1", {"business_key": "{{ trigger.order }}"})
        graph = named(flow("start -> a", start, fields("a", number="R-1")), "{{ steps.a.number }}")
        run = machine.run(graph, input={"order": "PO-1"})
        assert (run.business_key, rows(run.id)["key"][0]) == ("R-1", "R-1")
        assert keys(query="PO-1") == []
        assert keys(query="R-1") == ["R-1"]

    def test_a_formula_that_cannot_be_worked_out_stops_nothing(self, machine: Machine) -> None:
        graph = named(flow("start -> a"), "{{ trigger.no.such.thing }}", TOTAL)
        run = machine.run(graph, input={"total": "soon"})
        assert run.status == "completed"
        assert rows(run.id) == {"total": ("soon", None, "")}

    def test_changing_what_runs_are_called_changes_new_runs_only(self, machine: Machine) -> None:
        workflow = machine.publish(named(flow("start -> a"), "{{ trigger.a }}"))
        old = machine.finish(machine.begin_again(workflow, {"a": "A-1", "b": "B-1"}))
        machine.publish(named(flow("start -> a"), "{{ trigger.b }}"), workflow)
        new = machine.finish(machine.begin_again(workflow, {"a": "A-2", "b": "B-2"}))
        assert [api.run(workspace_id=WORKSPACE, run_id=one.id).business_key for one in (old, new)] == ["A-1", "B-2"]


class TestSaying:
    @pytest.mark.parametrize(
        ("said", "code"),
        [
            ({"fields": [{"name": "status", "value": "x"}]}, "naming.name_taken"),
            ({"fields": [{"name": "Total", "value": "x"}]}, "naming.name"),
            ({"fields": [{"name": "a", "value": "x"}, {"name": "a", "value": "x"}]}, "naming.name_twice"),
            ({"fields": [{"name": f"f{n}", "value": "x"} for n in range(6)]}, "naming.too_many"),
            ({"fields": [{"name": "a"}]}, "naming.value_missing"),
            ({"key": "{{ steps.gone.x }}"}, "reference.step_missing"),
            ({"key": "{{ item.x }}"}, "reference.unknown"),
            ({"key": "{{ trigger."}, "naming.formula"),
            ({"colour": "red"}, "field.unknown"),
        ],
    )
    def test_what_means_nothing_cannot_be_published(self, machine: Machine, said: dict[str, Any], code: str) -> None:
        with pytest.raises(GraphHasProblems) as refused:
            machine.publish({**flow("start -> a"), "naming": said})
        assert code in {one.code for one in refused.value.problems}

    def test_values_are_kept_as_people_see_them_and_compared_as_numbers(self) -> None:
        total = NamingField("total", "Total", "amount", "")
        assert as_worth(total, "10.50", "EUR") == ("total", "10.50", "10.50", 105_000, "EUR")
        assert as_worth(total, "1,000.00", None) == ("total", "1,000.00", "1,000.00", None, "")
        assert as_worth(total, None) is None
        assert units_of("0.00005") == 0
        assert units_of(True) is None
        assert units_of("1e9") is None
        assert units_of("9" * 30) is None
        assert instant_of("2026-11-30") == 1_795_996_800_000
        assert instant_of("30.11.2026") is None
        assert folded("  Straße  ÖKO ") == "strasse öko"


def test_a_search_is_data_to_the_database_and_nothing_else(machine: Machine) -> None:
    graph = named(flow("start -> a"), "{{ trigger.key }}", TOTAL)
    for key in ("50%_off", "a\\b", "x'; DROP TABLE store_run; --"):
        machine.run(graph, input={"key": key})
    assert keys(query="%_") == ["50%_off"]
    assert keys(query="a\\b") == ["a\\b"]
    assert keys(fields=(FieldTerm("key", "contains", "'; drop"),)) == ["x'; DROP TABLE store_run; --"]
    assert keys(fields=(FieldTerm("key' OR '1'='1", "contains", ""),)) == []


def test_where_runs_are_now_is_counted_by_step(machine: Machine) -> None:
    graph = flow("start -> pause -> a", pause("pause", 3600))
    workflow = machine.publish(graph)
    for number in range(2):
        run_id = machine.begin_again(workflow, {"n": number})
        machine.until(run_id, lambda run: run.status == "waiting_timer")
    run: RunView = api.run(workspace_id=WORKSPACE, run_id=run_id)
    (standing,) = api.standing_at(workspace_id=WORKSPACE, workflow_id=run.workflow_id)
    assert (standing.node, standing.running, standing.waiting, standing.failed) == ("pause", 0, 2, 0)
    assert (
        len(keys(nodes=("pause",))) == len(keys(nodes=("pause",), stands="waiting")) == len(keys(stands="waiting")) == 2
    )
    assert keys(nodes=("pause",), stands="running") == keys(nodes=("pause",), stands="failed") == []
    assert keys(nodes=("a",)) == keys(nodes=("a",), stands="waiting") == []


def test_a_failed_run_stands_at_its_step_until_somebody_has_decided(machine: Machine) -> None:
    run = machine.run(flow("start -> stop", step("stop", "flow.fail@1", {"message": "No."})))
    (standing,) = api.standing_at(workspace_id=WORKSPACE, workflow_id=run.workflow_id)
    assert (standing.node, standing.failed) == ("stop", 1)
    assert len(keys(nodes=("stop",), stands="failed")) == 1
    assert keys(nodes=("stop",), stands="waiting") == keys(nodes=("stop",), stands="running") == []
    api.solve_dead_letters(workspace_id=WORKSPACE, run_ids=[run.id], solution="elsewhere", reason="By hand.")
    assert keys(nodes=("stop",), stands="failed") == []
    assert len(keys(nodes=("stop",))) == 1, "it did fail there"


def test_each_number_of_where_runs_are_is_how_many_are_found_also_within_lists(machine: Machine) -> None:
    share = fields("share", of="{{ 100 / item }}")
    graph = flow(
        "start -> each, share -> pause", each(stop="never", at_a_time=3), *inside("each", share, pause("pause", 3600))
    )
    run_id = machine.begin(graph, {"lines": [0, 5, 0]})
    workflow = look(run_id).workflow_id
    wait_until(lambda: sum(one.failed for one in api.standing_at(workspace_id=WORKSPACE, workflow_id=workflow)) == 2)
    wait_until(lambda: children(run_id)[1].status == "waiting_timer")
    machine.until(run_id, lambda run: run.status == "waiting_event")
    standing = {one.node: one for one in api.standing_at(workspace_id=WORKSPACE, workflow_id=workflow)}
    assert (standing["share"].failed, standing["pause"].waiting) == (2, 1)
    for node, one in standing.items():
        numbers = {"running": one.running, "waiting": one.waiting, "failed": one.failed}
        numbers["any"] = sum(numbers.values())
        for stands, number in numbers.items():
            wanted: Any = {"workflow_id": workflow, "mode": "live", "nodes": (node,), "stands": stands}
            assert (node, stands, len(keys(**wanted))) == (node, stands, number)
            assert api.count_runs(workspace_id=WORKSPACE, filters=RunFilters(**wanted)).count == number
    assert keys(nodes=("share", "pause"), stands="any") == [], "of all workflows, runs of their own alone"


def test_a_run_that_is_gone_on_with_while_they_are_counted_stands_there_once(idle_machine: Machine) -> None:
    idle_machine.start()
    run = idle_machine.run(flow("start -> stop", step("stop", "flow.fail@1", {"message": "No."})))
    idle_machine.stop()
    asked = 0

    def meanwhile(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal asked
        found = execute(sql, params, many, context)
        asked += 1
        if asked == 1:
            go_on(run.id)
        return found

    with connection.execute_wrapper(meanwhile):
        (standing,) = api.standing_at(workspace_id=WORKSPACE, workflow_id=run.workflow_id)
    assert (standing.node, standing.running + standing.failed) == ("stop", 1)
    idle_machine.start()
    idle_machine.finish(run.id)


def test_a_key_has_a_timeline_across_workflows(machine: Machine) -> None:
    first = machine.run(named(flow("start -> a"), "{{ trigger.key }}", TOTAL), input={"key": "R-1", "total": "5"})
    broken = named(flow("start -> a", fields("a", x="{{ 1 / 0 }}")), "{{ trigger.key }}")
    second = machine.run(broken, input={"key": "r-1"})
    anew = machine.finish(api.replay_as_new(workspace_id=WORKSPACE, run_id=first.id).id)
    machine.run(named(flow("start -> a"), "{{ trigger.key }}"), input={"key": "R-10"})
    found = api.timeline(workspace_id=WORKSPACE, key="R-1")
    assert [(one.run_id, one.kind) for one in found.events if one.run_id == first.id] == [
        (first.id, "started"), (first.id, "completed"),
    ]  # fmt: skip
    assert [(one.kind, one.text) for one in found.events if one.run_id == second.id] == [
        ("started", ""), ("dead_lettered", "A formula could not be worked out"),
    ]  # fmt: skip
    assert [one.kind for one in found.events if one.run_id == anew.id] == ["started_anew", "completed"]
    assert [one.at for one in found.events] == sorted(one.at for one in found.events)
    assert len({one.workflow_id for one in found.events}) == 2
    assert [one.text for one in found.fields] == ["5"]
    assert api.timeline(workspace_id=WORKSPACE, key="R-2").events == []
