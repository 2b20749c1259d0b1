"""Steps that wait for their link: who knows it, and what it is good for (I8, I13, I22)."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import api
from runtime.contracts import AlreadyDecided, NotFound
from runtime.engine.ids import uuid7
from runtime.interpreter import signals as sending
from runtime.interpreter.keys import stored_secret
from runtime.ports import PORTS
from runtime.store.models import Run
from tests.runtime.fixtures import World
from tests.runtime.machine import (
    WORKSPACE,
    Machine,
    detail,
    fields,
    flow,
    pause,
    post,
    statuses,
    step,
    wait_until,
)
from tests.runtime.test_signals import (
    INVOICE,
    LINKS,
    SOON,
    for_event,
    for_link,
    use,
    waiting,
)


def test_a_link_used_before_the_run_comes_to_its_wait_is_kept(any_machine: Machine) -> None:
    run_id = any_machine.begin(
        flow("start -> slow, slow -> wait, wait:out -> came, wait:timeout -> late", pause("slow", 0.6), for_link()),
        {"order": "PO-7"},
    )
    assert use(run_id, {"early": True}).what == "resumed"
    assert use(run_id, {"early": True}).what == "again"
    assert any_machine.finish(run_id).status == "completed"
    output: Any = detail(run_id, "wait").output
    assert output["data"] == {"early": True}
    assert statuses(run_id)["came"] == "succeeded"
    (view,) = api.waits(workspace_id=WORKSPACE, run_id=run_id)
    assert (view.status, view.title) == ("resumed", "Confirm PO-7")


def test_steps_before_the_wait_can_send_its_link(machine: Machine, world: World) -> None:
    run_id = machine.begin(
        flow(
            "start -> mail, mail -> wait",
            post("mail", f"{world.url}/invoices", {**INVOICE, "note": "{{ run.links.wait }}"}),
            for_link(),
        ),
        {"order": "PO-7"},
    )
    waiting(run_id)
    path = api.resume_link(workspace_id=WORKSPACE, run_id=run_id, node_id="wait")
    sent: Any = detail(run_id, "mail").input
    assert sent["json_body"]["note"] == f"{PORTS.public_url}{path}"
    assert PORTS.public_url.startswith("http")
    secret = stored_secret()
    assert secret is not None
    assert path == sending.link_path(secret, run_id, "wait", 1)
    others = {sending.link_secret(secret, *one) for one in (
        (run_id, "wait", 1), (run_id, "wait", 2), (run_id, "other", 1), (uuid7(), "wait", 1)
    )}  # fmt: skip
    assert len(others) == 4
    use(run_id)
    machine.finish(run_id)
    with pytest.raises(AlreadyDecided):
        api.resume_link(workspace_id=WORKSPACE, run_id=run_id, node_id="wait")


def test_only_steps_that_wait_for_a_signal_have_a_link(machine: Machine) -> None:
    run_id = machine.begin(flow(LINKS, for_event()), {"order": "PO-7"})
    waiting(run_id)
    for node in ("wait", "start", "nothing"):
        with pytest.raises(NotFound):
            api.resume_link(workspace_id=WORKSPACE, run_id=run_id, node_id=node)
    with pytest.raises(NotFound):
        api.resume_link(workspace_id=uuid7(), run_id=run_id, node_id="wait")


def test_a_way_that_was_not_taken_needs_no_link_any_more(machine: Machine) -> None:
    decide = step("if", "flow.decision@1", {"conditions": {"match": "all", "rules": [
        {"left": "{{ trigger.order }}", "op": "eq", "right": "PO-8"}
    ]}})  # fmt: skip
    run_id = machine.begin(
        flow("start -> if, if:yes -> wait, if:no -> slow", decide, for_link(), pause("slow", 600)), {"order": "PO-7"}
    )
    wait_until(lambda: statuses(run_id).get("slow") == "waiting")
    assert use(run_id).what == "ended"
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)


def test_a_retry_waits_anew_with_a_new_link_and_keeps_what_came(machine: Machine) -> None:
    run_id = machine.begin(
        flow("start -> first, first -> wait, wait -> end", for_link("first"), for_link()), {"order": "PO-7"}
    )
    waiting(run_id, "first")
    use(run_id, 1, "first")
    machine.until(run_id, lambda run: run.status == "waiting_event" and run.current_node == "wait")
    waiting(run_id)
    old = api.resume_link(workspace_id=WORKSPACE, run_id=run_id, node_id="wait")
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
    assert use(run_id).what == "ended"
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run_id)
    assert {one.node: one.fate for one in plan.steps}["first"] == "kept"
    api.retry(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id)
    waiting(run_id)
    assert api.resume_link(workspace_id=WORKSPACE, run_id=run_id, node_id="wait") != old
    assert use(run_id, 1, "first").what == "again", "what came before stands"
    # Nothing came by the old one, and whoever has it cannot know that the run was gone on with.
    assert use(run_id, 2, generation=1).what == "resumed"
    assert use(run_id, 2, generation=2).what == "again"
    assert machine.finish(run_id).status == "completed"
    outputs: list[Any] = [detail(run_id, node).output for node in ("first", "wait")]
    assert [output["data"] for output in outputs] == [1, 2]


def test_another_run_of_the_same_event_has_links_of_its_own(machine: Machine) -> None:
    run_id = machine.begin(flow(LINKS, for_link(**SOON)), {"order": "PO-7"})
    machine.finish(run_id)
    other = api.replay_as_new(workspace_id=WORKSPACE, run_id=run_id).id
    assert use(run_id).what == "late"
    assert use(other).what == "resumed"
    assert machine.finish(other).status == "completed"


def test_a_link_of_a_step_that_has_none_is_a_problem_before_anything_runs(transactional_db: None) -> None:
    for name in ("wait", "other", "nothing"):
        graph = flow("start -> mail, mail -> wait, wait -> other", fields("mail", text=f"{{{{ run.links.{name} }}}}"),
                     for_link())  # fmt: skip
        problems = [problem.code for problem in api.check(graph=graph).problems]
        assert problems == ([] if name == "wait" else ["reference.no_link"]), name


def test_each_item_of_a_container_waits_for_a_link_of_its_own(machine: Machine) -> None:
    each = step("each", "flow.for_each@1", {"items": "{{ trigger.lines }}"})
    inside = [{**made, "parent": "each"} for made in (
        fields("mail", text="{{ run.links.wait }}"), step("wait", "flow.wait_signal@1", {"title": "Confirm {{ item }}"})
    )]  # fmt: skip
    run_id = machine.begin(flow("start -> each -> after, mail -> wait", each, *inside), {"lines": ["a", "b"]})
    links = []
    for number, name in enumerate("ab"):
        wait_until(lambda: Run.objects.filter(parent_run_id=run_id, item_index=number).exists())  # noqa: B023
        item = Run.objects.get(parent_run_id=run_id, item_index=number).id
        assert waiting(item).title == f"Confirm {name}"
        with pytest.raises(NotFound):
            api.resume_link(workspace_id=WORKSPACE, run_id=run_id, node_id="wait")
        links.append(api.resume_link(workspace_id=WORKSPACE, run_id=item, node_id="wait"))
        sent: Any = detail(item, "mail").output
        assert sent["text"] == f"{PORTS.public_url}{links[-1]}"
        assert use(item, number).what == "resumed"
    assert machine.finish(run_id).status == "completed"
    assert len(set(links)) == 2
