"""A run follows its graph, one durable step at a time."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runtime import api
from runtime.contracts import NotFound, RunFilters
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps
from runtime.interpreter.attempts import call_inline
from runtime.interpreter.outcomes import Ending
from runtime.interpreter.payloads import reference_in
from runtime.interpreter.versions import Step
from runtime.store.models import Artifact, Response, Run, StepRun, Version
from runtime.store.reads import RunEnd
from tests.runtime.fixtures import World
from tests.runtime.machine import (
    WORKSPACE,
    Machine,
    detail,
    fields,
    flow,
    get,
    look,
    pause,
    post,
    statuses,
    step,
    wait_until,
)


def test_each_step_is_committed_on_its_own_and_in_order(machine: Machine) -> None:
    run = machine.run(flow("start -> a -> b -> c"))
    assert (run.status, run.outcome) == ("completed", "done")
    rows = StepRun.objects.filter(run_id=run.id).order_by("seq")
    assert [row.node_id for row in rows] == ["start", "a", "b", "c"]
    assert [row.seq for row in rows] == [1, 2, 3, 4]
    assert [row.commit_seq for row in rows] == [1, 2, 3, 4]
    assert run.seq == 4


def test_a_step_reads_the_results_of_earlier_ones_exactly(machine: Machine) -> None:
    run = machine.run(
        flow(
            "start -> a -> b",
            fields("a", total="{{ trigger.price * 3 }}", run="{{ run.id }}"),
            fields("b", again="{{ steps.a.total + 1 }}", mode="{{ run.mode }}"),
        ),
        {"price": Decimal("0.1")},
    )
    assert run.status == "completed"
    assert detail(run.id, "a").output == {"total": Decimal("0.3"), "run": str(run.id)}
    assert detail(run.id, "b").output == {"again": Decimal("1.3"), "mode": "live"}
    assert detail(run.id, "b").input == {
        "fields": [{"name": "again", "value": Decimal("1.3")}, {"name": "mode", "value": "live"}]
    }


def test_only_the_taken_branch_runs_and_the_join_waits_for_it(machine: Machine) -> None:
    rules = {"match": "all", "rules": [{"left": "{{ trigger.total }}", "op": "gt", "right": 100}]}
    graph = flow(
        "start -> big, big:yes -> a -> end, big:no -> b -> end",
        step("big", "flow.decision@1", {"conditions": rules}),
    )
    run = machine.run(graph, {"total": 500})
    assert run.status == "completed"
    assert statuses(run.id) == {
        "start": "succeeded", "big": "succeeded", "a": "succeeded", "b": "skipped", "end": "succeeded",
    }  # fmt: skip


def test_branches_that_are_ready_together_run_side_by_side(machine: Machine, world: World) -> None:
    slow = f"{world.url}/with/slow=3000/customers"
    run = machine.run(
        flow(
            "start -> a -> end, start -> b -> end, start -> c -> end",
            get("a", slow),
            get("b", slow),
            get("c", slow),
        )
    )
    assert run.status == "completed"
    calls = StepRun.objects.filter(run_id=run.id, node_id__in=["a", "b", "c"])
    began = [call.started_at for call in calls if call.started_at is not None]
    ended = [call.finished_at for call in calls if call.finished_at is not None]
    assert len(began) == len(ended) == 3
    assert max(began) < min(ended), "a call waited for another to end"


def test_a_stop_ends_the_run_with_its_word(machine: Machine) -> None:
    run = machine.run(flow("start -> halt, start -> long -> never", step("halt", "flow.stop@1"), pause("long", 60)))
    assert (run.status, run.outcome) == ("completed", "stopped")
    assert statuses(run.id) == {"start": "succeeded", "halt": "succeeded", "long": "cancelled"}


def test_a_filter_ends_the_run_quietly(machine: Machine) -> None:
    rules = {"match": "all", "rules": [{"left": "{{ trigger.total }}", "op": "gt", "right": 100}]}
    graph = flow("start -> only -> a", step("only", "flow.continue_if@1", {"conditions": rules}))
    run = machine.run(graph, {"total": 5})
    assert (run.status, run.outcome) == ("completed", "filtered")


def test_a_failing_step_leaves_the_run_to_a_person_with_plain_words(machine: Machine) -> None:
    run = machine.run(flow("start -> a -> b", fields("a", value="{{ trigger.total / 0 }}")), {"total": 1})
    assert run.status == "dead_lettered"
    assert run.error is not None
    assert run.error["node"] == "a"
    assert run.current_node == "a"
    assert run.error["message"]
    found = detail(run.id, "a")
    assert found.step.status == "failed"
    assert [attempt.status for attempt in found.attempts] == ["failed"]
    assert "b" not in statuses(run.id)


def test_a_failure_can_be_routed_or_passed_over(machine: Machine) -> None:
    broken = "{{ trigger.total / 0 }}"
    run = machine.run(
        flow(
            "start -> a -> b, start -> c, c:error -> d",
            fields("a", settings={"on_failure": "continue", "fallback": {"value": 7}}, value=broken),
            fields("b", value="{{ steps.a.value }}"),
            fields("c", settings={"on_failure": "error_port"}, value=broken),
            fields("d", why="{{ error.step }}", code="{{ error.code }}"),
        ),
        {"total": 1},
    )
    assert (run.status, run.outcome) == ("completed", "done_with_failures")
    assert detail(run.id, "b").output == {"value": 7}
    assert detail(run.id, "d").output == {"why": "c", "code": "formula"}


def test_a_disabled_step_passes_on_what_came_in(machine: Machine) -> None:
    run = machine.run(
        flow(
            "start -> a -> b -> c", fields("b", settings={"disabled": True}, x=1), fields("c", got="{{ steps.b.from }}")
        )
    )
    assert run.status == "completed"
    assert detail(run.id, "c").output == {"got": "a"}


def test_large_outputs_stand_outside_the_row_and_are_read_back(idle_machine: Machine) -> None:
    idle_machine.start(reloads=True)
    text = "x" * 200_000
    run = idle_machine.run(
        flow("start -> a -> b", fields("a", copy="{{ trigger.text }}"), fields("b", size="{{ length(steps.a.copy) }}")),
        {"text": text},
    )
    assert run.status == "completed"
    assert detail(run.id, "b").output == {"size": 200_000}
    assert detail(run.id, "a").output == {"copy": text}
    row = StepRun.objects.get(run_id=run.id, node_id="a")
    assert row.output is not None
    assert row.output.startswith("@artifact:")
    assert Artifact.objects.filter(workspace_id=WORKSPACE).count() >= 2


def test_a_large_result_is_worked_out_once(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    def counted(step: Step, *more: Any) -> Ending:
        begun.append(step.node.id)
        return call_inline(step, *more)

    monkeypatch.setattr("runtime.interpreter.driver.call_inline", counted)
    run = machine.run(flow("start -> a -> b", fields("a", copy="{{ trigger.text }}")), {"text": "x" * 100_000})
    assert run.status == "completed"
    assert begun == ["start", "a", "b"]


def test_nobody_can_smuggle_in_a_reference_to_a_foreign_document() -> None:
    text = "@artifact:00000000-0000-0000-0000-000000000000:0:1"
    assert reference_in(text) is not None
    assert reference_in(dumps(text)) is None
    assert reference_in(dumps({"@artifact": text})) is None


def test_an_output_beyond_the_limit_fails_its_step_in_plain_words(machine: Machine) -> None:
    copies = [{"name": name, "value": "{{ trigger.text }}"} for name in "bcdefghijklm"]
    run = machine.run(flow("start -> a", step("a", "data.edit_fields@1", {"fields": copies})), {"text": "y" * 950_000})
    assert run.status == "dead_lettered"
    assert run.error is not None
    assert run.error["code"] == "output_too_large"
    assert "10 MiB" in run.error["message"]


def test_the_version_a_run_was_accepted_under_is_the_one_it_runs(idle_machine: Machine) -> None:
    machine = idle_machine
    machine.start()
    first = flow("start -> a -> wait -> b", step("wait", "flow.wait@1", {"amount": "1.5", "unit": "seconds"}))
    workflow_id = machine.publish(first)
    run_id = machine.begin_again(workflow_id)
    machine.publish(flow("start -> z"), workflow_id)
    api.retire(workspace_id=WORKSPACE, workflow_id=workflow_id)
    # Whoever carries on has to read the version first.
    machine.crash()
    machine.start()
    run = machine.finish(run_id)
    assert (run.status, run.version) == ("completed", 1)
    assert statuses(run_id)["b"] == "succeeded"


def test_a_step_type_that_this_build_lacks_sets_the_run_aside_until_it_is_known(machine: Machine) -> None:
    workflow_id = machine.publish(flow("start -> a -> b"))
    newer = flow("start -> a -> b", step("b", "data.from_the_future@9"))
    Version.objects.filter(workflow_id=workflow_id).update(graph=dumps(newer))
    run_id = machine.begin_again(workflow_id)
    run = machine.until(run_id, lambda found: found.status == "parked")
    assert run.waiting is not None
    assert run.waiting["reason"] == "unsupported"
    assert statuses(run_id) == {"start": "succeeded", "a": "succeeded"}
    # A capable worker comes by.
    known = flow("start -> a -> b")
    machine.stop()
    Version.objects.filter(workflow_id=workflow_id).update(graph=dumps(known))
    Run.objects.filter(pk=run_id).update(wake_at=1)
    machine.start()
    assert machine.finish(run_id).status == "completed"


def test_the_business_key_names_the_run(machine: Machine) -> None:
    config = {"business_key": "{{ trigger.body.invoice }}"}
    graph = flow("start -> a", step("start", "trigger.webhook@1", config))
    run_id = api.start_run(
        workspace_id=WORKSPACE, workflow_id=machine.publish(graph), input={"invoice": "INV-1042"}
    ).run_id
    run = machine.finish(run_id)
    assert run.status == "completed"
    assert run.business_key == "INV-1042"
    found = api.runs(workspace_id=WORKSPACE, filters=RunFilters(query="INV-10"))
    assert [one.id for one in found.items] == [run_id]


def test_a_respond_step_leaves_one_answer(machine: Machine) -> None:
    config = {"status": 201, "body_type": "json", "json_body": {"total": "{{ trigger.body.total }}"}}
    graph = flow(
        "start -> answer -> after",
        step("start", "trigger.webhook@1", {"respond": "respond_step"}),
        step("answer", "flow.respond@1", config),
    )
    run = machine.run(graph, {"total": 3})
    assert run.status == "completed"
    assert Response.objects.get(run_id=run.id).status == 201


def test_a_read_is_recorded_with_what_was_asked_and_answered(machine: Machine, world: World) -> None:
    run = machine.run(flow("start -> a", get("a", f"{world.url}/customers/C-200")))
    assert run.status == "completed", run.error
    (attempt,) = detail(run.id, "a").attempts
    assert (attempt.status, attempt.effect_class, attempt.effect_key) == ("succeeded", "read", None)
    assert attempt.request
    assert attempt.response


def test_a_run_of_another_workspace_is_not_there(machine: Machine) -> None:
    run = machine.run(flow("start -> a"))
    with pytest.raises(NotFound):
        api.run(workspace_id=uuid7(), run_id=run.id)
    assert look(run.id).id == run.id


def test_a_key_is_sent_with_every_write(machine: Machine, world: World) -> None:
    body = {"order": "SO-1", "customer": "C-200", "amount": 10, "currency": "EUR"}
    run = machine.run(flow("start -> a", post("a", f"{world.url}/invoices", body)))
    assert run.status == "completed", run.error
    (attempt,) = detail(run.id, "a").attempts
    assert attempt.effect_class == "keyed"
    assert attempt.effect_key
    assert len(world.calls(attempt.effect_key)) == 1


def test_who_waits_for_the_end_hears_it_from_the_writer_unless_an_answer_came_before(machine: Machine) -> None:
    assert machine.runtime is not None
    writer = machine.runtime.writer
    assert writer is not None
    graphs = {
        False: flow("start -> wait -> a", pause("wait", 0.3)),
        True: flow(
            "start -> wait -> answer -> a",
            step("start", "trigger.webhook@1", {"respond": "respond_step"}),
            pause("wait", 0.3),
            step("answer", "flow.respond@1", {"status": 201, "body_type": "json", "json_body": {"made": 1}}),
        ),
    }
    for answered, graph in graphs.items():
        told: list[RunEnd | None] = []
        run_id = machine.begin(graph)
        writer.watch(run_id, told.append)
        assert machine.finish(run_id).status == "completed"
        wait_until(lambda: len(told) == (2 if answered else 1))  # noqa: B023
        if answered:
            assert told[0] is not None
            assert told[0].response is not None
            assert told[0].response.status == 201
            assert told[1] is None, "the answer that stands has to be looked up"
        else:
            assert told[0] is not None
            assert (told[0].status, told[0].outcome, told[0].response) == ("completed", "done", None)
