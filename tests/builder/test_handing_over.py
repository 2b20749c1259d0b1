"""What hangs on a member is handed over: looked at first, then done, each thing on record; before they go, or not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from builder.accounts import groups
from builder.accounts.models import Group, Membership, Role, User
from builder.api import handing_over, repeats
from builder.audit.models import AuditRow
from builder.connections.models import Connection
from builder.workflows import services
from builder.workflows.models import Answered, SavedView, Workflow
from runtime import api as runtime_api
from runtime.api import alerts
from runtime.contracts.alerts import AlertChannelDraft
from runtime.interpreter.people import listed, tokens
from runtime.store.models import HumanNote, HumanTask, HumanVote
from tests.builder.conftest import World
from tests.builder.test_people import membership, question, run_of
from tests.factories import Answer, graph, join, make_person, make_token
from tests.meanwhile import elsewhere, just_before

# The runtime's writer has a connection of its own.
pytestmark = pytest.mark.django_db(transaction=True)


def path(world: World, name: str = "bo") -> str:
    return f"{world.here}/members/{membership(world, name)}/handover"


def plan(world: World, to: str = "", of: str = "bo") -> dict[str, Any]:
    answer = world.as_alice.get(path(world, of) + (f"?to={membership(world, to)}" if to else ""))
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body
    return found


def give(world: World, to: str, of: str = "bo", **more: Any) -> Answer:
    return world.as_alice.post(path(world, of), {"to": str(membership(world, to)), "reason": "Bo leaves us.", **more})


def told(things: list[dict[str, Any]]) -> set[tuple[str, str, str | None]]:
    return {(one["kind"], one["name"], one["why"]) for one in things}


def connection(world: World, name: str = "Bank") -> Connection:
    return Connection.objects.create(workspace=world.northwind, kind="http_bearer", name=name, owner=world.bo)


def channel(world: World, *people: str) -> UUID:
    draft = AlertChannelDraft(name="Ops", people=people)
    return runtime_api.add_alert_channel(workspace_id=world.northwind.id, draft=draft)


@pytest.fixture
def everything(world: World) -> dict[str, Any]:
    """One thing of each kind that hangs on Bo."""
    body = {"name": "Late", "search": {"q": "late"}, "shared": True}
    assert world.as_bo.post(f"{world.here}/runs/views", body).status == 201
    assert world.as_bo.post(f"{world.here}/runs/views", {**body, "name": "Mine", "shared": False}).status == 201
    away = {"first_day": "2026-11-01", "last_day": None, "stand_in": str(membership(world, "bo")), "note": "Ring me."}
    assert world.as_vera.post(f"{world.here}/absences/mine", away).status == 201
    alone = [membership(world, "bo"), membership(world, "dora")]
    groups.make_group(
        workspace=world.northwind, name="Two", members=[membership(world, "bo"), membership(world, "vera")]
    )
    return {
        "workflow": world.workflow("Order to cash"),
        "connection": connection(world),
        "group": groups.make_group(workspace=world.northwind, name="Alone", members=alone),
        "channel": channel(world, world.bo.email, world.rosa.email),
        "question": question(world, world.bo.email),
    }


ALL = {
    ("workflow", "Order to cash", None), ("connection", "Bank", None), ("group", "Alone", None),
    ("stand_in", "Vera", None), ("alert_channel", "Ops", None), ("run_view", "Late", None),
    ("question", "Pay <R-7>?", None),
}  # fmt: skip


def _without_the_flows_of_runs(things: set[tuple[str, str, str | None]]) -> set[tuple[str, str, str | None]]:
    """A question stands in a run of a workflow of Bo's, whose name is made up."""
    return {one for one in things if one[0] != "workflow" or one[1] == "Order to cash"}


def test_what_hangs_on_a_member_is_told_and_nothing_is_changed(world: World, everything: dict[str, Any]) -> None:
    found = plan(world)
    assert _without_the_flows_of_runs(told(found["things"])) == ALL
    assert (found["questions"], found["alone"], found["stays"]) == (1, 1, [])
    assert _without_the_flows_of_runs(told(plan(world, "alice")["things"])) == ALL
    assert not AuditRow.objects.filter(verb__contains="handed_over").exists()
    assert everything["workflow"].owner == world.bo


