"""With which version the run of a called workflow is gone on with: the one that the plan named, whatever follows."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import BulkRetryView, PlanOutdated
from tests.runtime.machine import WORKSPACE, Machine, fields, flow, look, step
from tests.runtime.test_bulk_retries import BY, now, until
from tests.runtime.test_own_runs import callee, children
from tests.runtime.test_retrying import planned


def fails(message: str = "No.") -> dict[str, Any]:
    return step("work", "flow.fail@1", {"message": message})


def publish(machine: Machine, other: str, work: dict[str, Any]) -> None:
    """The next version of the called workflow."""
    machine.publish(flow("start -> work", work, start="trigger.called@1"), UUID(other))


def calling(other: str, **settings: Any) -> dict[str, Any]:
    return flow("start -> runs", step("runs", "flow.run_workflow@1", {"workflow": other, "input": {}}, **settings))


def bulk_retry(runs: list[UUID], version: Literal["own", "published"], **asked: Any) -> BulkRetryView:
    return api.start_bulk_retry(workspace_id=WORKSPACE, run_ids=runs, version=version, by=BY, **asked)


def versions(*runs: UUID) -> list[int]:
    """Of which version the run is that each of these has called."""
    return [child.version.number for run in runs for child in children(run, "runs")]


def test_the_plan_names_the_version_of_the_called_workflow(machine: Machine) -> None:
    other = callee(machine, fails())
    run = machine.run(calling(other))
    (line,) = (one for one in planned(run.id).steps if one.node == "runs")
    assert line.items is not None
    assert line.items.version is None, "it is gone on with as it was"
    publish(machine, other, fields("work", of="v2"))
    plan = planned(run.id)
    (line,) = (one for one in plan.steps if one.node == "runs")
    assert line.items is not None
    assert line.items.version == 2
    api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id)
    assert (machine.finish(run.id).status, versions(run.id)) == ("completed", [2])


def test_a_plan_is_out_of_date_once_another_version_of_what_it_calls_is_live(machine: Machine) -> None:
    other = callee(machine, fails())
    run = machine.run(calling(other))
    plan = planned(run.id)
    publish(machine, other, fields("work", of="v2"))
    with pytest.raises(PlanOutdated):
        api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id)
    assert (look(run.id).generation, versions(run.id)) == (1, [1])


@pytest.mark.parametrize("version", ["own", "published"])
def test_a_bulk_retry_holds_to_what_was_live_of_the_called_workflow_when_it_began(
    machine: Machine, version: Any
) -> None:
    other = callee(machine, fails())
    workflow = machine.publish(calling(other))
    runs = [machine.finish(machine.begin_again(workflow)).id for _ in range(3)]
    publish(machine, other, fields("work", of="v2"))
    bulk = bulk_retry(runs, version, trial=True)
    assert until(bulk, "waiting").trial == "done"
    publish(machine, other, fails("Broken again."))
    held = {one.workflow_id: (one.version, one.live) for one in now(bulk).held_to}
    assert held[UUID(other)] == (2, 3)
    api.go_on_with_bulk(workspace_id=WORKSPACE, bulk_id=bulk.id)
    ended = until(bulk, "done")
    assert (ended.done, ended.failed, versions(*runs)) == (3, 0, [2, 2, 2])


def test_what_a_called_workflow_calls_is_held_to_as_well(machine: Machine) -> None:
    inner = callee(machine, fails())
    outer = callee(machine, step("work", "flow.run_workflow@1", {"workflow": inner, "input": {}}))
    workflow = machine.publish(calling(outer))
    run = machine.finish(machine.begin_again(workflow)).id
    publish(machine, inner, fields("work", of="v2"))
    bulk = bulk_retry([run], "own")
    assert until(bulk, "done").done == 1
    assert {one.workflow_id: one.version for one in now(bulk).held_to} == {UUID(outer): 1, UUID(inner): 2}
    (middle,) = children(run, "runs")
    assert [child.version.number for child in children(middle.id, "work")] == [2]
