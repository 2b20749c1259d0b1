"""Beside a decision, by the API: comments, putting off, and what was decided of questions like it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runtime.interpreter.people import listed
from runtime.store.models import HumanSnooze, HumanTask
from tests.builder.conftest import World
from tests.builder.test_people import question

pytestmark = pytest.mark.django_db(transaction=True)


def later(**ahead: float) -> str:
    return (datetime.now(UTC) + timedelta(**ahead)).isoformat()


def snooze(world: World, task: HumanTask, until: str | None) -> Any:
    return world.as_rosa.post(f"{world.here}/inbox/{task.id}/snooze", {"until": until})


def listed_for(caller: Any, world: World, who: str = "me") -> list[str]:
    return [one["id"] for one in caller.get(f"{world.here}/inbox?who={who}").body["items"]]


def test_what_is_put_off_leaves_ones_own_list_and_is_back_by_itself(world: World) -> None:
    task = question(world)
    put_off = snooze(world, task, later(hours=1))
    assert put_off.status == 200, put_off.body
    assert put_off.body["snoozed_until"]
    assert listed_for(world.as_rosa, world) == []
    assert world.as_rosa.get(f"{world.here}/inbox/count").body == {"count": 0, "unread": 0, "letters": 0}
    assert listed_for(world.as_rosa, world, "snoozed") == [str(task.id)]
    assert listed_for(world.as_bo, world) == [str(task.id)], "others see it as before"
    assert world.as_bo.get(f"{world.here}/inbox/{task.id}").body["snoozed_until"] is None
    HumanSnooze.objects.update(until=1)
    assert listed_for(world.as_rosa, world) == [str(task.id)]
    assert listed_for(world.as_rosa, world, "snoozed") == []
    assert world.as_rosa.get(f"{world.here}/inbox/{task.id}").body["snoozed_until"] is None


def test_what_is_put_off_can_be_fetched_back_and_put_off_anew(world: World) -> None:
    task = question(world)
    for until in (later(hours=1), later(days=3)):
        assert snooze(world, task, until).status == 200
    assert HumanSnooze.objects.count() == 1
    for _ in range(2):
        assert snooze(world, task, None).body["snoozed_until"] is None
    assert listed_for(world.as_rosa, world) == [str(task.id)]


def test_nothing_is_put_off_beyond_its_time_or_for_ever(world: World) -> None:
    ends = datetime.now(UTC) + timedelta(hours=2)
    task = question(world, ends_at=int(ends.timestamp() * 1000))
    for until in (later(hours=3), later(days=90), later(hours=-1)):
        refused = snooze(world, task, until)
        assert (refused.status, set(refused.body["fields"])) == (422, {"until"}), until
    assert snooze(world, task, "tomorrow").status == 422
    assert snooze(world, task, later(hours=1)).status == 200


def test_whoever_is_not_asked_puts_nothing_off(world: World) -> None:
    task = question(world, world.bo.email)
    assert snooze(world, task, later(hours=1)).status == 403


def test_a_comment_decides_nothing_and_is_read_by_all_also_from_whoever_asks_for_it(world: World) -> None:
    task = question(world, world.rosa.email, world.bo.email, barred=listed([f"user:{world.alice.id}"]))
    path = f"{world.here}/inbox/{task.id}/comments"
    assert world.as_rosa.post(path, {"text": " Which order is this for? "}).status == 200
    assert world.as_alice.post(path, {"text": "PO-771."}).status == 200
    seen = world.as_bo.get(f"{world.here}/inbox/{task.id}").body
    said = [(note["kind"], note["by"], note["text"]) for note in seen["notes"]]
    assert said == [("comment", "Rosa", "Which order is this for?"), ("comment", "Alice", "PO-771.")]
    assert (seen["status"], seen["votes"], seen["may_decide"]) == ("open", [], True)
    for text in ("", "   ", "x" * 2001):
        assert world.as_rosa.post(path, {"text": text}).status == 422
    HumanTask.objects.filter(pk=task.pk).update(status="cancelled")
    assert world.as_rosa.post(path, {"text": "Too late."}).status == 409


def test_what_was_decided_of_questions_of_the_same_step_stands_beside_it(world: World) -> None:
    first = question(world)
    others = [question(world, run=first.run, attempt=number) for number in range(2, 9)]
    elsewhere = question(world, run=first.run, attempt=9, node="other")
    for task in (*others, elsewhere):
        world.as_rosa.post(f"{world.here}/inbox/{task.id}/decide", {"outcome": "approved"})
    found = world.as_bo.get(f"{world.here}/inbox/{first.id}/alike").body["items"]
    assert [one["id"] for one in found] == [str(task.id) for task in reversed(others)][:5]
    assert {(one["outcome"], one["votes"][0]["by"]) for one in found} == {("approved", "Rosa")}
    assert world.as_mallory.get(f"{world.here}/inbox/{first.id}/alike").status == 404
