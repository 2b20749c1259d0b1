"""A decision that can be taken back, by the API: who asks for it, what it answers, and what goes on record."""

from __future__ import annotations

import json
from typing import Any

import pytest

from builder.accounts.models import Membership
from builder.audit import verify
from builder.audit.models import AuditRow
from runtime.interpreter.people import listed
from runtime.store.models import HumanTask, HumanVote, PendingAnswer
from runtime.worker.pending_answers import settle
from tests.builder.conftest import World
from tests.builder.test_people import question

pytestmark = pytest.mark.django_db(transaction=True)
APPROVE = {"outcome": "approved", "undo": True}


def decide(world: World, task: HumanTask, **body: Any) -> Any:
    return world.as_rosa.post(f"{world.here}/inbox/{task.id}/decide", {**APPROVE, **body})


def is_due() -> None:
    PendingAnswer.objects.filter(due_at__isnull=False).update(due_at=1)


def deeds(world: World, task: HumanTask) -> list[tuple[str, dict[str, Any]]]:
    rows = AuditRow.objects.filter(chain=str(world.northwind.id), object_id=str(task.id)).order_by("sequence")
    return [(row.verb, json.loads(row.detail)) for row in rows]


def test_a_decision_that_asks_for_it_can_be_taken_back_for_eight_seconds(world: World) -> None:
    task = question(world)
    said = decide(world, task)
    assert said.status == 200, said.body
    (pending,) = said.body["pending"]
    assert (pending["me"], pending["outcome"], pending["refused"]) == (True, "approved", None)
    assert 6_000 < pending["left_ms"] <= 8_000
    assert said.body["may_decide"] is False
    (given,) = world.as_rosa.get(f"{world.here}/inbox/given").body["items"]
    assert (given["task"], given["pending"]["outcome"]) == (str(task.id), "approved")
    seen = world.as_bo.get(f"{world.here}/inbox/{task.id}").body
    assert [(one["by"], one["me"]) for one in seen["pending"]] == [("Rosa", False)]
    refused = world.as_bo.post(f"{world.here}/inbox/{task.id}/decide", {"outcome": "approved"})
    assert (refused.status, refused.body["code"], refused.body["params"]["by"]) == (409, "being_decided", "Rosa")
    back = world.as_rosa.post(f"{world.here}/inbox/{task.id}/take-back", {})
    assert (back.status, back.body["pending"], back.body["may_decide"]) == (200, [], True)
    assert settle() == []
    assert not HumanVote.objects.exists()
    assert world.as_rosa.get(f"{world.here}/inbox/given").body["items"] == []


def test_without_asking_for_it_a_decision_counts_at_once_and_so_it_does_for_who_wants_no_time(world: World) -> None:
    first, second = question(world), question(world)
    assert decide(world, first, undo=False).body["status"] == "decided"
    assert world.as_rosa.patch("/me", {"undo_seconds": 5}).status == 422
    assert world.as_rosa.patch("/me", {"undo_seconds": 0}).body["undo_seconds"] == 0
    assert decide(world, second).body["status"] == "decided"
    assert not PendingAnswer.objects.exists()


def test_a_longer_time_can_be_set(world: World) -> None:
    assert world.as_rosa.patch("/me", {"undo_seconds": 20}).body["undo_seconds"] == 20
    (pending,) = decide(world, question(world)).body["pending"]
    assert 18_000 < pending["left_ms"] <= 20_000


def test_it_is_on_record_when_it_is_given_and_when_it_takes_effect_in_the_name_of_who_gave_it(world: World) -> None:
    task = question(world)
    decide(world, task, comment="Fine.")
    is_due()
    assert settle() == [task.run_id]
    (given, said), (effect, became) = deeds(world, task)
    assert (given, effect) == ("task.decided", "task.decision_took_effect")
    assert said["said"] == {"outcome": "approved", "comment": "Fine."}
    assert said["takes_effect_at"]
    assert became["said"] == said["said"]
    assert became["decided"] is True
    last = AuditRow.objects.get(verb="task.decision_took_effect")
    assert (last.actor_name, last.actor_id, last.address) == ("Rosa", str(world.rosa.id), "127.0.0.1")
    assert last.object_name == task.title
    assert verify.verify(str(world.northwind.id)).ok


