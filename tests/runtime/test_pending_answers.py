"""What a person says can be taken back for some seconds, and takes effect then: once, by the server, whatever happens
meanwhile (I13)."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from runtime import api
from runtime.contracts import AlreadyDecided, NotAsked, TaskRefused, TaskView, Voter
from runtime.interpreter import deciding
from runtime.ports import PORTS
from runtime.store import failpoints
from runtime.store.dialect import database_now
from runtime.store.models import HumanTask, HumanVote, PendingAnswer
from runtime.worker.pending_answers import settle
from tests.runtime.machine import WORKSPACE, Machine, detail, flow, look, statuses, step, wait_until
from tests.runtime.test_people import INES, LINKS, OMAR, approval, asked, decide
from tests.runtime.town import Town, town

#: Longer than any test: nothing takes effect by itself.
LONG = 600_000


@pytest.fixture
def folk(monkeypatch: pytest.MonkeyPatch) -> Town:
    made = town()
    monkeypatch.setattr(PORTS, "people", made)
    return made


def ask(machine: Machine, **config: Any) -> tuple[UUID, TaskView]:
    run_id = machine.begin(flow(LINKS, approval(**config)), {"amount": 12})
    return run_id, asked(run_id)


def give(task: TaskView, outcome: str, voter: Voter = INES, *, within_ms: int = LONG, **said: Any) -> TaskView:
    return api.decide_later(
        workspace_id=WORKSPACE, task_id=task.id, outcome=outcome, voter=voter, within_ms=within_ms, **said
    )


def take_back(task: TaskView, voter: Voter = INES) -> TaskView:
    return api.take_back(workspace_id=WORKSPACE, task_id=task.id, voter=voter)


def is_due(*tasks: TaskView) -> None:
    """The time to take it back is over, without waiting for it."""
    PendingAnswer.objects.filter(task_id__in=[task.id for task in tasks]).update(due_at=database_now())


def votes(task: TaskView) -> list[tuple[str, str]]:
    return list(HumanVote.objects.filter(task_id=task.id).order_by("at").values_list("name", "outcome"))


def refusal(voter: Voter) -> tuple[str | None, str | None]:
    (found,) = api.given(workspace_id=WORKSPACE, voter=voter.id)
    return found.pending.code, found.pending.refused


def test_an_answer_takes_effect_by_itself_when_its_time_is_over_and_not_before(machine: Machine) -> None:
    run_id, task = ask(machine)
    before = database_now()
    said = give(task, "approved", within_ms=6_000, comment=" Fine. ")
    (pending,) = said.pending
    assert (said.status, pending.name, pending.outcome) == ("open", "Ines Kaya", "approved")
    assert pending.until is not None
    assert pending.until >= before + 6_000
    assert votes(task) == []
    machine.finish(run_id)
    vote = HumanVote.objects.get(task_id=task.id)
    assert (vote.outcome, vote.comment, vote.via) == ("approved", "Fine.", "inbox")
    assert vote.at >= pending.until, "never early"
    assert statuses(run_id)["yes"] == "succeeded"
    assert not PendingAnswer.objects.exists()
    assert api.orphans() == []


def test_what_is_taken_back_was_never_said_and_may_be_said_anew(machine: Machine) -> None:
    run_id, task = ask(machine)
    give(task, "approved")
    assert take_back(task).pending == []
    assert take_back(task).pending == [], "once more: nothing happens"
    assert settle() == []
    assert (votes(task), look(run_id).finished_at) == ([], None)
    give(task, "approved")
    give(task, "rejected", comment="On second thoughts.")
    is_due(task)
    machine.finish(run_id)
    assert votes(task) == [("Ines Kaya", "rejected")]
    with pytest.raises(AlreadyDecided) as caught:
        take_back(task)
    assert caught.value.code == "took_effect"


def test_who_decides_at_once_decides_what_they_had_given_before(machine: Machine) -> None:
    run_id, task = ask(machine)
    give(task, "approved")
    decide(task, "rejected", comment="By the link of the mail.")
    machine.finish(run_id)
    assert votes(task) == [("Ines Kaya", "rejected")]
    assert not PendingAnswer.objects.exists()


def test_others_see_who_is_deciding_and_do_not_decide_meanwhile(machine: Machine) -> None:
    _, task = ask(machine)
    give(task, "approved")
    shown = api.task(workspace_id=WORKSPACE, task_id=task.id)
    assert [(one.voter, one.outcome) for one in shown.pending] == [(INES.id, "approved")]
    assert not api.may_decide(task=shown, voter=OMAR)
    assert not api.may_decide(task=shown, voter=INES)
    for way in (decide, give):
        with pytest.raises(AlreadyDecided) as caught:
            way(task, "approved", OMAR)
        assert (caught.value.code, caught.value.params["by"]) == ("being_decided", "Ines Kaya")
    assert api.task_count(workspace_id=WORKSPACE, voter=INES) == 0, "it has left her list"
    assert api.task_count(workspace_id=WORKSPACE, voter=OMAR) == 1
    take_back(task)
    assert api.task_count(workspace_id=WORKSPACE, voter=INES) == 1
    assert decide(task, "approved", OMAR).status == "decided"


def test_where_several_have_to_approve_their_answers_stand_beside_each_other(machine: Machine) -> None:
    run_id, task = ask(machine, rule="number", number=2)
    give(task, "approved")
    shown = give(task, "approved", OMAR)
    assert len(shown.pending) == 2
    is_due(task)
    machine.finish(run_id)
    assert sorted(votes(task)) == [("Ines Kaya", "approved"), ("Omar Diaz", "approved")]


def test_what_needs_a_reason_is_refused_when_it_is_given(machine: Machine) -> None:
    _, task = ask(machine)
    with pytest.raises(TaskRefused) as caught:
        give(task, "rejected")
    assert set(caught.value.fields) == {"comment"}
    assert not PendingAnswer.objects.exists()


@pytest.mark.parametrize("meanwhile", ["left", "no longer in the group", "barred", "taken", "run cancelled"])
def test_what_no_longer_holds_is_refused_when_it_would_take_effect_and_the_person_is_told(
    machine: Machine, folk: Town, meanwhile: str
) -> None:
    run_id, task = ask(machine, people="Finance")
    ines = folk.as_("ines")
    give(task, "approved", ines)
    match meanwhile:
        case "left":
            del folk.roles["ines"]
        case "no longer in the group":
            folk.groups["Finance"].discard("ines")
        case "barred":
            # Four eyes: she turns out to be the one who asked for it.
            HumanTask.objects.filter(pk=task.id).update(barred=f",user:{ines.id},")
        case "taken":
            omar = folk.as_("omar")
            HumanTask.objects.filter(pk=task.id).update(claimed_by=omar.id, claimed_name=omar.name)
        case _:
            api.cancel(workspace_id=WORKSPACE, run_id=run_id)
            machine.finish(run_id)
    is_due(task)
    wait_until(lambda: PendingAnswer.objects.filter(due_at__isnull=True).exists())
    code, why = refusal(ines)
    expected = {"taken": "taken", "run cancelled": "run_ended"}.get(meanwhile, "not_asked")
    assert code == expected
    assert why
    assert votes(task) == []
    if meanwhile not in ("left", "run cancelled"):
        assert api.task(workspace_id=WORKSPACE, task_id=task.id).status == "open"
    take_back(task, ines)
    assert api.given(workspace_id=WORKSPACE, voter=ines.id) == [], "she has read it"


def test_a_comment_that_came_to_be_required_is_asked_for_again_when_it_takes_effect(machine: Machine) -> None:
    _, task = ask(machine)
    give(task, "approved")
    row = HumanTask.objects.get(pk=task.id)
    HumanTask.objects.filter(pk=task.id).update(spec=row.spec.replace('"comment":false', '"comment":true'))
    is_due(task)
    wait_until(lambda: PendingAnswer.objects.filter(due_at__isnull=True).exists())
    assert refusal(INES) == ("answer_refused", "Say why, in a few words.")


def test_of_several_who_let_it_take_effect_at_once_one_does(machine: Machine) -> None:
    _, task = ask(machine, rule="number", number=3)
    give(task, "approved")
    machine.crash()
    is_due(task)

    def tick() -> None:
        try:
            settle()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert votes(task) == [("Ines Kaya", "approved")]
    assert not PendingAnswer.objects.exists()


def test_it_is_not_lost_with_the_process_and_takes_effect_under_the_next_one(machine: Machine) -> None:
    run_id, task = ask(machine)
    give(task, "approved")
    machine.crash()
    is_due(task)
    machine.start()
    machine.finish(run_id)
    assert votes(task) == [("Ines Kaya", "approved")]


@pytest.mark.parametrize("point", ["human.decide:before", "human.decide:after"])
def test_a_fault_where_it_takes_effect_neither_loses_nor_doubles_it(machine: Machine, point: str) -> None:
    run_id, task = ask(machine)
    give(task, "approved")
    failpoints.arm(f"{point}=raise@nth(1)")
    try:
        is_due(task)
        machine.finish(run_id)
    finally:
        failpoints.disarm()
    assert votes(task) == [("Ines Kaya", "approved")]


@pytest.mark.parametrize("point", ["human.refuse:before", "human.refuse:after"])
def test_a_fault_where_it_is_refused_does_not_hide_that(machine: Machine, point: str) -> None:
    run_id, task = ask(machine)
    give(task, "approved")
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
    failpoints.arm(f"{point}=raise@nth(1)")
    try:
        is_due(task)
        wait_until(lambda: PendingAnswer.objects.filter(due_at__isnull=True).exists())
    finally:
        failpoints.disarm()
    assert refusal(INES)[0] == "run_ended"


@pytest.mark.parametrize(("point", "is_there"), [("before", False), ("after", True)])
def test_a_fault_where_it_is_given_or_taken_back_leaves_all_of_it_or_nothing(
    machine: Machine, point: str, is_there: bool
) -> None:
    _, task = ask(machine)
    failpoints.arm(f"human.pend:{point}=raise@nth(1);human.unpend:{point}=raise@nth(1)")
    try:
        with pytest.raises(failpoints.FailpointReached):
            give(task, "approved")
        assert PendingAnswer.objects.exists() is is_there
        give(task, "approved")
        with pytest.raises(failpoints.FailpointReached):
            take_back(task)
        assert PendingAnswer.objects.exists() is not is_there
    finally:
        failpoints.disarm()


def test_shortly_before_the_time_for_it_is_over_it_takes_effect_at_once(machine: Machine) -> None:
    run_id, task = ask(machine)
    HumanTask.objects.filter(pk=task.id).update(ends_at=database_now() + 3_500)
    assert give(task, "approved", within_ms=8_000).status == "decided"
    machine.finish(run_id)
    assert statuses(run_id)["yes"] == "succeeded"


def test_it_takes_effect_before_the_run_goes_on_without_and_counts_however_late_the_clock_is_looked_at(
    machine: Machine,
) -> None:
    run_id, task = ask(machine)
    ends_at = database_now() + 60_000
    HumanTask.objects.filter(pk=task.id).update(ends_at=ends_at)
    (pending,) = give(task, "approved").pending
    assert pending.until is not None
    assert pending.until < ends_at
    machine.crash()
    PendingAnswer.objects.update(due_at=database_now() - 2_000)
    HumanTask.objects.filter(pk=task.id).update(ends_at=database_now() - 1_000)
    assert settle() == [run_id]
    assert votes(task) == [("Ines Kaya", "approved")]


def test_the_answers_of_a_form_are_kept_until_they_take_effect(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = [{"name": "centre", "label": "Cost centre", "type": "text", "required": True}]
    form = step("ask", "people.ask@1", {"title": "Who pays?", "fields": questions})
    run_id = machine.begin(flow("start -> ask, ask -> then", form))
    task = asked(run_id)
    with pytest.raises(TaskRefused):
        give(task, "out")
    give(task, "out", answers={"centre": "K-12"})
    is_due(task)
    machine.finish(run_id)
    output: Any = detail(run_id, "ask").output
    assert output["centre"] == "K-12"
    monkeypatch.setattr(deciding, "INLINE_CHARACTERS", 100)
    large = {"centre": "K" * 200}
    second = machine.begin(flow("start -> ask, ask -> then", form))
    assert give(asked(second), "out", answers=large).status == "decided", "what is large takes effect at once"


def test_whoever_is_not_asked_gives_nothing(machine: Machine) -> None:
    _, task = ask(machine, people="omar@example.com")
    with pytest.raises(NotAsked):
        give(task, "approved")
    assert not PendingAnswer.objects.exists()