def test_all_of_it_is_handed_over_each_with_its_row_and_then_they_are_taken_out(
    world: World, everything: dict[str, Any]
) -> None:
    wanted = len(plan(world)["things"])
    answer = give(world, "alice", remove=True)
    assert answer.status == 200, answer.body
    assert answer.body == {"done": wanted, "left": False, "refused": [], "removed": True}
    assert Workflow.objects.filter(owner=world.bo).count() == 0
    assert Connection.objects.get().owner == world.alice
    view = SavedView.objects.get(name="Late")
    assert (view.owner, SavedView.objects.get(name="Mine").owner) == (world.alice, world.bo)
    assert [one.user for one in everything["group"].members.filter(user__is_active=True)] == [world.alice]
    (away,) = world.as_vera.get(f"{world.here}/absences").body["items"]
    assert (away["stand_in"]["name"], away["note"], away["first_day"]) == ("Alice", "Ring me.", "2026-11-01")
    draft = runtime_api.alert_channel(workspace_id=world.northwind.id, channel_id=everything["channel"]).draft
    assert draft.people == (world.alice.email, world.rosa.email)
    task = HumanTask.objects.get()
    assert (tokens(task.people), task.claimed_by) == ([world.alice.email], world.alice.id)
    assert HumanNote.objects.get().text == "Bo leaves us."
    assert not Membership.objects.filter(workspace=world.northwind, user=world.bo).exists()
    rows = AuditRow.objects.filter(actor_name="Alice").order_by("sequence")
    verbs = [row.verb for row in rows]
    for verb in (
        "workflow.handed_over", "connection.handed_over", "run_view.handed_over", "group.changed", "absence.changed",
        "alert_channel.changed", "task.handed_over",
    ):  # fmt: skip
        assert verb in verbs, verb
    assert verbs[-2:] == ["member.handed_over", "member.removed"]
    flow = rows.get(verb="workflow.handed_over", object_name="Order to cash")
    assert '"of":"Bo"' in flow.detail.replace(" ", "")
    assert "Bo leaves us." in flow.detail


def test_it_is_handed_over_of_somebody_who_stays(world: World) -> None:
    mine = world.workflow()
    answer = give(world, "alice").body
    assert (answer["done"], answer["removed"]) == (1, False)
    mine.refresh_from_db()
    assert mine.owner == world.alice
    assert Membership.objects.filter(workspace=world.northwind, user=world.bo).exists()
    assert give(world, "alice").body["done"] == 0
    assert AuditRow.objects.filter(verb="member.handed_over").count() == 1, "nothing was done the second time"


def test_who_may_not_have_something_is_told_so_before_and_keeps_nothing_of_it(world: World) -> None:
    mine, bank = world.workflow(), connection(world)
    failed = question(world, world.bo.email, kind="exception", run=run_of(world))
    found = plan(world, "vera")["things"]
    assert {one["id"]: one["why"] for one in found if one["id"] in {str(mine.id), str(bank.id), str(failed.id)}} == {
        str(mine.id): "role", str(bank.id): "role", str(failed.id): "failures",
    }  # fmt: skip
    answer = give(world, "vera", remove=True).body
    assert (answer["done"], answer["left"], answer["removed"]) == (0, False, True)
    assert {"role", "failures"} == {one["why"] for one in answer["refused"]}
    mine.refresh_from_db()
    assert mine.owner == world.bo


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"barred": "rosa"}, "barred"),
        ({"voted": "rosa"}, "answered"),
        ({"also": "rosa", "spec": {"needs": 2}}, "asked"),
        ({}, None),
    ],
)
def test_a_question_goes_to_nobody_who_may_not_answer_it(
    world: World, changes: dict[str, Any], why: str | None
) -> None:
    people = [world.bo.email, *([world.rosa.email] if "also" in changes else [])]
    more: dict[str, Any] = {"barred": listed([world.rosa.email])} if "barred" in changes else {}
    task = question(world, *people, spec=changes.get("spec", {}), **more)
    if "voted" in changes:
        HumanVote.objects.create(task=task, voter=world.rosa.id, name="Rosa", outcome="approved", at=1)
    (one,) = [one for one in plan(world, "rosa")["things"] if one["kind"] == "question"]
    assert one["why"] == why
    assert (str(task.id) in [each["id"] for each in give(world, "rosa").body["refused"]]) is (why is not None)


def test_what_somebody_has_answered_already_stays_theirs(world: World) -> None:
    task = question(world, world.bo.email, world.vera.email, spec={"needs": 2})
    HumanVote.objects.create(task=task, voter=world.bo.id, name="Bo", outcome="approved", at=1)
    assert plan(world)["questions"] == 0


def test_what_a_stand_in_has_answered_in_somebodys_place_stays_answered(world: World) -> None:
    task = question(world, world.bo.email, world.vera.email, spec={"needs": 2})
    HumanVote.objects.create(
        task=task, voter=world.rosa.id, name="Rosa", email=world.rosa.email, outcome="approved", at=1,
        for_id=world.bo.id, for_name="Bo", for_email=world.bo.email,
    )  # fmt: skip
    assert plan(world)["questions"] == 0
    assert "question" not in {one["kind"] for one in plan(world, "alice")["things"]}
    give(world, "alice")
    task.refresh_from_db()
    assert tokens(task.people) == [world.bo.email, world.vera.email]


