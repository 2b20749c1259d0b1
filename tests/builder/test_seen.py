"""What a person has not seen of the inbox: for their own eyes, counted as it is, and gone with the question."""

from __future__ import annotations

import time
from typing import Any

import pytest

from builder.audit.models import AuditRow
from builder.config import housekeeping
from builder.workflows.models import SeenQuestion
from runtime.engine.ids import uuid7
from runtime.store.models import HumanNote, HumanTask
from tests.builder.conftest import World
from tests.builder.test_people import membership, question

pytestmark = pytest.mark.django_db(transaction=True)


def set_seen(caller: Any, world: World, task: HumanTask, seen: bool = True) -> Any:
    return caller.put(f"{world.here}/inbox/{task.id}/seen", {"seen": seen})


def unread(caller: Any, world: World, who: str = "me") -> list[str]:
    return [one["id"] for one in caller.get(f"{world.here}/inbox?who={who}").body["items"] if one["unread"]]


def count(caller: Any, world: World) -> tuple[int, int]:
    body = caller.get(f"{world.here}/inbox/count").body
    return body["count"], body["unread"]


def test_what_one_has_seen_stays_seen_for_oneself_and_is_new_to_the_others(world: World) -> None:
    first, second = question(world), question(world)
    assert sorted(unread(world.as_rosa, world)) == sorted([str(first.id), str(second.id)])
    assert count(world.as_rosa, world) == (2, 2)
    assert world.as_rosa.get(f"{world.here}/inbox/{first.id}").body["unread"] is True, "to be read is not to be seen"
    for _ in range(2):
        assert set_seen(world.as_rosa, world, first).body == {"unread": False}
    assert SeenQuestion.objects.count() == 1
    assert unread(world.as_rosa, world) == [str(second.id)]
    assert count(world.as_rosa, world) == (2, 1)
    assert world.as_rosa.get(f"{world.here}/inbox/{first.id}").body["unread"] is False
    assert len(unread(world.as_bo, world)) == 2
    assert count(world.as_bo, world) == (2, 2)


def test_what_one_has_seen_can_stand_as_new(world: World) -> None:
    task = question(world)
    set_seen(world.as_rosa, world, task)
    for _ in range(2):
        assert set_seen(world.as_rosa, world, task, seen=False).body == {"unread": True}
    assert count(world.as_rosa, world) == (1, 1)


def test_what_is_not_asked_of_one_is_never_new_to_one(world: World) -> None:
    task = question(world, world.bo.email)
    assert unread(world.as_rosa, world, "anybody") == []
    assert set_seen(world.as_rosa, world, task).body == {"unread": False}
    assert count(world.as_rosa, world) == (0, 0)
    assert count(world.as_bo, world) == (1, 1)


def test_what_admins_may_decide_too_is_new_to_whom_it_is_counted_for(world: World) -> None:
    task = question(world, world.bo.email, spec={"admins": True})
    (told,) = world.as_alice.get(f"{world.here}/inbox?who=anybody").body["items"]
    assert (told["may_decide"], told["asks_me"], told["unread"]) == (True, False, False)
    assert set_seen(world.as_alice, world, task, seen=False).body == {"unread": False}
    assert count(world.as_alice, world) == (0, 0)
    (asked,) = world.as_bo.get(f"{world.here}/inbox?who=anybody").body["items"]
    assert (asked["asks_me"], asked["unread"]) == (True, True)
    HumanTask.objects.filter(pk=task.pk).update(stranded_at=1)
    assert unread(world.as_alice, world) == [str(task.id)]
    assert count(world.as_alice, world) == (1, 1)


@pytest.mark.parametrize("kind", ["hand_over", "escalate", "send_back"])
def test_what_comes_to_people_anew_is_new_again(world: World, kind: str) -> None:
    task = question(world)
    set_seen(world.as_rosa, world, task)
    set_seen(world.as_bo, world, task)
    later = round(time.time() * 1000) + 60_000
    HumanNote.objects.create(id=uuid7(), task=task, kind=kind, at=later, by="Bo", by_id=world.bo.id)
    assert count(world.as_rosa, world) == (1, 1)
    assert unread(world.as_rosa, world) == [str(task.id)]
    assert count(world.as_bo, world) == (1, 0), "nobody is told of what they did themselves"
    HumanNote.objects.filter(kind=kind).update(kind="comment")
    assert count(world.as_rosa, world) == (1, 0)


def test_what_was_seen_is_counted_only_while_it_is_asked(world: World) -> None:
    closed, snoozed, taken, still = (question(world) for _ in range(4))
    for task in (closed, snoozed, taken, still):
        set_seen(world.as_rosa, world, task)
    question(world)
    HumanTask.objects.filter(pk=closed.pk).update(status="decided", outcome="approved", closed_at=2)
    until = {"until": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))}
    assert world.as_rosa.post(f"{world.here}/inbox/{snoozed.id}/snooze", until).status == 200
    assert world.as_bo.post(f"{world.here}/inbox/{taken.id}/take", {}).status == 200
    assert count(world.as_rosa, world) == (2, 1)


def test_what_is_put_off_is_not_new(world: World) -> None:
    task = question(world)
    until = {"until": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))}
    assert world.as_rosa.post(f"{world.here}/inbox/{task.id}/snooze", until).body["unread"] is False
    assert unread(world.as_rosa, world, "snoozed") == []


def test_marks_go_with_the_question_and_with_the_person(world: World) -> None:
    closed, still = question(world), question(world)
    for task in (closed, still):
        set_seen(world.as_rosa, world, task)
        set_seen(world.as_bo, world, task)
    HumanTask.objects.filter(pk=closed.pk).update(status="cancelled", closed_at=2)
    assert set_seen(world.as_rosa, world, closed).body == {"unread": False}
    housekeeping.sweep()
    assert set(SeenQuestion.objects.values_list("task_id", flat=True)) == {still.id}
    body = {"email": world.rosa.email, "reason": "She asked for it."}
    assert world.as_alice.post(f"{world.here}/members/{membership(world, 'rosa')}/erase", body).status == 200
    assert [mark.person for mark in SeenQuestion.objects.all()] == [world.bo]


def test_who_saw_what_is_on_no_record(world: World) -> None:
    task = question(world)
    before = AuditRow.objects.count()
    assert set_seen(world.as_rosa, world, task).status == 200
    assert AuditRow.objects.count() == before


def test_more_marks_than_one_question_to_the_database_takes_are_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builder.workflows.seen._PORTION", 2)
    for _ in range(5):
        set_seen(world.as_rosa, world, question(world))
    question(world)
    assert count(world.as_rosa, world) == (6, 1)
    HumanTask.objects.exclude(pk=HumanTask.objects.order_by("pk").last().pk).update(status="cancelled")  # type: ignore[union-attr]
    housekeeping.sweep()
    assert SeenQuestion.objects.count() == 0
