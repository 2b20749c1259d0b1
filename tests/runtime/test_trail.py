"""The audit trail (I40): whatever happens to a run is on record, by whom, and the record cannot be changed.

That each run's state is what its trail says is looked at after every test of this folder (`conftest.whole_trails`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from runtime import api
from runtime.api.cursors import BadCursor
from runtime.contracts import NotFound, TrailEntry, Voter
from runtime.engine.ids import uuid7
from runtime.store import trail
from runtime.store.models import Run, StepRun
from runtime.store.transitions import Transition
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, fields, flow, pause, post, statuses, step, wait_until

INVOICE = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10, "currency": "EUR"}


def entries(run_id: Any, limit: int = 200) -> list[TrailEntry]:
    return list(api.trail(workspace_id=WORKSPACE, run_id=run_id, limit=limit).items)


def test_every_commit_of_a_run_is_on_record(machine: Machine, world: World) -> None:
    run = machine.run(flow("start -> a -> pay -> b", post("pay", f"{world.url}/invoices", INVOICE)))
    found = entries(run.id)
    assert [entry.kind for entry in found][:2] == ["accepted", "changed"]
    assert (found[0].by, found[1].worker is not None) == ("api", True)
    assert {entry.seq for entry in found} == set(range(run.seq + 1)), "no commit is missing"
    assert [entry.token for entry in found] == sorted(entry.token for entry in found)
    assert (found[-1].before, found[-1].status) == ("running", "completed")
    tried = [one.status for entry in found for one in entry.steps if one.tried and one.node == "pay"]
    assert tried == ["intent", "succeeded"]


def test_what_a_commit_only_adds_is_told_by_the_step_itself(machine: Machine) -> None:
    run = machine.run(flow("start -> a -> b -> c -> d"))
    rows = Transition.objects.filter(run_id=run.id).count()
    found = entries(run.id)
    assert rows < len(found) - 1, "steps that only compute cost no further row"
    told = [one.node for entry in found for one in entry.steps]
    assert told == ["start", "a", "b", "c", "d"]
    assert all(row.token for row in StepRun.objects.filter(run_id=run.id))


def test_pages_hold_everything_once_and_in_order(machine: Machine, world: World) -> None:
    links = "start -> a -> b -> pay -> c -> d -> e"
    run = machine.run(flow(links, post("pay", f"{world.url}/invoices", INVOICE)))
    whole = entries(run.id)
    for limit in (1, 2, 3, 5):
        paged: list[TrailEntry] = []
        after: str | None = None
        while True:
            page = api.trail(workspace_id=WORKSPACE, run_id=run.id, after=after, limit=limit)
            assert len(page.items) <= limit
            paged += page.items
            if (after := page.next_cursor) is None:
                break
        assert paged == whole


def test_a_strange_cursor_and_another_workspace_are_refused(machine: Machine) -> None:
    run = machine.run(flow("start -> a"))
    for cursor in ("x", "1", "1-x", "-", "9" * 50 + "-1"):
        with pytest.raises(BadCursor):
            api.trail(workspace_id=WORKSPACE, run_id=run.id, after=cursor)
    for ask in (api.trail, api.trail_faults, api.export):
        with pytest.raises(NotFound):
            ask(workspace_id=uuid4(), run_id=run.id)


def test_a_person_who_cancels_stands_in_the_trail(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> rest", pause("rest", 600)))
    machine.until(run_id, lambda run: run.status == "waiting_timer")
    person = uuid7()
    api.cancel(workspace_id=WORKSPACE, run_id=run_id, by=person)
    machine.finish(run_id)
    [asked] = [entry for entry in entries(run_id) if entry.kind == "cancel"]
    assert (asked.by, asked.detail["undo"]) == (f"user:{person}", False)
    assert entries(run_id)[-1].status == "cancelled"


def test_a_cancelled_run_says_who_cancelled_it_when_and_why(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> rest", pause("rest", 600)))
    machine.until(run_id, lambda run: run.status == "waiting_timer")
    person = uuid7()
    api.cancel(workspace_id=WORKSPACE, run_id=run_id, by=person, reason="  ordered twice  ")
    machine.finish(run_id)
    [asked] = [entry for entry in entries(run_id) if entry.kind == "cancel"]
    view = api.run(workspace_id=WORKSPACE, run_id=run_id)
    assert view.cancelled is not None
    assert (view.cancelled.by, view.cancelled.reason) == (f"user:{person}", "ordered twice")
    assert asked.at is not None
    assert view.accepted_at < view.cancelled.at <= asked.at
    assert asked.detail["reason"] == "ordered twice"

    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run_id)
    api.retry(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id)
    assert api.run(workspace_id=WORKSPACE, run_id=run_id).cancelled is None
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    again = api.run(workspace_id=WORKSPACE, run_id=run_id).cancelled
    assert again is not None
    assert (again.by, again.reason) == ("api", "")


def test_a_person_who_decides_stands_in_the_trail(machine: Machine) -> None:
    ask = step("ask", "people.approval@1", {"title": "May it?"})
    run_id = machine.begin(flow("start -> ask, ask:approved -> yes, ask:rejected -> no", ask))
    wait_until(lambda: bool(api.tasks(workspace_id=WORKSPACE, run_id=run_id).items))
    [task] = api.tasks(workspace_id=WORKSPACE, run_id=run_id).items
    voter = Voter(uuid7(), "Ada", "ada@example.org")
    api.decide(workspace_id=WORKSPACE, task_id=task.id, outcome="approved", voter=voter)
    machine.finish(run_id)
    [said] = [entry for entry in entries(run_id) if entry.kind == "decide"]
    assert (said.by, said.detail["node"], said.detail["outcome"]) == (f"user:{voter.id}", "ask", "approved")


def test_who_retries_stands_in_the_trail_with_what_was_kept(machine: Machine, world: World) -> None:
    run = machine.run(flow("start -> a -> pay", post("pay", f"{world.url}/with/fail=422*1/invoices", INVOICE)))
    assert run.status == "dead_lettered"
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run.id)
    person = uuid7()
    api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id, by=person)
    machine.finish(run.id)
    [again] = [entry for entry in entries(run.id) if entry.kind == "retried"]
    assert (again.by, again.generation, again.before) == (f"user:{person}", 2, "dead_lettered")
    assert {one.node for one in again.steps if one.status == "succeeded"} == {"start", "a"}


def test_a_lease_that_is_taken_over_is_on_record(idle_machine: Machine, world: World) -> None:
    first = idle_machine.start().boot_id
    pay = post("pay", f"{world.url}/with/slow=6000*1/invoices", INVOICE)
    run_id = idle_machine.begin(flow("start -> pay -> b", pay))
    wait_until(lambda: statuses(run_id).get("pay") == "running")
    idle_machine.crash()
    second = idle_machine.start().boot_id
    idle_machine.finish(run_id)
    found = entries(run_id)
    assert "release" in [entry.kind for entry in found], "the restart takes the lease back"
    workers = [entry.worker for entry in found if entry.worker is not None]
    assert workers[0] == first
    assert workers[-1] == second


CHANGES: list[Callable[[Any], Any]] = [
    lambda run_id: Transition.objects.filter(run_id=run_id).update(worker="nobody"),
    lambda run_id: Transition.objects.filter(run_id=run_id).update(status="running"),
    lambda run_id: Transition.objects.filter(run_id=run_id).delete(),
    lambda run_id: StepRun.objects.filter(run_id=run_id, node_id="a").update(status="failed"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_nobody_changes_the_record(machine: Machine, change: Callable[[Any], Any]) -> None:
    run = machine.run(flow("start -> a"))
    before = entries(run.id)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        change(run.id)
    assert entries(run.id) == before


def test_a_change_behind_everybodys_back_is_on_record_too(machine: Machine) -> None:
    run = machine.run(flow("start -> a"))
    Run.objects.filter(pk=run.id).update(status="cancelled")
    last = entries(run.id)[-1]
    assert (last.before, last.status, last.by) == ("completed", "cancelled", None)
    assert any("which is an end" in text for text in api.trail_faults(workspace_id=WORKSPACE, run_id=run.id))
    Run.objects.filter(pk=run.id).delete()
    assert not Transition.objects.filter(run_id=run.id).exists(), "the trail goes with its run"


def test_what_guards_the_trail_is_made_anew_after_a_migration(transactional_db: None) -> None:
    def there() -> set[str]:
        table = "sqlite_master WHERE type = 'trigger'"
        if connection.vendor == "postgresql":
            table = "(SELECT DISTINCT trigger_name AS name FROM information_schema.triggers) AS t"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT name FROM {table}")
            return {row[0] for row in cursor.fetchall()}

    wanted = {"trail_of_run", "trail_goes", "trail_kept", "trail_stays", "step_kept"}
    assert wanted <= there()
    trail.uninstall()
    if connection.vendor == "sqlite":
        assert not wanted & there()
    trail.install()
    trail.install()
    assert wanted <= there()


def test_the_export_holds_everything_and_says_that_it_adds_up(machine: Machine, world: World) -> None:
    large = fields("large", text="x" * 100_000)
    pay = post("pay", f"{world.url}/invoices", INVOICE)
    run = machine.run(flow("start -> large -> pay", large, pay), {"password": "geheim", "order": 7})
    found = json.loads(b"".join(api.export(workspace_id=WORKSPACE, run_id=run.id)))
    assert (found["format"], found["version"], found["state_differs"]) == ("millrace.run", 1, [])
    assert found["run"]["id"] == str(run.id)
    assert found["workflow"]["version"] == run.version
    assert len(found["workflow"]["graph_sha256"]) == 64
    assert json.loads(found["start"]["body_text"])["order"] == 7
    assert [one["seq"] for one in found["transitions"]] == sorted(one["seq"] for one in found["transitions"])
    steps = {one["node_id"]: one for one in found["steps"]}
    assert len(steps["large"]["output"]["text"]) == 100_000, "what stands in a file of its own is in it"
    [tried] = found["attempts"]
    assert (tried["node_id"], tried["status"], tried["effect_key"] is not None) == ("pay", "succeeded", True)


def test_the_times_of_what_a_run_waits_for_are_exported_as_all_others(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> nap", pause("nap", 60)))
    wait_until(lambda: Run.objects.filter(pk=run_id, status="waiting_timer").exists())
    found = json.loads(b"".join(api.export(workspace_id=WORKSPACE, run_id=run_id)))
    step = next(one for one in found["steps"] if one["node_id"] == "nap")
    times = [found["run"]["waiting"]["since"], found["run"]["waiting"]["until"], step["wait"]["until"]]
    assert all(isinstance(one, str) and one.endswith("Z") for one in times), times
    assert times[1] == times[2] == step["due_at"]
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)


def test_who_paused_and_who_resumed_a_run_and_its_parts_is_on_record(machine: Machine) -> None:
    nap = {**pause("nap", 60), "parent": "each"}
    graph = flow("start -> each", step("each", "flow.for_each@1", {"items": "{{ trigger.lines }}"}), nap)
    run_id = machine.begin(graph, {"lines": ["a"]})
    wait_until(lambda: Run.objects.filter(parent_run_id=run_id, status="waiting_timer").exists())
    item = Run.objects.values_list("id", flat=True).get(parent_run_id=run_id)
    ada, omar = uuid7(), uuid7()
    api.pause_run(workspace_id=WORKSPACE, run_id=run_id, by=ada, reason="Stocktaking")
    api.resume_run(workspace_id=WORKSPACE, run_id=run_id, by=omar)
    for one, together in ((run_id, {}), (item, {"together": "run"})):
        told = {entry.kind: entry for entry in entries(one)}
        assert (told["pause"].by, told["resume"].by) == (f"user:{ada}", f"user:{omar}")
        assert told["pause"].detail == {"reason": "Stocktaking", **together}
        assert told["resume"].detail == together
    exported = json.loads(b"".join(api.export(workspace_id=WORKSPACE, run_id=run_id)))
    assert [one["by"] for one in exported["transitions"] if one["kind"] == "resume"] == [f"user:{omar}"]
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)


def test_who_held_a_workflow_and_who_let_its_runs_go_is_on_record_of_each(machine: Machine) -> None:
    workflow_id = machine.publish(flow("start -> nap", pause("nap", 60)))
    under_way = machine.begin_again(workflow_id)
    wait_until(lambda: Run.objects.filter(pk=under_way, status="waiting_timer").exists())
    ada, omar = uuid7(), uuid7()
    api.hold_workflow(workspace_id=WORKSPACE, workflow_id=workflow_id, by=ada, open_runs="hold")
    held = machine.begin_again(workflow_id)
    api.let_go(workspace_id=WORKSPACE, workflow_id=workflow_id, by=omar)
    wait_until(lambda: Run.objects.filter(pk=held, status="waiting_timer").exists())
    told = {entry.kind: entry for entry in entries(under_way)}
    assert (told["pause"].by, told["pause"].detail) == (f"user:{ada}", {"together": "workflow"})
    assert (told["resume"].by, told["resume"].detail) == (f"user:{omar}", {"together": "workflow"})
    assert [entry.by for entry in entries(held) if entry.kind == "let_go"] == [f"user:{omar}"]
    for run_id in (under_way, held):
        api.cancel(workspace_id=WORKSPACE, run_id=run_id)
        machine.finish(run_id)