def test_a_failure_that_somebody_has_taken_is_seen_to_by_whoever_may_retry(world: World) -> None:
    task = question(world, kind="exception", claimed_by=world.bo.id, claimed_name="Bo", run=run_of(world))
    assert plan(world)["questions"] == 1
    assert "question" not in {one["kind"] for one in give(world, "rosa").body["refused"]}
    task.refresh_from_db()
    assert task.claimed_by == world.rosa.id


def test_a_shared_search_of_the_log_goes_to_whoever_may_see_the_log(world: World) -> None:
    join(world.northwind, make_person("Ada"), Role.ADMIN)
    body = {"name": "Sign-ins", "search": {"verb": ["session.signed_in"]}, "shared": True}
    assert world.as_alice.post(f"{world.here}/audit/views", body).status == 201
    assert told(plan(world, "bo", of="alice")["things"]) == {("audit_view", "Sign-ins", "role")}
    assert give(world, "bo", of="alice").body["done"] == 0
    ada = Membership.objects.get(workspace=world.northwind, user__name="Ada")
    answer = world.as_alice.post(path(world, "alice"), {"to": str(ada.pk), "reason": "She sees to it."})
    assert answer.body["done"] == 1
    assert SavedView.objects.get().owner == ada.user
    assert AuditRow.objects.filter(verb="audit_view.handed_over", object_name="Sign-ins").count() == 1


def test_nobody_stands_in_for_themselves_because_of_it(world: World) -> None:
    away = {"first_day": "2026-11-01", "last_day": None, "stand_in": str(membership(world, "bo"))}
    assert world.as_rosa.post(f"{world.here}/absences/mine", away).status == 201
    (one,) = plan(world, "rosa")["things"]
    assert (one["kind"], one["why"]) == ("stand_in", "oneself")
    assert give(world, "rosa").body["done"] == 0


