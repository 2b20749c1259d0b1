"""What becomes of a failure that a person cannot simply have tried again: it is left to the admins, or mended first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import AlreadyDecided, NotAsked, NotRetryable, RetryRefused, TaskRefused, Voter
from runtime.ports import PORTS
from runtime.store import failpoints
from runtime.store.models import BulkRetry, BulkRetryItem, HumanTask, Run
from runtime.worker import bulk_retries
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, detail, flow, post, unsafe_post, wait_until
from tests.runtime.test_people import INES, LINKS, approval, asked, decide, failing
from tests.runtime.test_retrying import go_on
from tests.runtime.town import Town, town


@pytest.fixture
def folk(monkeypatch: pytest.MonkeyPatch) -> Town:
    made = town()
    monkeypatch.setattr(PORTS, "people", made)
    return made


def listed_for(voter: Voter) -> list[UUID]:
    return [one.id for one in api.tasks(workspace_id=WORKSPACE, voter=voter).items]


def leave(task: UUID, voter: Voter, reason: str = "The bank refuses us.") -> Any:
    return api.leave_to_admins(workspace_id=WORKSPACE, task_id=task, voter=voter, reason=reason)


def test_a_failure_that_is_left_to_the_admins_is_theirs_alone(machine: Machine, world: World, folk: Town) -> None:
    run_id = machine.begin(failing(world, "fail=503*1"))
    task = asked(run_id)
    ines, omar, ada = (folk.as_(name) for name in ("ines", "omar", "ada"))
    api.take(workspace_id=WORKSPACE, task_id=task.id, voter=ines)
    with pytest.raises(TaskRefused) as caught:
        leave(task.id, ines, "  ")
    assert set(caught.value.fields) == {"reason"}
    with pytest.raises(NotAsked):
        leave(task.id, folk.as_("vic"))
    left = leave(task.id, ines)
    assert (left.people, left.claimed_by) == (["role:admin"], None)
    assert [listed_for(one) for one in (ines, omar, ada)] == [[], [], [task.id]]
    assert not api.may_decide(task=left, voter=ines)
    with pytest.raises(NotAsked):
        decide(task, "retry", ines)
    with pytest.raises(NotAsked):
        leave(task.id, ines)
    with pytest.raises(TaskRefused):
        leave(task.id, ada)
    notes = api.task(workspace_id=WORKSPACE, task_id=task.id).notes
    assert [(one.kind, one.by, one.text) for one in notes] == [
        ("take", "Ines", ""),
        ("leave", "Ines", "The bank refuses us."),
    ]
    decide(task, "retry", ada)
    assert machine.finish(run_id).status == "completed"


def test_admins_hand_a_failure_that_was_left_to_them_to_whoever_can_see_to_it(
    machine: Machine, world: World, folk: Town
) -> None:
    run_id = machine.begin(failing(world, "fail=503*1"))
    task = asked(run_id)
    leave(task.id, folk.as_("ines"))
    hand: dict[str, Any] = {"workspace_id": WORKSPACE, "task_id": task.id, "reason": "The address is right now."}
    api.hand_over(voter=folk.as_("ada"), to="omar@example.com", **hand)
    assert [listed_for(folk.as_(name)) for name in ("ines", "omar", "ada")] == [[], [task.id], []]
    decide(task, "retry", folk.as_("omar"))
    assert machine.finish(run_id).status == "completed"


def test_only_a_failure_is_left_and_only_where_an_admin_can_see_to_it(
    machine: Machine, world: World, folk: Town
) -> None:
    question = asked(machine.begin(flow(LINKS, approval()), {"amount": 12}))
    with pytest.raises(TaskRefused):
        leave(question.id, folk.as_("ines"))
    failure = asked(machine.begin(failing(world, "fail=503*1")))
    del folk.roles["ada"]
    with pytest.raises(TaskRefused):
        leave(failure.id, folk.as_("ines"))
    assert HumanTask.objects.get(pk=failure.id).people == ""
    folk.roles["ada"] = "admin"
    decide(failure, "give_up", folk.as_("ines"))
    with pytest.raises(AlreadyDecided):
        leave(failure.id, folk.as_("ines"))


def fix(task: Any) -> Any:
    return api.fix(workspace_id=WORKSPACE, task_id=task.id)


def problem(task: Any, settings: Any) -> str | None:
    return api.check_fix(workspace_id=WORKSPACE, task_id=task.id, settings=settings)


def test_what_a_failed_step_was_given_is_mended_and_only_that_step_is_done_again(
    machine: Machine, world: World
) -> None:
    run_id = machine.begin(failing(world, "fail=422"))
    task = asked(run_id)
    found = fix(task)
    assert (found.node, found.type, found.ended, found.why) == ("pay", "http.request@1", False, None)
    assert "Address" in str(problem(task, {**found.input, "url": ""}))
    assert problem(task, "nothing of the sort")
    assert HumanTask.objects.get(pk=task.id).status == "open", "asking changes nothing"
    mended = {**found.input, "url": f"{world.url}/invoices"}
    assert problem(task, mended) is None

    decide(task, "give_up", comment="The address was wrong.")
    machine.finish(run_id)
    assert fix(task).ended
    assert problem(task, mended) is None
    go_on(run_id, edits={"pay": mended})
    assert machine.finish(run_id).status == "completed"
    assert detail(run_id, "after").output == {"to": 201}
    (retried,) = api.retries(workspace_id=WORKSPACE, run_id=run_id)
    assert retried.edits["pay"]["after"]["url"] == f"{world.url}/invoices"
    with pytest.raises(NotRetryable):
        fix(task)


def mend(task: Any, settings: Any, voter: Voter = INES) -> UUID:
    return api.fix_and_retry(
        workspace_id=WORKSPACE, task_id=task.id, settings=settings, voter=voter, comment="The address was wrong."
    )


def test_giving_up_and_the_retry_with_what_was_put_right_are_one_deed(machine: Machine, world: World) -> None:
    run_id = machine.begin(failing(world, "fail=422"))
    task = asked(run_id)
    given = fix(task).input
    with pytest.raises(RetryRefused):
        mend(task, {**given, "url": ""})
    assert (HumanTask.objects.get(pk=task.id).status, BulkRetry.objects.count()) == ("open", 0)
    mended = {**given, "url": f"{world.url}/invoices"}
    bulk = mend(task, mended)
    wait_until(lambda: api.bulk_retry(workspace_id=WORKSPACE, bulk_id=bulk).status == "done")
    assert machine.finish(run_id).status == "completed"
    (retried,) = api.retries(workspace_id=WORKSPACE, run_id=run_id)
    assert retried.edits["pay"] == {"before": given, "after": mended}
    assert retried.by == f"user:{INES.id}"
    with pytest.raises(NotRetryable):
        mend(task, mended)


@pytest.mark.parametrize("point", ["human.decide:before", "human.decide:after"])
def test_what_breaks_off_in_between_leaves_the_question_open_or_the_run_going_on(
    idle_machine: Machine, world: World, point: str
) -> None:
    idle_machine.start()
    run_id = idle_machine.begin(failing(world, "fail=422"))
    task = asked(run_id)
    idle_machine.stop()
    mended = {**fix(task).input, "url": f"{world.url}/invoices"}
    failpoints.arm(f"{point}=raise@nth(1)")
    with pytest.raises(failpoints.FailpointReached):
        mend(task, mended)
    failpoints.disarm()
    if point.endswith("before"):
        assert HumanTask.objects.get(pk=task.id).status == "open"
        assert not BulkRetry.objects.exists()
        mend(task, mended)
    bulk_retries.tend()
    assert Run.objects.get(pk=run_id).generation == 1, "it is waited for until the run has ended"
    assert BulkRetryItem.objects.get().status == "pending"
    idle_machine.start()
    wait_until(lambda: BulkRetry.objects.get().status == "done")
    assert idle_machine.finish(run_id).status == "completed"
    assert Run.objects.get(pk=run_id).generation == 2


def test_a_run_that_somebody_cancels_before_it_ended_is_not_gone_on_with(idle_machine: Machine, world: World) -> None:
    idle_machine.start()
    run_id = idle_machine.begin(failing(world, "fail=422"))
    task = asked(run_id)
    idle_machine.stop()
    mend(task, {**fix(task).input, "url": f"{world.url}/invoices"})
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    idle_machine.start()
    wait_until(lambda: BulkRetry.objects.get().status == "done")
    assert BulkRetryItem.objects.get().status == "refused"
    assert Run.objects.get(pk=run_id).generation == 1


def test_that_a_step_cannot_be_mended_is_said_before_the_run_stops(machine: Machine, world: World) -> None:
    pay = post("pay", f"{world.url}/with/fail=422/invoices", {"amount": 10}, on_failure="person")
    pay["settings"]["retry"] = {"attempts": 1}
    run_id = machine.begin(flow(f"{LINKS}, yes -> pay", approval(), pay), {"amount": 10})
    question = asked(run_id)
    with pytest.raises(NotRetryable):
        fix(question)
    decide(question, "approved", INES)
    task = asked(run_id)
    found = fix(task)
    assert found.why is not None
    assert "was decided" in found.why
    assert problem(task, found.input) == found.why
    decide(task, "give_up", INES)
    machine.finish(run_id)


def test_a_step_in_doubt_is_not_mended_before_somebody_says_what_became_of_it(machine: Machine, world: World) -> None:
    once = {"attempts": 1}
    pay = unsafe_post("pay", f"{world.url}/with/drop/invoices", {"amount": 1}, retry=once, on_failure="person")
    run_id = machine.begin(flow("start -> pay", pay))
    task = asked(run_id)
    assert fix(task).why is not None
    decide(task, "give_up")
    machine.finish(run_id)
