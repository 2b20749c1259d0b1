"""Steps that ask people, and failures that people decide about (I7, I13, I17)."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import AlreadyDecided, NotAsked, TaskRefused, TaskView, Voter
from runtime.engine.ids import uuid7
from runtime.store.models import Attempt, HumanTask, HumanVote, Run
from tests.runtime.fixtures import World
from tests.runtime.machine import (
    PATIENCE,
    WORKSPACE,
    Machine,
    detail,
    fields,
    flow,
    look,
    post,
    statuses,
    step,
    unsafe_post,
    wait_until,
)

INES = Voter(uuid7(), "Ines Kaya", "ines@example.com")
OMAR = Voter(uuid7(), "Omar Diaz", "omar@example.com")
LINKS = "start -> ask, ask:approved -> yes, ask:rejected -> no, ask:late -> late"


def approval(key: str = "ask", **config: Any) -> dict[str, Any]:
    return step(key, "people.approval@1", {"title": "Pay {{ trigger.amount }}?", **config})


def asked(run_id: UUID, patience: float = PATIENCE) -> TaskView:
    """The open question of this run."""
    wait_until(lambda: HumanTask.objects.filter(run_id=run_id, status="open").exists(), patience)
    (found,) = api.tasks(workspace_id=WORKSPACE, run_id=run_id).items
    return found


def decide(task: TaskView, outcome: str, voter: Voter = INES, **said: Any) -> TaskView:
    return api.decide(workspace_id=WORKSPACE, task_id=task.id, outcome=outcome, voter=voter, **said)


def test_a_run_waits_for_a_decision_and_goes_on_by_it(machine: Machine) -> None:
    run_id = machine.begin(flow(LINKS, approval(facts=[{"name": "Order", "value": "PO-7"}])), {"amount": 12})
    task = asked(run_id)
    assert (task.kind, task.title, task.status) == ("approval", "Pay 12?", "open")
    assert task.spec["facts"] == [{"label": "Order", "value": "PO-7"}]
    wait_until(lambda: look(run_id).status == "waiting_human")
    assert look(run_id).waiting is not None
    assert api.orphans() == []
    said = decide(task, "approved", comment="Fine.")
    assert (said.status, said.outcome) == ("decided", "approved")
    run = machine.finish(run_id)
    assert run.status == "completed", run
    found = statuses(run_id)
    assert (found["yes"], found["no"], found["late"]) == ("succeeded", "skipped", "skipped")
    output: Any = detail(run_id, "ask").output
    assert (output["outcome"], output["comment"]) == ("approved", "Fine.")
    assert output["decisions"][0]["by"] == "Ines Kaya"


def test_what_the_builder_calls_an_answer_goes_on_with_it(machine: Machine) -> None:
    run_id = machine.begin(flow(LINKS, approval(approve_label="Release it")), {"amount": 12})
    decide(asked(run_id), "approved")
    assert machine.finish(run_id).status == "completed"
    output: Any = detail(run_id, "ask").output
    assert (output["outcome"], output["decisions"][0]["called"]) == ("approved", "Release it")


def test_a_no_needs_a_reason_and_counts_at_once(machine: Machine) -> None:
    run_id = machine.begin(flow(LINKS, approval(rule="number", number=2)), {"amount": 12})
    task = asked(run_id)
    with pytest.raises(TaskRefused) as caught:
        decide(task, "rejected")
    assert set(caught.value.fields) == {"comment"}
    decide(task, "rejected", comment="Not ours.")
    machine.finish(run_id)
    assert statuses(run_id)["no"] == "succeeded"


def test_so_many_have_to_approve_and_nobody_counts_twice(machine: Machine) -> None:
    run_id = machine.begin(flow(LINKS, approval(rule="number", number=2)), {"amount": 12})
    task = asked(run_id)
    assert decide(task, "approved").status == "open"
    assert api.task_count(workspace_id=WORKSPACE, voter=INES) == 0, "she has said so"
    assert api.task_count(workspace_id=WORKSPACE, voter=OMAR) == 1
    with pytest.raises(AlreadyDecided) as caught:
        decide(task, "approved")
    assert caught.value.code == "already_said"
    assert decide(task, "approved", OMAR).status == "decided"
    machine.finish(run_id)
    output: Any = detail(run_id, "ask").output
    assert [one["by"] for one in output["decisions"]] == ["Ines Kaya", "Omar Diaz"]


def test_only_who_is_asked_may_answer(machine: Machine) -> None:
    run_id = machine.begin(flow(LINKS, approval(people="Ines@example.com, omar@example.com")), {"amount": 12})
    task = asked(run_id)
    other = Voter(uuid7(), "Eve", "nes@example.com")
    with pytest.raises(NotAsked):
        decide(task, "approved", other)
    assert api.task_count(workspace_id=WORKSPACE, voter=INES) == 1
    assert api.task_count(workspace_id=WORKSPACE, voter=other) == 0
    loud = Voter(OMAR.id, OMAR.name, OMAR.email.upper())
    assert api.tasks(workspace_id=WORKSPACE, voter=loud).items[0].id == task.id
    decide(task, "approved")
    assert machine.finish(run_id).status == "completed"


def test_of_many_who_decide_at_once_one_counts(machine: Machine) -> None:
    run_id = machine.begin(flow(LINKS, approval()), {"amount": 12})
    task = asked(run_id)
    results: list[str] = []

    def press(number: int) -> None:
        from django.db import connections

        try:
            voter = Voter(uuid7(), f"P{number}", f"p{number}@example.com")
            decide(task, "approved" if number % 2 else "rejected", voter, comment="x")
            results.append("counted")
        except AlreadyDecided as error:
            results.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count("counted") == 1
    assert set(results) <= {"counted", "already_decided", "run_ended"}
    assert HumanVote.objects.filter(task_id=task.id).count() == 1
    machine.finish(run_id)
    winner = HumanTask.objects.get(pk=task.id).outcome
    assert statuses(run_id)["yes" if winner == "approved" else "no"] == "succeeded"


def test_a_question_that_nobody_answers_in_time_goes_its_own_way(machine: Machine) -> None:
    run_id = machine.begin(flow(LINKS, approval(limit=Decimal("0.02"), unit="minutes")), {"amount": 12})
    task = asked(run_id)
    run = machine.finish(run_id)
    assert run.status == "completed", run
    assert statuses(run_id)["late"] == "succeeded"
    with pytest.raises(AlreadyDecided) as caught:
        decide(task, "approved")
    assert caught.value.code == "too_late"
    output: Any = detail(run_id, "ask").output
    assert output["outcome"] == "late"


def test_a_decision_while_the_time_runs_out_counts(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """So short a wait is held in memory: without a bell its driver hears of the decision only when it looks whether it
    is too late."""
    monkeypatch.setattr("runtime.queue.ring", lambda run_ids: None)
    workflow = machine.publish(flow(LINKS, approval(limit=Decimal("0.015"), unit="minutes")))
    for _ in range(10):
        run_id = machine.begin_again(workflow, {"amount": 12})
        wait_until(lambda: HumanTask.objects.filter(run_id=run_id).exists())  # noqa: B023
        task = api.task(workspace_id=WORKSPACE, task_id=HumanTask.objects.get(run_id=run_id).id)
        try:
            decide(task, "approved")
        except AlreadyDecided:
            continue  # a busy machine was too slow; the next run waits as long
        machine.finish(run_id)
        assert statuses(run_id)["yes"] == "succeeded"
        return
    raise AssertionError("nobody was ever in time")


def test_a_decision_before_the_time_is_over_counts_however_late_it_is_heard_of(idle_machine: Machine) -> None:
    idle_machine.start()
    run_id = idle_machine.begin(flow(LINKS, approval(limit=Decimal("0.03"), unit="minutes")), {"amount": 12})
    task = asked(run_id)
    wait_until(lambda: look(run_id).status == "waiting_human")
    idle_machine.stop()
    decide(task, "approved")
    wait_until(lambda: (HumanTask.objects.get(pk=task.id).due_at or 0) < api_now())
    idle_machine.start()
    idle_machine.finish(run_id)
    assert statuses(run_id)["yes"] == "succeeded"
    assert HumanTask.objects.get(pk=task.id).status == "decided"


def api_now() -> int:
    from runtime.store.dialect import database_now

    return database_now()


def test_a_decision_survives_a_crash(idle_machine: Machine) -> None:
    idle_machine.start()
    run_id = idle_machine.begin(flow(LINKS, approval()), {"amount": 12})
    task = asked(run_id)
    idle_machine.crash()
    decide(task, "approved")
    idle_machine.start()
    assert idle_machine.finish(run_id).status == "completed"
    assert statuses(run_id)["yes"] == "succeeded"


def test_a_decision_is_taken_in_while_another_branch_is_busy(machine: Machine, world: World) -> None:
    """And counts, whatever becomes of that branch."""
    links = f"{LINKS}, start -> slow"
    slow = post("slow", f"{world.url}/with/slow=12000;fail=422/invoices", {"order": "x"}, retry={"attempts": 1})
    run_id = machine.begin(flow(links, approval(), slow), {"amount": 12})
    decide(asked(run_id), "approved")
    wait_until(lambda: statuses(run_id).get("yes") == "succeeded")
    assert statuses(run_id)["slow"] == "running"
    assert machine.finish(run_id).status == "dead_lettered"
    assert statuses(run_id)["yes"] == "succeeded"


def test_a_cancelled_run_asks_nobody_any_more(machine: Machine) -> None:
    run_id = machine.begin(flow(LINKS, approval()), {"amount": 12})
    task = asked(run_id)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
    assert HumanTask.objects.get(pk=task.id).status == "cancelled"
    with pytest.raises(AlreadyDecided) as caught:
        decide(task, "approved")
    assert caught.value.code == "run_ended"


def test_a_form_is_checked_and_its_answers_are_the_steps_result(machine: Machine) -> None:
    question = step(
        "ask",
        "people.ask@1",
        {
            "title": "Which cost centre?",
            "fields": [
                {"name": "centre", "label": "Cost centre", "type": "text", "required": True},
                {"name": "share", "label": "Share", "type": "number"},
            ],
        },
    )
    run_id = machine.begin(
        flow("start -> ask -> after", question, fields("after", to="{{ steps.ask.centre }}")), {"amount": 12}
    )
    task = asked(run_id)
    assert task.kind == "form"
    with pytest.raises(TaskRefused) as caught:
        decide(task, "out", answers={"share": "many"})
    assert set(caught.value.fields) == {"answers.centre", "answers.share"}
    decide(task, "out", answers={"centre": "K-12", "share": "0.5"})
    machine.finish(run_id)
    assert detail(run_id, "after").output == {"to": "K-12"}
    output: Any = detail(run_id, "ask").output
    assert output["answered"]["by"] == "Ines Kaya"


def failing(world: World, behaviour: str, **settings: Any) -> dict[str, Any]:
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10}
    chosen = {"retry": {"attempts": 1}, "on_failure": "person", **settings}
    return flow(
        "start -> pay -> after",
        post("pay", f"{world.url}/with/{behaviour}/invoices", body, **chosen),
        fields("after", to="{{ steps.pay.status }}"),
    )


def test_a_failure_is_put_before_people_who_have_it_tried_again(machine: Machine, world: World) -> None:
    run_id = machine.begin(failing(world, "fail=503*1"))
    task = asked(run_id)
    assert task.kind == "exception"
    assert task.spec["error"]["http_status"] == 503
    assert look(run_id).finished_at is None
    decide(task, "retry")
    run = machine.finish(run_id)
    assert run.status == "completed", run
    assert [one.status for one in Attempt.objects.filter(run_id=run_id).order_by("attempt")] == ["failed", "succeeded"]
    keys = set(Attempt.objects.filter(run_id=run_id).values_list("effect_key", flat=True))
    assert len(keys) == 1, "nobody knows what the first came to: the same key"


def test_after_a_refusal_people_have_it_tried_again_under_a_new_key(machine: Machine, world: World) -> None:
    world.ask("POST", "/behaviour", {"path": "/invoices", "method": "POST", "behaviour": "fail=422", "times": 1})
    run_id = machine.begin(failing(world, "slow=1"))
    decide(asked(run_id), "retry")
    assert machine.finish(run_id).status == "completed"
    first, second = Attempt.objects.filter(run_id=run_id).order_by("attempt")
    assert first.effect_key != second.effect_key
    assert (first.key_epoch, second.key_epoch) == (0, 1)


def test_people_are_asked_again_when_it_fails_again(machine: Machine, world: World) -> None:
    run_id = machine.begin(failing(world, "fail=503"))
    first = asked(run_id)
    decide(first, "retry")
    wait_until(lambda: HumanTask.objects.filter(run_id=run_id).count() == 2)
    second = asked(run_id)
    assert second.id != first.id
    decide(second, "give_up")
    run = machine.finish(run_id)
    assert run.status == "dead_lettered"
    assert run.error is not None
    assert run.error["http_status"] == 503


def test_people_give_a_value_to_go_on_with(machine: Machine, world: World) -> None:
    run_id = machine.begin(failing(world, "fail=422"))
    decide(asked(run_id), "value", output={"status": 201, "body": {"id": "by hand"}})
    run = machine.finish(run_id)
    assert run.status == "completed", run
    assert detail(run_id, "after").output == {"to": 201}


def test_an_effect_in_doubt_is_put_before_people(idle_machine: Machine, world: World) -> None:
    idle_machine.start()
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10}
    pay = unsafe_post("pay", f"{world.url}/with/slow=6000/invoices", body, on_failure="person")
    run_id = idle_machine.begin(flow("start -> pay -> after", pay))
    wait_until(lambda: statuses(run_id).get("pay") == "running")
    wait_until(lambda: len(world.invoices(str(run_id))) == 1)
    idle_machine.crash()
    idle_machine.start()
    task = asked(run_id)
    assert task.spec["error"]["code"] == "in_doubt"
    a_plain_retry_is_refused(run_id, task)
    decide(task, "happened", output={"status": 201})
    assert idle_machine.finish(run_id).status == "completed"
    assert len(world.invoices(str(run_id))) == 1, "nothing was sent before somebody decided, nor after"


def a_plain_retry_is_refused(run_id: UUID, task: TaskView) -> None:
    """Of a step in doubt nobody says "try again" without having been told that it may happen twice."""
    assert [one["id"] for one in task.spec["choices"]] == ["happened", "send_again", "give_up"]
    for said in ("retry", "value"):
        with pytest.raises(TaskRefused) as caught:
            decide(task, said)
        assert "Nobody knows whether this happened" in caught.value.fields["outcome"]
    assert asked(run_id).votes == []


@pytest.mark.parametrize(("said", "sent", "end"), [
    ("happened", 1, "completed"), ("send_again", 2, "completed"), ("give_up", 1, "dead_lettered"),
])  # fmt: skip
@pytest.mark.parametrize("way", ["no answer", "no look-up can tell"])
def test_a_step_in_doubt_is_never_simply_tried_again(
    machine: Machine, world: World, way: str, said: str, sent: int, end: str
) -> None:
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10}
    pay = unsafe_post("pay", f"{world.url}/with/drop*1/invoices", body, on_failure="person")
    if way == "no look-up can tell":
        nobody = f"{world.url}/with/fail=403/invoices/by-key/{{{{ look_up.key }}}}"
        pay["config"] |= {"in_doubt": "look_up", "look_up_url": nobody, "look_up_after": 0.1}
    run_id = machine.begin(flow("start -> pay -> after", pay, fields("after", to="{{ steps.pay.status }}")))
    task = asked(run_id)
    a_plain_retry_is_refused(run_id, task)
    decided = decide(task, said, output={"status": 201})
    assert (decided.outcome, [one.outcome for one in decided.votes]) == (said, [said])
    assert machine.finish(run_id).status == end
    assert len(world.invoices(str(run_id))) == sent
    with pytest.raises(AlreadyDecided) as late:
        decide(task, "give_up", voter=OMAR)
    assert late.value.params["outcome"] == said


def test_the_state_with_a_question_is_found_again_after_every_commit(idle_machine: Machine, world: World) -> None:
    """With nothing kept in memory the same comes out (I8)."""
    idle_machine.start(reloads=True)
    run_id = idle_machine.begin(failing(world, "fail=503*1"))
    decide(asked(run_id), "retry")
    assert idle_machine.finish(run_id).status == "completed"


@pytest.mark.parametrize("letters", [100_000, 20])
def test_a_value_of_any_size_goes_on_to_the_steps_behind(machine: Machine, world: World, letters: int) -> None:
    graph = failing(world, "fail=422")
    graph["nodes"][-1]["config"]["fields"][0]["value"] = "{{ length(steps.pay.body) }}"
    run_id = machine.begin(graph)
    decide(asked(run_id), "value", output={"body": "x" * letters})
    assert machine.finish(run_id).status == "completed"
    assert detail(run_id, "after").output == {"to": letters}
    (task,) = api.tasks(workspace_id=WORKSPACE, run_id=run_id, closed=True).items
    shown: Any = api.task(workspace_id=WORKSPACE, task_id=task.id).answer
    assert len(shown["body"]) == letters


def test_a_value_beyond_the_limit_is_refused_and_the_question_stays(machine: Machine, world: World) -> None:
    run_id = machine.begin(failing(world, "fail=422"))
    task = asked(run_id)
    with pytest.raises(TaskRefused):
        decide(task, "value", output={"body": "x" * (11 * 2**20)})
    decide(task, "give_up")
    machine.finish(run_id)


@pytest.mark.parametrize("comment", ["a\x00b", "\ud800"])
def test_a_comment_that_cannot_be_kept_is_refused(machine: Machine, comment: str) -> None:
    run_id = machine.begin(flow(LINKS, approval()), {"amount": 12})
    task = asked(run_id)
    with pytest.raises(TaskRefused):
        decide(task, "approved", comment=comment)
    decide(task, "approved")
    machine.finish(run_id)


def test_nobody_passes_an_approval_by_giving_a_value(machine: Machine) -> None:
    run_id = machine.begin(
        flow(LINKS, {**approval(people="nobody"), "settings": {"on_failure": "person"}}), {"amount": 1}
    )
    task = asked(run_id)
    assert [one["id"] for one in task.spec["choices"]] == ["retry", "give_up"]
    with pytest.raises(TaskRefused):
        decide(task, "value", output={})
    decide(task, "give_up")
    assert machine.finish(run_id).status == "dead_lettered"


def test_the_time_of_a_second_question_at_a_step_runs_out_too(machine: Machine) -> None:
    """What was said about the first is no answer to the second."""
    people = "{{ 'nobody' if run.attempt == 1 else '' }}"
    question = approval(people=people, limit=Decimal("0.03"), unit="minutes")
    question["settings"] = {"on_failure": "person"}
    run_id = machine.begin(flow(LINKS, question), {"amount": 1})
    first = asked(run_id)
    assert first.kind == "exception"
    decide(first, "retry")
    assert machine.finish(run_id).status == "completed"
    assert statuses(run_id)["late"] == "succeeded"


def test_a_start_cannot_ask_people_about_its_failure(machine: Machine) -> None:
    from runtime.contracts import GraphHasProblems

    graph = flow("start -> a")
    graph["nodes"][0]["settings"] = {"on_failure": "person"}
    with pytest.raises(GraphHasProblems):
        machine.publish(graph)


def test_a_decision_before_a_cancel_stands_though_nobody_looked_yet(idle_machine: Machine) -> None:
    idle_machine.start()
    run_id = idle_machine.begin(flow(LINKS, approval()), {"amount": 12})
    task = asked(run_id)
    wait_until(lambda: look(run_id).status == "waiting_human")
    idle_machine.stop()
    decide(task, "approved")
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    idle_machine.start()
    assert idle_machine.finish(run_id).status == "cancelled"
    assert statuses(run_id)["ask"] == "succeeded"
    output: Any = detail(run_id, "ask").output
    assert output["outcome"] == "approved"


def test_a_worker_that_cannot_ask_people_never_takes_such_a_run(machine: Machine, world: World) -> None:
    run_id = machine.begin(failing(world, "slow=1"))
    machine.finish(run_id)
    assert Run.objects.get(pk=run_id).min_engine == 4


def test_what_people_say_of_an_effect_in_doubt_is_on_record_beside_it(idle_machine: Machine, world: World) -> None:
    idle_machine.start()
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10}
    pay = unsafe_post("pay", f"{world.url}/with/slow=6000/invoices", body, on_failure="person")
    run_id = idle_machine.begin(flow("start -> pay", pay))
    wait_until(lambda: statuses(run_id).get("pay") == "running")
    idle_machine.crash()
    idle_machine.start()
    decide(asked(run_id), "happened", output={"status": 201})
    idle_machine.finish(run_id)
    attempt = Attempt.objects.get(run_id=run_id, node_id="pay")
    assert attempt.status == "succeeded"
    assert f"user:{INES.id}" in (attempt.request or "")


def test_a_cancel_while_a_doubt_is_resolved_leaves_no_attempt_without_an_end(
    idle_machine: Machine, world: World
) -> None:
    idle_machine.start()
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10}
    pay = unsafe_post("pay", f"{world.url}/with/slow=6000/invoices", body, on_failure="person")
    run_id = idle_machine.begin(flow("start -> pay", pay))
    wait_until(lambda: statuses(run_id).get("pay") == "running")
    idle_machine.crash()
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    idle_machine.start()
    idle_machine.finish(run_id)
    assert Attempt.objects.get(run_id=run_id, node_id="pay").status == "in_doubt"
    assert not HumanTask.objects.filter(run_id=run_id, status="open").exists()
