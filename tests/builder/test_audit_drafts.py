"""A draft is saved every few seconds; what goes on record is the sitting, and no save is without one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from builder.audit.models import AuditRow
from builder.workflows import editing
from builder.workflows.models import Draft, Editing
from tests import factories
from tests.builder.conftest import World
from tests.factories import Caller

SECRET = "CANARY-typed-into-a-setting"


def save(caller: Caller, here: str, revision: int, graph: dict[str, Any]) -> int:
    answer = caller.put(f"{here}/draft", {"graph": graph}, headers={"If-Match": f'"{revision}"'})
    assert answer.status == 200, answer.body
    return int(answer.body["revision"])


def drawn(value: str, *steps: Any) -> dict[str, Any]:
    fields = {"fields": [{"name": "greeting", "value": value}]}
    return factories.graph(
        ("start", "trigger.webhook@1", {}), ("fields", "data.edit_fields@1", fields), *steps,
        edges=["start -> fields"],
    )  # fmt: skip


def rows() -> list[AuditRow]:
    return list(AuditRow.objects.filter(verb="workflow.edited").order_by("sequence"))


def test_many_saves_are_one_row_that_says_what_changed_and_no_value(world: World) -> None:
    workflow = world.workflow()
    here = f"{world.here}/workflows/{workflow.id}"
    first = Draft.objects.get(pk=workflow.pk).graph_sha256
    revision = 1
    for number in range(8):
        revision = save(world.as_bo, here, revision, drawn(f"{SECRET} {number}", ("mail", "email.send@1", {})))
    assert rows() == []
    assert Editing.objects.get().saves == 8
    editing.close_over(now=datetime.now(UTC))
    assert rows() == [], "they may still be at it"
    editing.close_over(now=datetime.now(UTC) + editing.QUIET + timedelta(seconds=1))
    (row,) = rows()
    detail = json.loads(row.detail)
    assert (row.actor_name, row.object_name, row.address) == ("Bo", "Order to cash", "127.0.0.1")
    assert (detail["saves"], detail["before"], detail["after"]) == (8, {"revision": 1}, {"revision": 9})
    assert detail["changes"] == {
        "added": ["Mail"], "changed": [{"step": "Fields", "fields": ["config.fields"]}],
    }  # fmt: skip
    assert (detail["sha256_before"], detail["sha256_after"]) == (first, Draft.objects.get().graph_sha256)
    assert SECRET not in row.detail
    assert not Editing.objects.exists()


def test_somebody_elses_save_ends_the_sitting(world: World) -> None:
    here = f"{world.here}/workflows/{world.workflow().id}"
    save(world.as_bo, here, 1, drawn("one"))
    save(world.as_alice, here, 2, drawn("two"))
    (row,) = rows()
    assert (row.actor_name, json.loads(row.detail)["after"]) == ("Bo", {"revision": 2})
    assert json.loads(Editing.objects.get().entry)["actor"]["name"] == "Alice"


@pytest.mark.parametrize(
    ("way", "body", "verb"),
    [
        ("publish", {"revision": 2}, "workflow.published"),
        ("versions/1/restore", {}, "workflow.restored"),
        ("", None, "workflow.deleted"),
    ],
)
def test_what_happens_to_the_workflow_then_stands_behind_the_sitting(
    world: World, way: str, body: Any, verb: str
) -> None:
    here = f"{world.here}/workflows/{world.workflow().id}"
    assert world.as_bo.post(f"{here}/publish", {"revision": 1}).status == 201
    save(world.as_bo, here, 1, drawn("one"))
    method, path = ("POST", f"{here}/{way}") if way else ("DELETE", here)
    answer = world.as_bo.call(method, path, body, headers={"If-Match": '"2"'})
    assert answer.status < 300, answer.body
    verbs = [row.verb for row in AuditRow.objects.filter(chain=str(world.northwind.id)).order_by("sequence")]
    assert verbs == ["workflow.published", "workflow.edited", verb]


def test_a_save_that_came_twice_is_one(world: World) -> None:
    here = f"{world.here}/workflows/{world.workflow().id}"
    save(world.as_bo, here, 1, drawn("one"))
    save(world.as_bo, here, 1, drawn("one"))
    assert Editing.objects.get().saves == 1


def test_without_its_note_nothing_is_saved(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    here = f"{world.here}/workflows/{world.workflow().id}"

    def fail(**_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(editing, "note", fail)
    answer = world.as_bo.put(f"{here}/draft", {"graph": drawn("one")}, headers={"If-Match": '"1"'})
    assert answer.status == 500
    assert Draft.objects.get().revision == 1


def test_a_long_sitting_is_told_of_in_parts(world: World) -> None:
    here = f"{world.here}/workflows/{world.workflow().id}"
    save(world.as_bo, here, 1, drawn("one"))
    Editing.objects.update(began_at=datetime.now(UTC) - editing.LONGEST - timedelta(seconds=1))
    save(world.as_bo, here, 2, drawn("two"))
    assert [json.loads(row.detail)["after"] for row in rows()] == [{"revision": 2}]
    assert Editing.objects.get().revision_before == 2
