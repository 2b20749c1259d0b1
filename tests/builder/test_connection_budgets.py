"""How many calls a connection takes: set by whoever manages it, seen by whoever may use it."""

from __future__ import annotations

from typing import Any

import pytest

from builder.connections import services
from runtime import api as runtime_api
from runtime.contracts.budgets import BudgetLimits
from runtime.store.models import Budget
from tests.builder.conftest import World
from tests.builder.test_connections import ring

__all__ = ["ring"]

FIELDS = {"token": "canary-9f2c-very-secret-value", "allowed_hosts": ["erp.example"]}


def made(world: World, **more: Any) -> Any:
    body = {"kind": "http_bearer", "name": "ERP production", "fields": FIELDS, **more}
    return world.as_bo.post(f"{world.here}/connections", body)


def test_a_budget_is_set_changed_and_taken_away(world: World) -> None:
    answer = made(world, budget={"calls": 60, "per": "minute", "at_once": 2})
    assert answer.status == 201, answer.body
    assert answer.body["budget"] == {
        "calls": 60, "per": "minute", "at_once": 2, "used": 0, "under_way": 0, "waiting": 0,
        "paused_until": None, "paused_status": None,
    }  # fmt: skip
    path = f"{world.here}/connections/{answer.body['id']}"
    renamed = world.as_bo.patch(path, {"name": "ERP test"})
    assert renamed.body["budget"]["calls"] == 60
    assert Budget.objects.get().name == "ERP test"
    changed = world.as_bo.patch(path, {"budget": {"calls": 5, "per": "second"}})
    assert (changed.body["budget"]["calls"], changed.body["budget"]["per"]) == (5, "second")
    assert changed.body["budget"]["at_once"] is None
    assert world.as_bo.get(f"{world.here}/connections").body["items"][0]["budget"]["calls"] == 5
    assert world.as_bo.patch(path, {"budget": None}).body["budget"] is None
    assert world.as_bo.delete(path).status == 204
    assert runtime_api.budgets(workspace_id=world.northwind.id) == {}


@pytest.mark.parametrize("budget", [{"calls": 0}, {"calls": 5, "per": "week"}, {"at_once": 1_001}, {"calls": "many"}])
def test_a_budget_of_nonsense_is_refused(world: World, budget: dict[str, Any]) -> None:
    answer = made(world, budget=budget)
    assert answer.status == 422, answer.body
    assert any(field.startswith("budget.") for field in answer.body["fields"]), answer.body


def test_a_connection_without_a_budget_says_so_and_keeps_no_row(world: World) -> None:
    assert made(world).body["budget"] is None
    assert not Budget.objects.exists()


def test_only_who_manages_a_connection_goes_on_before_its_pause_is_over(world: World) -> None:
    row = services.create(
        workspace=world.northwind, by=world.bo, kind="http_bearer", name="ERP production", fields=FIELDS
    )
    limits = BudgetLimits(60)
    runtime_api.set_budget(workspace_id=world.northwind.id, connection_id=row.id, name=row.name, limits=limits)
    Budget.objects.update(paused_until=10**14, paused_status=429)
    path = f"{world.here}/connections/{row.id}"
    assert world.as_bo.get(path).body["budget"]["paused_status"] == 429
    assert world.as_bo.post(f"{path}/go-on").body["budget"]["paused_until"] is None
    assert world.as_bo.post(f"{path}/go-on").status == 200
