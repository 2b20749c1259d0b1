"""When the time for a question is over, and when the run asks anew: who answers then is told what is true (I13)."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from runtime import api
from runtime.contracts import AlreadyDecided, TaskView
from runtime.ports import PORTS
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import HumanNote, HumanTask, HumanVote, Run
from runtime.worker.notices import carry_out, carry_out_due
from runtime.worker.recounts import recount
from tests.runtime.machine import WORKSPACE, Machine, cut_short, flow, look, statuses, step, wait_until
from tests.runtime.test_people import INES, LINKS, OMAR, approval, asked, decide
from tests.runtime.town import Town, town

#: Until a test says that it is over.
LIMIT: Any = {"limit": 60, "unit": "minutes"}
#: Long enough to answer in time, also where others keep the machine busy.
LATER: Any = {"limit": Decimal("0.15"), "unit": "minutes"}
FORM: Any = {"title": "How much?", "fields": [{"name": "n", "label": "N", "type": "text"}]}


@pytest.fixture
def folk(monkeypatch: pytest.MonkeyPatch) -> Town:
    made = town()
    monkeypatch.setattr(PORTS, "people", made)
    return made


def time_is_over(task: TaskView) -> None:
    """For the question and for the step that asks it, without waiting for it."""
    assert HumanTask.objects.filter(pk=task.id, ends_at__isnull=False).update(ends_at=database_now() - 1)
    cut_short(task.run.id)


def paused_beyond_its_time(machine: Machine, question: dict[str, Any], links: str = LINKS) -> tuple[UUID, TaskView]:
    """A run that was paused while it asked, and the question, whose time has passed since."""
    run_id = machine.begin(flow(links, question), {"amount": 12})
    task = asked(run_id)
    api.pause_run(workspace_id=WORKSPACE, run_id=run_id)
    time_is_over(task)
    return run_id, api.task(workspace_id=WORKSPACE, task_id=task.id)


def told(task: TaskView, outcome: str = "approved", **said: Any) -> str:
    with pytest.raises(AlreadyDecided) as caught:
        decide(task, outcome, **said)
    return caught.value.code


def test_a_decision_after_the_time_does_not_count_though_the_run_is_paused(machine: Machine) -> None:
    run_id, task = paused_beyond_its_time(machine, approval(**LIMIT))
    assert (task.status, task.over) == ("open", "late")
    assert told(task) == "too_late"
    with pytest.raises(AlreadyDecided) as caught:
        api.take(workspace_id=WORKSPACE, task_id=task.id, voter=INES)
    assert caught.value.code == "too_late"
    assert not HumanVote.objects.filter(task_id=task.id).exists()
    api.resume_run(workspace_id=WORKSPACE, run_id=run_id)
    assert machine.finish(run_id).status == "completed"
    found = statuses(run_id)
    assert (found["late"], found["yes"]) == ("succeeded", "skipped")
    assert told(task) == "too_late"


def test_answers_of_a_form_after_the_time_do_not_count_though_the_run_is_paused(machine: Machine) -> None:
    form = step(
        "ask", "people.ask@1", {"title": "How much?", "fields": [{"name": "n", "label": "N", "type": "text"}], **LIMIT}
    )
    run_id, task = paused_beyond_its_time(machine, form, "start -> ask, ask:out -> yes, ask:late -> late")
    assert told(task, "out", answers={"n": "1"}) == "too_late"
    api.resume_run(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
    assert statuses(run_id)["late"] == "succeeded"


def test_a_decision_after_the_time_does_not_count_though_nobody_has_ended_the_wait_yet(idle_machine: Machine) -> None:
    idle_machine.start()
    run_id = idle_machine.begin(flow(LINKS, approval(**LIMIT)), {"amount": 12})
    task = asked(run_id)
    wait_until(lambda: look(run_id).status == "waiting_human")
    idle_machine.stop()
    time_is_over(task)
    assert told(task) == "too_late"
    idle_machine.start()
    idle_machine.finish(run_id)
    assert statuses(run_id)["late"] == "succeeded"


def test_a_decision_that_waited_for_others_until_the_time_was_over_does_not_count(machine: Machine) -> None:
    """It was sent in time; the clock is read when it is its turn."""
    run_id = machine.begin(flow(LINKS, approval(**LATER)), {"amount": 12})
    task = asked(run_id)
    api.pause_run(workspace_id=WORKSPACE, run_id=run_id)
    found: list[str] = []

    def press() -> None:
        try:
            decide(task, "approved")
            found.append("counted")
        except AlreadyDecided as error:
            found.append(error.code)
        finally:
            connections.close_all()

    with commit("human.assign"):
        Run.objects.select_for_update().get(pk=run_id)
        HumanTask.objects.filter(pk=task.id).update(claimed_name="")
        thread = threading.Thread(target=press)
        assert (task.ends_at or 0) > database_now(), "the machine was too slow"
        thread.start()
        wait_until(lambda: (task.ends_at or 0) <= database_now())
    thread.join()
    assert found == ["too_late"]


def test_a_decision_in_time_counts_though_the_run_is_resumed_after_it(machine: Machine) -> None:
    run_id = machine.begin(flow(LINKS, approval(**LIMIT)), {"amount": 12})
    task = asked(run_id)
    api.pause_run(workspace_id=WORKSPACE, run_id=run_id)
    decide(task, "approved")
    time_is_over(task)
    api.resume_run(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
    assert statuses(run_id)["yes"] == "succeeded"


def test_nobody_is_called_to_a_question_whose_time_is_over_and_it_stands_in_no_list_of_theirs(
    machine: Machine, folk: Town
) -> None:
    voter = folk.as_("ines")
    run_id, task = paused_beyond_its_time(machine, approval(people="Finance", rule="all", **LIMIT))
    assert api.task_count(workspace_id=WORKSPACE, voter=voter) == 0
    assert api.tasks(workspace_id=WORKSPACE, voter=voter).items == []
    (shown,) = api.tasks(workspace_id=WORKSPACE, run_id=run_id).items
    assert (shown.over, api.may_decide(task=shown, voter=voter)) == ("late", False)
    assert not api.may_take(task=shown, voter=voter)
    assert not api.may_hand_over(task=shown, voter=folk.as_("omar"))
    HumanTask.objects.filter(pk=task.id).update(notice_at=1)
    assert (carry_out(task.id), carry_out_due()) == (False, 0)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)


def test_who_leaves_after_the_time_is_over_decides_nothing(machine: Machine, folk: Town) -> None:
    run_id = machine.begin(flow(LINKS, approval(people="Finance", rule="all", **LIMIT)), {"amount": 12})
    task = asked(run_id)
    api.pause_run(workspace_id=WORKSPACE, run_id=run_id)
    decide(task, "approved", folk.as_("ines"))
    time_is_over(task)
    folk.groups["Finance"] = {"ines"}
    assert recount(task.id) is None
    assert HumanTask.objects.get(pk=task.id).status == "open"
    assert not HumanNote.objects.filter(task_id=task.id).exists()
    api.resume_run(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
    assert statuses(run_id)["late"] == "succeeded"


def test_who_answers_the_question_of_an_earlier_try_is_told_that_the_run_asks_anew(machine: Machine) -> None:
    run_id = machine.begin(flow(LINKS, approval()), {"amount": 12})
    old = asked(run_id)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
    assert told(old) == "run_ended"
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run_id)
    api.retry(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id)
    new = asked(run_id)
    assert new.id != old.id
    with pytest.raises(AlreadyDecided) as caught:
        decide(old, "approved")
    assert (caught.value.code, caught.value.params) == ("asked_anew", {"task": str(new.id)})
    assert "anew" in caught.value.message
    shown = api.task(workspace_id=WORKSPACE, task_id=old.id)
    assert (shown.status, shown.over, shown.anew) == ("cancelled", "anew", new.id)
    decide(new, "approved", OMAR)
    assert api.task(workspace_id=WORKSPACE, task_id=old.id).anew is None
    assert machine.finish(run_id).status == "completed"
    assert told(old) == "run_ended"
