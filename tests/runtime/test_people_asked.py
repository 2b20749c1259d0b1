"""Who may decide: groups, roles, everybody of them, not whoever asks for it; taking and handing over (I13, S117)."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import AlreadyDecided, NotAsked, TaskRefused, TaskView, Voter
from runtime.ports import PORTS
from runtime.store.models import HumanTask, HumanVote, Run
from tests.runtime.machine import WORKSPACE, Machine, detail, flow, statuses, wait_until
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


def count(voter: Voter) -> int:
    return api.task_count(workspace_id=WORKSPACE, voter=voter)


def test_a_group_is_asked_by_its_name_and_its_members_of_today_decide(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people="Finance")
    assert task.people == [f"group:{folk.group_ids['Finance']}"]
    assert [count(folk.as_(name)) for name in ("ines", "omar", "ada", "vic")] == [1, 1, 0, 0]
    with pytest.raises(NotAsked):
        decide(task, "approved", folk.as_("vic"))
    folk.groups["Finance"] = {"ines", "vic"}
    with pytest.raises(NotAsked):
        decide(task, "approved", folk.as_("omar"))
    decide(task, "approved", folk.as_("vic"))
    assert machine.finish(run_id).status == "completed"


def test_a_role_is_asked(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people="role:admin")
    assert [count(folk.as_(name)) for name in ("ines", "ada")] == [0, 1]
    decide(task, "approved", folk.as_("ada"))
    machine.finish(run_id)


def test_a_question_for_nobody_who_is_known_fails_in_words(machine: Machine, folk: Town) -> None:
    run_id = machine.begin(flow(LINKS, approval(people="Ghosts, ines@example.com")), {"amount": 12})
    run = machine.finish(run_id)
    assert run.status == "dead_lettered"
    assert run.error is not None
    assert run.error["code"] == "people_unknown"
    assert "“Ghosts”" in run.error["message"]
    assert not HumanTask.objects.filter(run_id=run_id).exists()


def test_all_of_a_group_are_those_who_are_in_it_when_the_last_one_says_yes(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people="Finance", rule="all")
    assert task.needs == 2
    assert decide(task, "approved", folk.as_("ines")).status == "open"
    folk.groups["Finance"].add("vic")
    assert decide(task, "approved", folk.as_("omar")).status == "open", "Vic has come in and has not said so"
    assert decide(task, "approved", folk.as_("vic")).status == "decided"
    machine.finish(run_id)


def test_n_of_a_group_each_counts_once_though_named_twice(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people="Finance, ines@example.com, role:admin", rule="number", number=3)
    for name in ("ines", "omar"):
        assert decide(task, "approved", folk.as_(name)).status == "open"
    with pytest.raises(AlreadyDecided):
        decide(task, "approved", folk.as_("ines"))
    assert decide(task, "approved", folk.as_("ada")).status == "decided"
    machine.finish(run_id)


def test_more_than_can_decide_are_never_waited_for(machine: Machine, folk: Town) -> None:
    run_id = machine.begin(flow(LINKS, approval(people="Finance", rule="number", number=3)), {"amount": 12})
    assert machine.finish(run_id).status == "dead_lettered"


def test_whoever_asks_for_it_may_not_decide(machine: Machine, folk: Town) -> None:
    run_id = machine.begin(
        flow(LINKS, approval(people="Finance", not_requester=True, requester="{{ trigger.by }}")),
        {"amount": 12, "by": "Ines@example.com"},
    )
    task = asked(run_id)
    assert count(folk.as_("ines")) == 0
    assert not api.may_decide(task=task, voter=folk.as_("ines"))
    with pytest.raises(NotAsked):
        decide(task, "approved", folk.as_("ines"))
    with pytest.raises(TaskRefused) as caught:
        api.hand_over(
            workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("omar"), to="ines@example.com", reason="x"
        )
    assert set(caught.value.fields) == {"to"}
    decide(task, "approved", folk.as_("omar"))
    machine.finish(run_id)


def test_whoever_started_the_run_asks_for_it(machine: Machine, folk: Town) -> None:
    graph = flow(LINKS, approval(people="Finance", not_requester=True))
    workflow = machine.publish(graph)
    run_id = api.start_run(
        workspace_id=WORKSPACE, workflow_id=workflow, input={"amount": 1}, by=folk.ids["omar"]
    ).run_id
    task = asked(run_id)
    assert [count(folk.as_(name)) for name in ("ines", "omar")] == [1, 0]
    with pytest.raises(NotAsked):
        decide(task, "approved", folk.as_("omar"))
    decide(task, "approved", folk.as_("ines"))
    machine.finish(run_id)


def test_a_rule_that_nobody_can_hold_to_does_not_look_as_if_it_held(machine: Machine, folk: Town) -> None:
    """No person started it, and no formula says who asks for it."""
    run_id = machine.begin(flow(LINKS, approval(people="Finance", not_requester=True)), {"amount": 12})
    run = machine.finish(run_id)
    assert run.status == "dead_lettered"
    assert run.error is not None
    assert run.error["code"] == "requester_unknown"


def test_an_admin_decides_only_where_the_step_says_so_and_it_is_on_record(machine: Machine, folk: Town) -> None:
    _, task = ask(machine, people="Finance")
    with pytest.raises(NotAsked):
        decide(task, "approved", folk.as_("ada"))
    run_id, task = ask(machine, people="Finance", admins=True)
    assert count(folk.as_("ada")) == 0, "she is not asked"
    assert api.may_decide(task=task, voter=folk.as_("ada"))
    said = decide(task, "approved", folk.as_("ada"))
    assert said.votes[0].admin
    machine.finish(run_id)
    output: Any = detail(run_id, "ask").output
    assert output["decisions"][0]["as"] == "admin"


def test_who_takes_a_question_sees_to_it_alone(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people="Finance")
    taken = api.take(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ines"))
    assert taken.claimed_name == "Ines"
    assert [count(folk.as_(name)) for name in ("ines", "omar")] == [1, 0]
    with pytest.raises(AlreadyDecided) as caught:
        decide(task, "approved", folk.as_("omar"))
    assert caught.value.code == "taken"
    with pytest.raises(AlreadyDecided):
        api.take(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("omar"))
    api.take(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("omar"), over=True)
    with pytest.raises(NotAsked):
        api.give_back(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ines"))
    api.give_back(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("omar"))
    assert [count(folk.as_(name)) for name in ("ines", "omar")] == [1, 1]
    decide(task, "approved", folk.as_("ines"))
    machine.finish(run_id)
    notes = api.task(workspace_id=WORKSPACE, task_id=task.id).notes
    assert [(note.kind, note.by, note.to) for note in notes] == [
        ("take", "Ines", ""),
        ("take", "Omar", "Ines"),
        ("give_back", "Omar", ""),
    ]


def test_nobody_takes_alone_what_several_decide(machine: Machine, folk: Town) -> None:
    _, task = ask(machine, people="Finance", rule="number", number=2)
    with pytest.raises(TaskRefused):
        api.take(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ines"))


def test_a_question_is_handed_over_with_a_reason(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people="ines@example.com")
    hand: dict[str, Any] = {"workspace_id": WORKSPACE, "task_id": task.id, "to": "vic@example.com"}
    with pytest.raises(TaskRefused) as caught:
        api.hand_over(voter=folk.as_("ines"), reason=" ", **hand)
    assert set(caught.value.fields) == {"reason"}
    with pytest.raises(NotAsked):
        api.hand_over(voter=folk.as_("omar"), reason="mine", **hand)
    api.hand_over(voter=folk.as_("ines"), reason="On leave.", **hand)
    assert [count(folk.as_(name)) for name in ("ines", "vic")] == [0, 1]
    with pytest.raises(NotAsked):
        decide(task, "approved", folk.as_("ines"))
    decide(task, "approved", folk.as_("vic"))
    machine.finish(run_id)
    (note,) = api.task(workspace_id=WORKSPACE, task_id=task.id).notes
    assert (note.kind, note.by, note.to, note.text) == ("hand_over", "Ines", "Vic", "On leave.")


def test_handing_over_does_not_make_one_voice_two(machine: Machine, folk: Town) -> None:
    _, task = ask(machine, people="Finance", rule="all")
    hand: dict[str, Any] = {"workspace_id": WORKSPACE, "task_id": task.id, "voter": folk.as_("ines"), "reason": "x"}
    with pytest.raises(TaskRefused):
        api.hand_over(to="omar@example.com", **hand)
    api.hand_over(to="ada@example.com", **hand)
    assert decide(task, "approved", folk.as_("omar")).status == "open"
    assert decide(task, "approved", folk.as_("ada")).status == "decided"


def test_an_admin_hands_over_what_nobody_is_left_to_decide(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people="omar@example.com")
    del folk.roles["omar"]
    hand: dict[str, Any] = {
        "workspace_id": WORKSPACE,
        "task_id": task.id,
        "to": "ines@example.com",
        "reason": "Omar has left.",
    }
    with pytest.raises(NotAsked):
        api.hand_over(voter=folk.as_("ines"), **hand)
    api.hand_over(voter=folk.as_("ada"), **hand)
    decide(task, "approved", folk.as_("ines"))
    machine.finish(run_id)


def test_lists_tell_what_is_mine_from_what_comes_by_my_groups(machine: Machine, folk: Town) -> None:
    _, mine = ask(machine, people="ines@example.com", due=2, due_unit="days")
    _, shared = ask(machine, people="Finance", due=1, due_unit="hours")
    _, anybody = ask(machine)
    ines = folk.as_("ines")

    def ids(**query: Any) -> list[UUID]:
        return [one.id for one in api.tasks(workspace_id=WORKSPACE, voter=ines, **query).items]

    assert ids() == [shared.id, mine.id, anybody.id], "in the order in which they are due"
    assert ids(whose="named") == [mine.id]
    assert ids(whose="groups") == [shared.id]
    first = api.tasks(workspace_id=WORKSPACE, voter=ines, limit=1)
    second = api.tasks(workspace_id=WORKSPACE, voter=ines, limit=1, after=first.next_cursor)
    third = api.tasks(workspace_id=WORKSPACE, voter=ines, limit=1, after=second.next_cursor)
    assert [one.items[0].id for one in (first, second, third)] == [shared.id, mine.id, anybody.id]
    assert third.next_cursor is None


def test_two_of_a_group_who_approve_at_once_count_once_each(machine: Machine, folk: Town) -> None:
    """Each presses four times: two voices, one decision, one way on."""
    run_id, task = ask(machine, people="Finance", rule="number", number=2)
    counted: list[str] = []

    def press(name: str) -> None:
        from django.db import connections

        try:
            decide(task, "approved", folk.as_(name))
            counted.append(name)
        except AlreadyDecided:
            pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=(name,)) for name in ("ines", "omar") * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counted) == ["ines", "omar"]
    machine.finish(run_id)
    assert HumanVote.objects.filter(task_id=task.id).count() == 2
    wait_until(lambda: statuses(run_id).get("yes") == "succeeded")
    assert Run.objects.get(pk=run_id).status == "completed"
