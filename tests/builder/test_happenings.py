"""What happened in a run is told in one order of time: its own changes, and what people did in it."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from builder.accounts.rights import Scope
from builder.audit import reading
from runtime.store.models import HumanVote, Run
from tests.builder.conftest import World
from tests.builder.test_audit_runs import machine, start
from tests.builder.test_people import link_of, question
from tests.factories import Caller
from tests.runtime.machine import Machine, fields, flow, wait_until

__all__ = ["machine"]

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "CANARY-DE89370400440532013000"


def told(caller: Caller, here: str, query: str = "") -> list[dict[str, Any]]:
    """All of it, page by page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = caller.get(f"{here}/happenings?{query}" + (f"&cursor={cursor}" if cursor else ""))
        assert answer.status == 200, answer.body
        found += answer.body["items"]
        cursor = answer.body["next_cursor"]
    return found


def words(items: list[dict[str, Any]]) -> list[str]:
    return [one["deed"]["verb"] if one["deed"] else one["change"]["kind"] for one in items]


def busy(world: World) -> str:
    """A run that somebody looked at, tagged, exported and tried once more."""
    assert world.as_alice.patch(world.here, {"sensitive_fields": ["iban"]}).status == 200
    graph = flow("start -> iban -> calc", fields("iban", iban=CANARY), fields("calc", x="{{ 1 / 0 }}"))
    here = start(world, graph)
    asked = {"side": "output", "path": ["iban"]}
    assert world.as_rosa.post(f"{here}/steps/iban/reveal", asked).status == 200
    assert world.as_rosa.post(f"{here}/tags", {"add": ["quarter-end"]}).status == 200
    assert world.as_vera.get(f"{here}/export").status == 200
    plan = world.as_bo.get(f"{here}/retry-plan").body
    edits = {"calc": {"fields": [{"name": "x", "value": CANARY}]}}
    assert world.as_bo.post(f"{here}/retry", {"plan": plan["id"], "edits": edits}).status == 202
    run_id = here.rpartition("/")[2]
    wait_until(lambda: Run.objects.filter(pk=run_id, status="completed", lease_owner=None).exists())
    return here


def test_changes_and_deeds_stand_in_one_order_of_time_and_nothing_twice(world: World, machine: Machine) -> None:
    here = busy(world)
    items = told(world.as_vera, here)
    moments = [one["at"] for one in items]
    assert moments == sorted(moments)
    found = words(items)
    assert found[0] == "accepted"
    assert [one for one in found if "." in one] == ["run.value_shown", "run.tagged", "run.exported", "run.retried"]
    # The retry is a change of the run, too: there it is marked as told.
    assert [one["told"] for one in items if one["change"] and one["change"]["kind"] == "retried"] == [True]
    shown, tagged, exported, retried = (one["deed"] for one in items if one["deed"])
    assert (shown["node"], shown["detail"]) == ("iban", {"side": "output", "path": ["iban"]})
    assert (tagged["detail"], tagged["actor"]["name"]) == ({"add": ["quarter-end"]}, "Rosa")
    assert (exported["node"], exported["actor"]["name"]) == (None, "Vera")
    assert (retried["actor"]["name"], retried["detail"]) == ("Bo", {"edits": {"calc": ["fields"]}})
    assert retried["node"] == "calc"
    began = [step["began"] for one in items if one["change"] for step in one["change"]["steps"] if not step["tried"]]
    assert any(began)


def test_pages_of_any_size_follow_each_other(world: World, machine: Machine) -> None:
    here = busy(world)
    whole = told(world.as_vera, here, "limit=200")
    assert len(whole) > 6
    for limit in (1, 2, 3):
        for only in ("all", "people", "steps"):
            every = whole if only == "all" else told(world.as_vera, here, f"limit=200&only={only}")
            assert told(world.as_vera, here, f"limit={limit}&only={only}") == every
    for bad in ("cursor=x", "cursor=1-2", "cursor=1-2~3", "cursor=1-2~3~x", "cursor=a-b~1~1", "limit=0", "only=nobody"):
        assert world.as_vera.get(f"{here}/happenings?{bad}").status == 400, bad
    # Beyond the last day that there is.
    assert world.as_vera.get(f"{here}/happenings?cursor=~0~999999999999999999").status == 400


