"""Who did something in whose place is told by two names: the words between them are the reader's."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from builder.accounts import absences
from builder.accounts.directory import Directory
from runtime.engine.naming import KEY, folded
from runtime.store.models import PendingAnswer, Run, RunField
from runtime.worker.pending_answers import settle
from tests.builder.conftest import World
from tests.builder.test_absences import _noon, moved, say
from tests.builder.test_people import membership, question, run_of

__all__ = ["_noon"]

pytestmark = pytest.mark.django_db(transaction=True)


def test_while_others_are_asked_whoever_was_away_is_told_who_gave_their_voice(world: World) -> None:
    task = question(world, world.vera.email, world.bo.email, spec={"needs": 2})
    say(world, world.as_vera)
    assert world.as_rosa.post(f"{world.here}/inbox/{task.id}/decide", {"outcome": "approved"}).status == 200

    def votes(caller: Any) -> list[tuple[Any, ...]]:
        found = caller.get(f"{world.here}/inbox/{task.id}").body["votes"]
        return [(one["by"], one["in_place_of"], one["me"], one["for_me"]) for one in found]

    names = (world.rosa.name, world.vera.name)
    assert votes(world.as_vera) == [(*names, False, True)]
    assert votes(world.as_rosa) == [(*names, True, False)]
    assert votes(world.as_bo) == [(*names, False, False)]
    refused = world.as_vera.post(f"{world.here}/inbox/{task.id}/decide", {"outcome": "approved"})
    assert (refused.status, refused.body["code"], refused.body["params"]) == (
        409, "already_said", {"by": world.rosa.name},
    )  # fmt: skip


def test_who_has_taken_it_and_for_whom_is_told_by_two_names(world: World) -> None:
    task = question(world, world.vera.email, world.bo.email)
    say(world, world.as_vera)
    taken = world.as_rosa.post(f"{world.here}/inbox/{task.id}/take", {}).body
    assert (taken["taken_by"], taken["taken_for"]) == (world.rosa.name, world.vera.name)
    names = {"by": world.rosa.name, "in_place_of": world.vera.name}
    for path, body in (("take", {}), ("decide", {"outcome": "approved"})):
        refused = world.as_bo.post(f"{world.here}/inbox/{task.id}/{path}", body)
        assert (refused.status, refused.body["code"], refused.body["params"]) == (409, "taken", names)
    refused = world.as_bo.post(f"{world.here}/inbox/{task.id}/give-back", {})
    assert (refused.status, refused.body["params"]) == (403, names)
    over = world.as_bo.post(f"{world.here}/inbox/{task.id}/take", {"over": True}).body
    assert (over["taken_by"], over["taken_for"]) == (world.bo.name, None)
    assert [(one["to"], one["to_for"]) for one in over["notes"]] == [("", None), (world.rosa.name, world.vera.name)]


def test_what_could_not_take_effect_names_who_was_quicker_and_for_whom(world: World) -> None:
    task = question(world, world.vera.email, world.bo.email)
    say(world, world.as_vera)
    said = {"outcome": "rejected", "comment": "No", "undo": True}
    given = world.as_bo.post(f"{world.here}/inbox/{task.id}/decide", said)
    assert given.status == 200, given.body
    # Before that has taken effect, by whatever way: as it is found under the lock.
    waiting = PendingAnswer.objects.get()
    PendingAnswer.objects.update(due_at=None)
    assert world.as_rosa.post(f"{world.here}/inbox/{task.id}/decide", {"outcome": "approved"}).status == 200
    PendingAnswer.objects.update(due_at=waiting.at)
    settle()
    (found,) = world.as_bo.get(f"{world.here}/inbox/given").body["items"]
    pending = found["pending"]
    assert (pending["code"], pending["params"]) == (
        "already_decided",
        {"by": world.rosa.name, "in_place_of": world.vera.name, "outcome": "approved"},
    )
    assert pending["refused"] == f"{world.rosa.name} for {world.vera.name} has decided this already."


def test_several_that_were_not_taken_say_by_whom_for_whom(world: World) -> None:
    task = question(world, world.vera.email, world.bo.email)
    say(world, world.as_vera)
    assert world.as_rosa.post(f"{world.here}/inbox/{task.id}/decide", {"outcome": "approved"}).status == 200
    answer = world.as_bo.post(f"{world.here}/inbox/decide", {"tasks": [str(task.id)], "outcome": "approved"})
    (one,) = answer.body["items"]
    assert (one["taken"], one["code"]) == (False, "already_decided")
    assert (one["params"]["by"], one["params"]["in_place_of"]) == (world.rosa.name, world.vera.name)


def test_the_timeline_of_a_key_tells_of_both(world: World) -> None:
    run = run_of(world)
    Run.objects.filter(pk=run.pk).update(business_key="R-1")
    RunField.objects.create(run_id=run.pk, workspace_id=world.northwind.id, name=KEY, shown="R-1", folded=folded("R-1"))
    task = question(world, world.vera.email, run=run)
    say(world, world.as_vera)
    assert world.as_rosa.post(f"{world.here}/inbox/{task.id}/decide", {"outcome": "approved"}).status == 200
    found = world.as_vera.get(f"{world.here}/runs/timeline?{urlencode({'key': 'R-1'})}").body["items"]
    decided = [(one["by"], one["in_place_of"]) for one in found if one["kind"] == "decided"]
    assert decided == [(world.rosa.name, world.vera.name)]
    assert {one["in_place_of"] for one in found if one["kind"] != "decided"} == {None}


def test_everybody_who_is_away_is_known_with_since_when_and_who_sees_their_questions(world: World) -> None:
    world.northwind.time_zone = "Pacific/Auckland"
    world.northwind.save()
    assert Directory().absences() == ()
    say(world, world.as_vera)
    say(world, world.as_bo, stand_in="vera", begin=3)
    (found,) = Directory().absences()
    assert found.hand is not None
    assert (found.workspace_id, found.absent.email, found.hand.email) == (
        world.northwind.id, world.vera.email, world.rosa.email,
    )  # fmt: skip
    first = absences.all_of(workspace_id=world.northwind.id)[0].row.first_day
    midnight = datetime(first.year, first.month, first.day, tzinfo=ZoneInfo("Pacific/Auckland"))
    assert found.since == midnight.timestamp() * 1000
    assert found.hand.time_zone == "Pacific/Auckland"
    moved(membership(world, "bo"), -1, None)
    assert world.as_alice.patch(f"{world.here}/members/{membership(world, 'rosa')}", {"active": False}).status == 200
    # Bo is asked for by nobody either: Vera, who stands in for him, is away herself.
    assert {one.absent.email: one.hand for one in Directory().absences()} == {
        world.vera.email: None, world.bo.email: None,
    }  # fmt: skip
