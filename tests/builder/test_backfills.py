"""Starts for past times and deliveries that came again, by the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from builder.workflows.models import Workflow
from runtime.engine.ids import uuid7
from runtime.store.models import Backfill, Delivery, Event
from tests import factories
from tests.builder.conftest import World

DAYS = {"begin": "2026-11-01", "end": "2026-11-05"}


def scheduled(world: World, **config: Any) -> tuple[str, dict[str, Any]]:
    """A published schedule: its path, and the body of a backfill."""
    graph = factories.graph(
        ("start", "trigger.schedule@1", {"repeat": "every", "unit": "days", "at": "09:00", **config}),
        ("note", "data.edit_fields@1", {"fields": [{"name": "x", "value": "1"}]}),
        edges=["start -> note"],
    )
    path = f"{world.here}/workflows/{world.workflow(graph=graph).id}"
    assert world.as_bo.post(f"{path}/publish", {"revision": 1}).status == 201
    (trigger,) = world.as_bo.get(f"{path}/triggers").body["items"]
    return path, {"trigger": trigger["id"], **DAYS}


def test_a_plan_starts_nothing_and_a_backfill_says_who_asked_for_it(world: World) -> None:
    path, body = scheduled(world)
    plan = world.as_rosa.post(f"{path}/backfills/plan", body)
    assert (plan.status, plan.body["starts"], plan.body["known"]) == (200, 5, 0)
    assert (plan.body["first"], plan.body["last"]) == ("2026-11-01T09:00:00.000Z", "2026-11-05T09:00:00.000Z")
    assert not Event.objects.exists()
    made = world.as_rosa.post(f"{path}/backfills", {**body, "together": True})
    assert (made.status, made.body["starts"], made.body["waiting"], made.body["by"]) == (202, 5, 5, "Rosa")
    (listed,) = world.as_vera.get(f"{path}/backfills").body["items"]
    assert listed == made.body
    assert Backfill.objects.get().by == world.rosa.id
    again = world.as_bo.post(f"{path}/backfills", body)
    assert (again.status, again.code) == (409, "nothing_to_start")
    stopped = world.as_rosa.post(f"{path}/backfills/{listed['id']}/stop")
    assert (stopped.status, stopped.body["waiting"]) == (202, 0)


def test_days_are_meant_in_the_zone_of_the_schedule_which_is_said(world: World) -> None:
    path, body = scheduled(world, timezone="Pacific/Auckland")
    plan = world.as_rosa.post(f"{path}/backfills/plan", body).body
    assert (plan["time_zone"], plan["starts"]) == ("Pacific/Auckland", 5)
    assert (plan["first"], plan["last"]) == ("2026-10-31T20:00:00.000Z", "2026-11-04T20:00:00.000Z")
    made = world.as_rosa.post(f"{path}/backfills", body).body
    assert (made["time_zone"], made["begin"], made["end"]) == (
        "Pacific/Auckland", "2026-10-31T11:00:00.000Z", "2026-11-05T10:59:59.999Z",
    )  # fmt: skip
    assert world.as_vera.get(f"{path}/backfills").body["items"] == [made]


def test_a_repeat_of_the_request_gets_the_first_answer(world: World) -> None:
    path, body = scheduled(world)
    first, again = (
        world.as_rosa.post(f"{path}/backfills", body, headers={"Idempotency-Key": "once"}) for _ in range(2)
    )
    assert first.body == again.body
    assert Backfill.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"begin": "2026-11-01T00:00:00-10:00", "end": "2026-11-02T09:00:00Z"}, 200),
        ({"begin": "2026-11-01T08:00:00"}, 422),
        ({"begin": "yesterday"}, 422),
        ({"begin": "2026-11-09"}, 409),
        ({"begin": "0001-01-01", "end": "0001-01-02"}, 409),
        ({"trigger": "01890a5d-ac96-774b-bcce-b302099a8057"}, 404),
    ],
)
def test_a_range_is_days_or_moments(world: World, change: dict[str, str], status: int) -> None:
    path, body = scheduled(world)
    answer = world.as_rosa.post(f"{path}/backfills/plan", {**body, **change})
    assert answer.status == status, answer.body
    if status == 200:
        assert answer.body["starts"] == 1


def came(world: World, workflow: Workflow, again: int = 0, conflicts: int = 0) -> UUID:
    """An event, and its repeats."""
    event = Event.objects.create(
        workspace_id=world.northwind.id,
        workflow_id=workflow.id,
        trigger_id=uuid7(),
        source="webhook",
        received_at=1,
        body_sha256="0" * 64,
        dedupe_key="k",
        verdict="accepted",
        duplicates=again + conflicts,
    )
    for number in range(again + conflicts):
        Delivery.objects.create(
            event=event,
            received_at=2,
            workspace_id=world.northwind.id,
            workflow_id=workflow.id,
            conflict=number >= again,
            body_sha256="0" * 64,
        )
    return event.pk


def test_what_came_again_is_counted_by_workflow_and_in_total(world: World) -> None:
    orders, invoices = world.workflow("Orders"), world.workflow("Invoices")
    event = came(world, orders, again=2, conflicts=1)
    whole = world.as_vera.get(f"{world.here}/events/{event}").body
    assert [(one["received_at"], one["conflict"]) for one in whole["deliveries"]] == [
        ("1970-01-01T00:00:00.002Z", False), ("1970-01-01T00:00:00.002Z", False), ("1970-01-01T00:00:00.002Z", True),
    ]  # fmt: skip
    came(world, invoices)
    figures = world.as_vera.get(f"{world.here}/events/figures").body
    assert {name: figures[name] for name in ("received", "events", "duplicates", "conflicts", "rate")} == {
        "received": 5, "events": 2, "duplicates": 2, "conflicts": 1, "rate": 0.6,
    }  # fmt: skip
    by_workflow = {line["workflow_id"]: (line["received"], line["rate"]) for line in figures["workflows"]}
    assert by_workflow == {str(orders.id): (4, 0.75), str(invoices.id): (1, 0.0)}
    only = world.as_vera.get(f"{world.here}/events/figures?workflow={invoices.id}&days=30").body
    assert (only["received"], only["rate"], len(only["workflows"])) == (1, 0.0, 1)

    listed = world.as_vera.get(f"{world.here}/events/repeats?workflow={orders.id}&kind=conflict").body["items"]
    assert [(one["kind"], one["key"], one["event_id"]) for one in listed] == [("conflict", "k", str(event))]
    first = world.as_vera.get(f"{world.here}/events/repeats?limit=2").body
    rest = world.as_vera.get(f"{world.here}/events/repeats?limit=2&cursor={first['next_cursor']}").body
    assert [len(first["items"]), len(rest["items"]), rest["next_cursor"]] == [2, 1, None]