def test_it_is_narrowed_to_steps_to_people_and_to_one_step(world: World, machine: Machine) -> None:
    here = busy(world)
    people = told(world.as_vera, here, "only=people")
    assert words(people) == ["accepted", "run.value_shown", "run.tagged", "run.exported", "run.retried"]
    steps = told(world.as_vera, here, "only=steps")
    assert not any(one["deed"] for one in steps)
    assert all(one["change"]["steps"] for one in steps)
    of_one = told(world.as_vera, here, "node=iban")
    assert "run.value_shown" in words(of_one)
    assert "run.tagged" not in words(of_one)
    assert all(any(step["node"] == "iban" for step in one["change"]["steps"]) for one in of_one if one["change"])
    assert told(world.as_vera, here, "node=nowhere") == []


def test_no_value_and_no_address_is_told_and_nobody_from_elsewhere_is(world: World, machine: Machine) -> None:
    here = busy(world)
    for caller in (world.as_vera, world.as_alice):
        text = json.dumps(told(caller, here))
        assert CANARY not in text
        assert "127.0.0.1" not in text
    assert world.as_mallory.get(f"{here}/happenings").status == 404
    assert world.as_nobody.get(f"{here}/happenings").status == 401
    assert world.as_vera.get(f"{world.here}/runs/{uuid4()}/happenings").status == 404
    assert world.program(world.vera, Scope.READ).get(f"{here}/happenings").status == 200


def test_of_a_decision_others_than_admins_see_what_stands(world: World) -> None:
    task = question(world)
    here, inbox = f"{world.here}/runs/{task.run_id}", f"{world.here}/inbox/{task.id}"
    said = {"outcome": "rejected", "comment": "Too dear.", "undo": True}
    assert world.as_rosa.post(f"{inbox}/decide", said).status == 200
    assert words(told(world.as_vera, here, "only=people")) == []
    assert words(told(world.as_alice, here, "only=people")) == ["task.decided"]
    assert world.as_rosa.post(f"{inbox}/take-back", {}).status == 200
    assert words(told(world.as_vera, here, "only=people")) == []
    assert words(told(world.as_alice, here, "only=people")) == ["task.decided", "task.decision_taken_back"]
    assert world.as_rosa.post(f"{inbox}/decide", {"outcome": "approved", "comment": "Fine."}).status == 200
    assert HumanVote.objects.count() == 1
    (one,) = told(world.as_vera, here, "only=people")
    deed = one["deed"]
    assert (deed["verb"], deed["actor"]["name"], deed["about"]) == ("task.decided", "Rosa", task.title)
    assert (deed["node"], deed["detail"]) == (task.node_id, {"comment": "Fine.", "outcome": "approved"})
    assert len(told(world.as_alice, here, "only=people")) == 3


@pytest.mark.parametrize(
    "comment", ["", "Fine.", " Fine, by the way.\n", "https://t.example/?id=4&key=K-90", "x" * 700, "  " + "x" * 700]
)
def test_what_stands_is_seen_however_it_was_written(world: World, comment: str) -> None:
    for caller in (world.as_rosa, world.program(world.rosa, Scope.RUN)):
        task = question(world)
        said = {"outcome": "approved", "comment": comment}
        assert caller.post(f"{world.here}/inbox/{task.id}/decide", said).status == 200
        assert words(told(world.as_vera, f"{world.here}/runs/{task.run_id}", "only=people")) == ["task.decided"]


def test_what_stands_is_seen_where_a_name_was_taken_out_of_its_words(world: World) -> None:
    task = question(world)
    said = {"outcome": "approved", "comment": "Agreed with Ines."}
    assert world.as_rosa.post(f"{world.here}/inbox/{task.id}/decide", said).status == 200
    HumanVote.objects.update(comment="Agreed with somebody.")
    assert words(told(world.as_vera, f"{world.here}/runs/{task.run_id}", "only=people")) == ["task.decided"]


