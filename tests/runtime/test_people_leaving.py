"""Who is asked and leaves is waited for no longer: the question is counted anew against those who can still decide."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError

from runtime import api
from runtime.contracts import NotAsked, TaskView, Voter
from runtime.ports import PORTS
from runtime.store import failpoints
from runtime.store.models import HumanNote, HumanTask
from runtime.worker.recounts import Recounts, recount
from tests.runtime.machine import WORKSPACE, Machine, detail, flow, look, statuses, wait_until
from tests.runtime.test_people import LINKS, approval, asked, decide
from tests.runtime.town import Town, town


@pytest.fixture
def folk(monkeypatch: pytest.MonkeyPatch) -> Town:
    made = town()
    monkeypatch.setattr(PORTS, "people", made)
    return made


def ask(machine: Machine, **config: Any) -> tuple[UUID, TaskView]:
    run_id = machine.begin(flow(LINKS, approval(**config)), {"amount": 12})
    return run_id, asked(run_id)


def stranded(task: TaskView) -> bool:
    return HumanTask.objects.filter(pk=task.id, stranded_at__isnull=False).exists()


def count(voter: Voter) -> int:
    return api.task_count(workspace_id=WORKSPACE, voter=voter)


def kinds(task: TaskView) -> list[str]:
    return list(HumanNote.objects.filter(task_id=task.id).order_by("at").values_list("kind", flat=True))


def test_when_the_last_one_who_had_not_said_so_leaves_it_is_decided(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people="Finance", rule="all")
    assert decide(task, "approved", folk.as_("ines"), comment="Fine.").status == "open"
    folk.groups["Finance"] = {"ines"}
    run = machine.finish(run_id)
    assert run.status == "completed", run
    assert statuses(run_id)["yes"] == "succeeded"
    output: Any = detail(run_id, "ask").output
    assert (output["outcome"], [one["by"] for one in output["decisions"]]) == ("approved", ["Ines"])
    assert kinds(task) == ["recount"]
    told = [entry for entry in api.trail(workspace_id=WORKSPACE, run_id=run_id).items if entry.kind == "decide"]
    assert [entry.by for entry in told] == ["user:" + str(folk.ids["ines"]), "millrace"]


def test_who_has_said_yes_and_left_has_said_so_and_the_others_are_still_waited_for(
    machine: Machine, folk: Town
) -> None:
    folk.groups["Finance"].add("vic")
    run_id, task = ask(machine, people="Finance", rule="all")
    decide(task, "approved", folk.as_("ines"))
    del folk.roles["ines"]
    folk.groups["Finance"].discard("vic")
    wait_until(lambda: asked(run_id).needs == 2)
    assert decide(task, "approved", folk.as_("omar")).status == "decided"
    assert machine.finish(run_id).status == "completed"


@pytest.mark.parametrize("gone", ["left the group", "deactivated", "group deleted"])
def test_when_nobody_is_left_it_says_so_and_an_admin_decides(machine: Machine, folk: Town, gone: str) -> None:
    run_id, task = ask(machine, people="Finance", rule="all")
    decide(task, "approved", folk.as_("ines"))
    assert count(folk.as_("ada")) == 0
    if gone == "left the group":
        folk.groups["Finance"] = set()
    elif gone == "deactivated":
        folk.roles = {"ada": "admin", "vic": "viewer"}
    else:
        del folk.groups["Finance"]
    wait_until(lambda: stranded(task))
    assert look(run_id).status == "waiting_human", "what those said who left decides nothing"
    assert kinds(task) == ["stranded"]
    cause = api.because(workspace_id=WORKSPACE, run_id=run_id)
    assert cause is not None
    assert (cause.owner, cause.names) == ("admins", ["role:admin"])
    assert count(folk.as_("ada")) == 1
    with pytest.raises(NotAsked):
        decide(task, "approved", folk.as_("vic"))
    said = decide(task, "approved", folk.as_("ada"))
    assert (said.status, said.votes[-1].admin) == ("decided", True)
    assert machine.finish(run_id).status == "completed"


def test_with_fewer_left_than_have_to_approve_an_admin_finds_others(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people="Finance", rule="number", number=2)
    folk.groups["Finance"] = {"ines"}
    wait_until(lambda: stranded(task))
    assert decide(task, "approved", folk.as_("ines")).status == "open", "two have to, whoever they are"
    assert count(folk.as_("ada")) == 1
    api.hand_over(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ada"), to="vic@example.com", reason="Away.")
    assert decide(task, "approved", folk.as_("vic")).status == "decided"
    assert machine.finish(run_id).status == "completed"


def test_an_admin_who_has_said_yes_can_still_find_a_second_voice(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people="Finance", rule="number", number=2)
    folk.groups["Finance"] = set()
    wait_until(lambda: stranded(task))
    assert decide(task, "approved", folk.as_("ada")).status == "open"
    view = api.task(workspace_id=WORKSPACE, task_id=task.id)
    assert api.may_hand_over(task=view, voter=folk.as_("ada"))
    api.hand_over(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ada"), to="vic@example.com", reason="Away.")
    decide(task, "approved", folk.as_("vic"))
    assert machine.finish(run_id).status == "completed"


def test_whoever_asks_for_it_may_not_decide_though_nobody_else_is_left(machine: Machine, folk: Town) -> None:
    _, task = ask(machine, people="Finance", not_requester=True, requester="ada@example.com")
    folk.groups["Finance"] = set()
    wait_until(lambda: stranded(task))
    assert count(folk.as_("ada")) == 0
    with pytest.raises(NotAsked):
        decide(task, "approved", folk.as_("ada"))


def test_who_comes_back_decides_as_before(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people="Finance")
    folk.groups["Finance"] = set()
    wait_until(lambda: stranded(task))
    folk.groups["Finance"] = {"omar"}
    wait_until(lambda: not stranded(task))
    assert count(folk.as_("ada")) == 0
    decide(task, "approved", folk.as_("omar"))
    assert machine.finish(run_id).status == "completed"


def test_a_question_that_somebody_took_who_left_is_back_in_the_lists_of_the_others(
    machine: Machine, folk: Town
) -> None:
    run_id, task = ask(machine, people="Finance")
    api.take(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("omar"))
    assert count(folk.as_("ines")) == 0
    del folk.roles["omar"]
    wait_until(lambda: count(folk.as_("ines")) == 1)
    decide(task, "approved", folk.as_("ines"))
    assert machine.finish(run_id).status == "completed"


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_recount_that_dies_is_found_again(machine: Machine, folk: Town, side: str) -> None:
    run_id, task = ask(machine, people="Finance", rule="all")
    decide(task, "approved", folk.as_("ines"))
    failpoints.arm(f"human.recount:{side}=raise@nth(1)")
    try:
        folk.groups["Finance"] = {"ines"}
        run = machine.finish(run_id)
    finally:
        failpoints.disarm()
    assert run.status == "completed", run
    assert kinds(task) == ["recount"], "once"


def test_a_new_process_counts_what_one_before_it_left(machine: Machine, folk: Town) -> None:
    """A look remembers nothing that the rows do not say: a first one looks at everything."""
    run_id, task = ask(machine, people="Finance", rule="all")
    decide(task, "approved", folk.as_("ines"))
    folk.groups["Finance"] = {"ines"}
    try:
        Recounts().look()
    except OperationalError:
        pytest.fail("a look failed")
    assert HumanTask.objects.get(pk=task.id).status == "decided"
    assert recount(task.id) is None, "decided once"
    assert machine.finish(run_id).status == "completed"