def test_what_is_taken_back_is_on_record(world: World) -> None:
    task = question(world)
    decide(world, task)
    for _ in range(2):
        assert world.as_rosa.post(f"{world.here}/inbox/{task.id}/take-back", {}).status == 200
    assert [verb for verb, _ in deeds(world, task)] == ["task.decided", "task.decision_taken_back"]


def test_whoever_loses_the_right_meanwhile_decides_nothing_and_is_told_why(world: World) -> None:
    task = question(world, world.rosa.email, world.bo.email)
    decide(world, task)
    # Four eyes: she turns out to be the one who asked for it.
    HumanTask.objects.filter(pk=task.pk).update(barred=listed([f"user:{world.rosa.id}"]))
    is_due()
    assert settle() == []
    assert not HumanVote.objects.exists()
    (given,) = world.as_rosa.get(f"{world.here}/inbox/given").body["items"]
    assert given["pending"]["code"] == "not_asked"
    assert "may not decide" in given["pending"]["refused"]
    assert deeds(world, task)[-1][0] == "task.decision_refused"
    assert deeds(world, task)[-1][1]["code"] == "not_asked"
    seen = world.as_bo.get(f"{world.here}/inbox/{task.id}").body
    assert (seen["pending"], seen["may_decide"]) == ([], True), "why it did not count is for her alone"
    assert world.as_rosa.post(f"{world.here}/inbox/{task.id}/take-back", {}).status == 200
    assert world.as_rosa.get(f"{world.here}/inbox/given").body["items"] == []


def test_whoever_has_left_the_workspace_meanwhile_decides_nothing(world: World) -> None:
    task = question(world)
    decide(world, task)
    Membership.objects.filter(user=world.rosa).update(active=False)
    is_due()
    assert settle() == []
    assert not HumanVote.objects.exists()
    assert PendingAnswer.objects.get().refused_code == "not_asked"


def test_several_are_given_and_taken_back_together(world: World) -> None:
    first = question(world)
    second = question(world, run=first.run, attempt=2, node="ask")
    third = question(world, run=first.run, attempt=3, node="ask")
    ids = [str(task.id) for task in (first, second, third)]
    many = world.as_rosa.post(f"{world.here}/inbox/decide", {"tasks": ids, **APPROVE})
    assert [(one["taken"], one["left_ms"] > 6_000) for one in many.body["items"]] == [(True, True)] * 3
    PendingAnswer.objects.filter(task=third).update(due_at=1)
    assert settle() == [first.run_id]
    back = world.as_rosa.post(f"{world.here}/inbox/take-back", {"tasks": ids}).body["items"]
    assert [(one["taken"], one["code"]) for one in back] == [(True, None), (True, None), (False, "took_effect")]
    assert HumanVote.objects.count() == 1


def test_the_same_request_once_more_gives_the_same_answer_and_is_given_once(world: World) -> None:
    task = question(world)
    path = f"{world.here}/inbox/{task.id}/decide"
    answers = [world.as_rosa.post(path, APPROVE, headers={"Idempotency-Key": "one-thumb"}) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert PendingAnswer.objects.count() == 1
    is_due()
    settle()
    again = world.as_rosa.post(path, APPROVE, headers={"Idempotency-Key": "one-thumb"})
    assert again.status == 200, "sent anew when the network came back: it is told what became of the first"
    assert HumanVote.objects.count() == 1


def test_nobody_takes_back_what_somebody_else_has_said(world: World) -> None:
    task = question(world)
    decide(world, task)
    assert world.as_bo.post(f"{world.here}/inbox/{task.id}/take-back", {}).status == 200
    assert world.as_mallory.post(f"{world.here}/inbox/{task.id}/take-back", {}).status == 404
    assert PendingAnswer.objects.count() == 1


def test_a_required_comment_is_asked_for_before_it_is_given(world: World) -> None:
    task = question(world)
    answer = decide(world, task, outcome="rejected")
    assert (answer.status, set(answer.body["fields"])) == (422, {"comment"})
    assert not PendingAnswer.objects.exists()