def test_what_was_said_of_a_step_in_doubt_is_seen_by_its_name_for_people(world: World) -> None:
    choices = [{"id": one, "label": one, "comment": False} for one in ("retry", "value", "give_up")]
    task = question(world, kind="exception", spec={"in_doubt": True, "choices": choices})
    answer = world.as_rosa.post(f"{world.here}/inbox/{task.id}/decide", {"outcome": "send_again"})
    assert answer.status == 200, answer.body
    assert HumanVote.objects.get().outcome == "retry"
    (one,) = told(world.as_vera, f"{world.here}/runs/{task.run_id}", "only=people")
    assert (one["deed"]["verb"], one["deed"]["detail"]["outcome"]) == ("task.decided", "send_again")


def test_what_people_did_in_a_run_is_found_without_reading_what_they_did_elsewhere(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = question(world)
    here = f"{world.here}/runs/{task.run_id}"
    assert world.as_rosa.post(f"{world.here}/inbox/{task.id}/decide", {"outcome": "approved"}).status == 200
    assert world.as_rosa.post(f"{here}/tags", {"add": ["quarter-end"]}).status == 200
    with CaptureQueriesContext(connection) as asked:
        found = told(world.as_vera, here)
    assert [one for one in words(found) if "." in one] == ["task.decided", "run.tagged"]
    about = [query["sql"] for query in asked.captured_queries if 'FROM "audit_row"' in query["sql"]]
    assert about
    if connection.vendor == "sqlite":
        for sql in about:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
                plan = " ".join(str(row[3]) for row in cursor.fetchall())
            assert "object_id=?" in plan or "sequence=?" in plan, plan
    monkeypatch.setattr(reading, "_PORTION", 1)
    assert told(world.as_vera, here) == found


def test_a_decision_is_told_by_the_name_that_its_button_had(world: World) -> None:
    choices = [{"id": "approved", "label": "Release the payment", "comment": False, "own": True}]
    task = question(world, spec={"choices": choices})
    assert world.as_rosa.post(f"{world.here}/inbox/{task.id}/decide", {"outcome": "approved"}).status == 200
    (one,) = told(world.as_vera, f"{world.here}/runs/{task.run_id}", "only=people")
    assert one["deed"]["detail"] == {"outcome": "approved", "called": "Release the payment"}


def test_a_decision_that_was_taken_back_and_then_made_is_told_once(world: World) -> None:
    task = question(world)
    here, inbox = f"{world.here}/runs/{task.run_id}", f"{world.here}/inbox/{task.id}"
    said = {"outcome": "approved", "comment": "Fine."}
    assert world.as_rosa.post(f"{inbox}/decide", {**said, "undo": True}).status == 200
    assert world.as_rosa.post(f"{inbox}/take-back", {}).status == 200
    assert world.as_rosa.post(f"{inbox}/decide", said).status == 200
    (one,) = told(world.as_vera, here, "only=people")
    (*_, last) = told(world.as_alice, here, "only=people")
    assert one == last


def test_what_was_taken_back_is_not_told_where_the_same_is_said_by_a_link_later(world: World) -> None:
    task = question(world, world.rosa.email, spec={"open_link": True})
    here, inbox = f"{world.here}/runs/{task.run_id}", f"{world.here}/inbox/{task.id}"
    said = {"outcome": "approved", "comment": "Too soon.", "undo": True}
    assert world.as_rosa.post(f"{inbox}/decide", said).status == 200
    assert world.as_rosa.post(f"{inbox}/take-back", {}).status == 200
    assert Client().post(link_of(task, world.rosa.email), {"outcome": "approved"}).status_code == 303
    found = told(world.as_vera, here, "only=people")
    assert words(found) == ["task.decided_by_link"]
    assert "Too soon." not in json.dumps(found)
