"""The workflows that somebody worked on last, by what they did themselves."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from builder.accounts.rights import Scope
from builder.workflows import recent as note
from builder.workflows.models import Touch
from builder.workflows.recent import MOST
from tests import factories
from tests.builder.audited import flow_of
from tests.builder.conftest import World
from tests.factories import Caller

pytestmark = pytest.mark.django_db(transaction=True)


def recent(world: World, caller: Caller) -> list[tuple[str, str]]:
    items: list[dict[str, Any]] = caller.get(f"{world.here}/workflows/recent").body["items"]
    assert [one["at"] for one in items] == sorted((one["at"] for one in items), reverse=True)
    return [(one["workflow"]["name"], one["did"]) for one in items]


def make(world: World, caller: Caller, name: str) -> str:
    graph = factories.graph(("start", "trigger.manual@1", {}))
    made = caller.post(f"{world.here}/workflows", {"name": name, "graph": graph})
    assert made.status == 201, made.body
    return f"{world.here}/workflows/{made.body['id']}"


def save(world: World, caller: Caller, at: str, step: str = "added") -> None:
    fields = {"fields": [{"name": "a", "value": "1"}]}
    graph = factories.graph(
        ("start", "trigger.manual@1", {}), (step, "data.edit_fields@1", fields), edges=[f"start -> {step}"]
    )
    revision = caller.get(f"{at}/draft").body["revision"]
    assert caller.put(f"{at}/draft", {"graph": graph}, headers={"If-Match": f'"{revision}"'}).status == 200


def test_what_one_did_last_to_each_workflow_comes_newest_first_and_is_nobody_elses(world: World) -> None:
    first, second = make(world, world.as_bo, "First"), make(world, world.as_bo, "Second")
    assert recent(world, world.as_bo) == [("Second", "edited"), ("First", "edited")]
    save(world, world.as_bo, first)
    assert recent(world, world.as_bo) == [("First", "edited"), ("Second", "edited")]
    assert world.as_bo.post(f"{second}/publish", {"revision": 1}).status == 201
    assert recent(world, world.as_bo) == [("Second", "published"), ("First", "edited")]
    assert world.as_bo.post(f"{second}/runs", {"input": {}}).status == 202
    graph = world.as_bo.get(f"{first}/draft").body["graph"]
    assert world.as_bo.post(f"{first}/test", {"graph": graph, "input": {}}).status == 202
    assert recent(world, world.as_bo) == [("First", "tested"), ("Second", "ran")]
    assert recent(world, world.as_vera) == recent(world, world.as_alice) == []
    # That another edited it later changes nothing about what this one did.
    save(world, world.as_alice, second, "other")
    assert recent(world, world.as_alice) == [("Second", "edited")]
    assert recent(world, world.as_bo) == [("First", "tested"), ("Second", "ran")]


def test_a_save_that_is_sent_twice_and_one_that_is_refused_are_no_work(world: World) -> None:
    at = f"{world.here}/workflows/{flow_of(world).id}"
    changed = factories.graph(("begin", "trigger.manual@1", {}))
    assert world.as_alice.put(f"{at}/draft", {"graph": changed}, headers={"If-Match": '"1"'}).status == 200
    assert recent(world, world.as_alice) == [("Order to cash", "edited")]
    Touch.objects.all().delete()
    assert world.as_alice.put(f"{at}/draft", {"graph": changed}, headers={"If-Match": '"1"'}).status == 200
    assert world.as_alice.put(f"{at}/draft", {"graph": changed}, headers={"If-Match": '"7"'}).status == 409
    assert world.as_vera.post(f"{at}/publish", {"revision": 2}).status == 403
    assert not Touch.objects.exists()


def test_it_is_told_with_how_it_stands_and_at_most_so_many(world: World) -> None:
    for number in range(MOST + 2):
        make(world, world.as_bo, f"Flow {number}")
    items = world.as_bo.get(f"{world.here}/workflows/recent").body["items"]
    assert [one["workflow"]["name"] for one in items] == [f"Flow {number}" for number in range(MOST + 1, 1, -1)]
    newest = items[0]["workflow"]
    assert newest == world.as_bo.get(f"{world.here}/workflows/{newest['id']}").body
    assert (newest["live"], newest["draft"]["revision"]) == (None, 1)


def test_a_deleted_workflow_is_not_among_them(world: World) -> None:
    at = make(world, world.as_bo, "Gone soon")
    assert world.as_bo.delete(at).status == 204
    assert recent(world, world.as_bo) == []


def test_what_a_program_does_in_somebodys_name_is_not_their_work(world: World) -> None:
    workflow = flow_of(world)
    Touch.objects.all().delete()
    program = world.program(world.bo, *Scope)
    assert program.post(f"{world.here}/workflows/{workflow.id}/runs", {"input": {}}).status == 202
    assert not Touch.objects.exists()


def test_it_is_read_from_rows_of_its_own_and_not_from_the_record_or_from_all_runs(world: World) -> None:
    make(world, world.as_bo, "One")
    recent(world, world.as_bo)
    with CaptureQueriesContext(connection) as seen:
        assert recent(world, world.as_bo) == [("One", "edited")]
    asked = [one["sql"] for one in seen.captured_queries]
    assert not [sql for sql in asked if "audit_" in sql]
    assert all("workflow_id" in sql for sql in asked if "store_run" in sql)


def test_who_is_erased_leaves_nothing_of_it(world: World) -> None:
    make(world, world.as_bo, "Hers")
    note.forget(world.alice)
    assert Touch.objects.count() == 1
    note.forget(world.bo)
    assert not Touch.objects.exists()