def test_a_group_that_is_gone_meanwhile_is_on_no_record(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    groups.make_group(workspace=world.northwind, name="Alone", members=[membership(world, "bo")])
    true = groups.left_alone

    def listed_then_removed(**what: Any) -> list[Group]:
        found = true(**what)
        Group.objects.all().delete()
        return found

    monkeypatch.setattr(groups, "left_alone", listed_then_removed)
    assert give(world, "alice").body["done"] == 0
    assert not AuditRow.objects.filter(verb="group.changed").exists()


def test_what_is_changed_of_a_channel_at_that_moment_stays_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = channel(world, world.bo.email, world.rosa.email)

    def change() -> None:
        draft = AlertChannelDraft(name="Ops by night", people=(world.bo.email, world.vera.email), language="de")
        runtime_api.change_alert_channel(workspace_id=world.northwind.id, channel_id=made, draft=draft)

    just_before(monkeypatch, alerts, "commit", elsewhere(change))
    assert give(world, "alice").body["done"] == 1
    draft = runtime_api.alert_channel(workspace_id=world.northwind.id, channel_id=made).draft
    assert (draft.name, draft.language) == ("Ops by night", "de")
    assert draft.people == (world.alice.email, world.vera.email)


def test_a_channel_that_no_longer_writes_to_them_at_that_moment_is_on_no_record(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = channel(world, world.bo.email, world.rosa.email)

    def change() -> None:
        draft = AlertChannelDraft(name="Ops", people=(world.rosa.email,))
        runtime_api.change_alert_channel(workspace_id=world.northwind.id, channel_id=made, draft=draft)

    just_before(monkeypatch, alerts, "commit", elsewhere(change))
    assert give(world, "alice").body["done"] == 0
    draft = runtime_api.alert_channel(workspace_id=world.northwind.id, channel_id=made).draft
    assert draft.people == (world.rosa.email,)
    assert not AuditRow.objects.filter(verb="alert_channel.changed").exists()


def test_what_nobody_can_be_given_is_told(world: World) -> None:
    make_token(world.northwind, world.bo)
    ask = ("ask", "people.approval@1", {"people": world.bo.email, "title": "Pay?"})
    world.workflow("Names Bo", graph=graph(("start", "trigger.manual@1", {}), ask))
    assert told(plan(world)["stays"]) == {("token", "A program", None), ("step", "Names Bo", None)}


def test_what_stops_in_between_goes_on_where_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        world.workflow(f"Flow {number}")
    true = services.hand_over
    given: list[UUID] = []

    def dies(*, workflow_id: UUID, of: User, to: User) -> bool:
        if given:
            raise RuntimeError("the lights went out")
        given.append(workflow_id)
        return true(workflow_id=workflow_id, of=of, to=to)

    monkeypatch.setattr(services, "hand_over", dies)
    assert give(world, "alice", remove=True).status == 500
    monkeypatch.undo()
    assert Membership.objects.filter(workspace=world.northwind, user=world.bo).exists()
    assert Workflow.objects.filter(owner=world.alice).count() == 1
    assert AuditRow.objects.filter(verb="workflow.handed_over").count() == 1
    answer = give(world, "alice", remove=True).body
    assert (answer["done"], answer["removed"]) == (2, True)
    assert AuditRow.objects.filter(verb="workflow.handed_over").count() == 3


def test_a_repeat_under_its_key_after_a_stop_tells_of_all_of_it_and_sums_it_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        world.workflow(f"Flow {number}")
    body = {"to": str(membership(world, "alice")), "reason": "Bo leaves.", "remove": True}
    key = {"Idempotency-Key": "once"}
    true = services.hand_over
    given: list[UUID] = []

    def dies(*, workflow_id: UUID, of: User, to: User) -> bool:
        if given:
            raise RuntimeError("the lights went out")
        given.append(workflow_id)
        return true(workflow_id=workflow_id, of=of, to=to)

    monkeypatch.setattr(services, "hand_over", dies)
    where = path(world)
    assert world.as_alice.post(where, body, headers=key).status == 500
    monkeypatch.undo()
    # Then all is done, and the answer gets lost.
    monkeypatch.setattr(repeats, "_keep", lambda *_: None)
    assert world.as_alice.post(where, body, headers=key).status == 200
    monkeypatch.undo()
    assert world.as_alice.post(where, body, headers=key).code == "still_working"
    Answered.objects.update(created_at=datetime.now(UTC) - timedelta(minutes=2))
    answer = world.as_alice.post(where, body, headers=key)
    assert answer.body == {"done": 3, "left": False, "refused": [], "removed": True}
    (row,) = AuditRow.objects.filter(verb="member.handed_over")
    assert json.loads(row.detail)["count"] == 3
    assert AuditRow.objects.filter(verb="workflow.handed_over").count() == 3
    assert AuditRow.objects.filter(verb="member.removed").count() == 1


def test_what_takes_too_long_is_gone_on_with_and_nobody_is_taken_out_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.workflow()
    monkeypatch.setattr(handing_over, "_LONGEST", -1.0)
    answer = give(world, "alice", remove=True).body
    assert (answer["done"], answer["left"], answer["removed"]) == (0, True, False)
    monkeypatch.undo()
    answer = give(world, "alice", remove=True).body
    assert (answer["done"], answer["left"], answer["removed"]) == (1, False, True)


def test_what_cannot_be_handed_over_takes_no_time_of_the_rest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is listed again each time: were it counted, very much of it would leave the same things for ever."""
    world.workflow()
    monkeypatch.setattr(handing_over, "_LONGEST", -1.0)
    answer = give(world, "vera", remove=True).body
    assert (answer["done"], answer["left"], answer["removed"]) == (0, False, True)
    assert [one["why"] for one in answer["refused"]] == ["role"]


def test_nothing_is_handed_over_because_of_somebody_who_cannot_go(world: World) -> None:
    mine = world.workflow()
    mine.owner = world.alice
    mine.save()
    answer = give(world, "bo", of="alice", remove=True)
    assert (answer.status, answer.code) == (409, "last_admin")
    mine.refresh_from_db()
    assert mine.owner == world.alice


def test_only_a_member_of_this_workspace_who_is_another_can_have_it(world: World) -> None:
    for to in (
        membership(world, "bo"),
        membership(world, "dora"),
        Membership.objects.get(user=world.mallory).id,
        uuid4(),
    ):
        body = {"to": str(to), "reason": "x"}
        assert (world.as_alice.post(path(world), body).status, world.as_alice.get(f"{path(world)}?to={to}").status) == (
            422, 422,
        ), to  # fmt: skip
    assert world.as_alice.post(path(world), {"to": str(membership(world, "rosa")), "reason": " "}).status == 422
    assert world.as_bo.get(path(world)).status == 403
    assert world.as_mallory.get(path(world)).status == 404


def test_a_repeat_under_its_key_is_the_first_answer(world: World) -> None:
    world.workflow()
    body = {"to": str(membership(world, "alice")), "reason": "Bo leaves."}
    first = world.as_alice.call("POST", path(world), body, headers={"Idempotency-Key": "once"})
    again = world.as_alice.call("POST", path(world), body, headers={"Idempotency-Key": "once"})
    assert first.body == again.body == {"done": 1, "left": False, "refused": [], "removed": False}
