"""What somebody can do, and why: what is told is what the one function answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from builder.accounts import groups
from builder.accounts.models import Membership, Role
from builder.accounts.rights import RULES, Action, Scope, can
from builder.connections.models import Connection
from builder.connections.services import may_manage
from tests.builder.conftest import World
from tests.builder.test_people import membership, question
from tests.factories import make_token

WORDS = Path(__file__).resolve().parents[2] / "frontend" / "src" / "i18n"


def told(world: World, name: str) -> Any:
    answer = world.as_alice.get(f"{world.here}/members/{membership(world, name)}/access")
    assert answer.status == 200, answer.body
    return answer.body


@pytest.mark.parametrize("name", ["alice", "bo", "rosa", "vera", "dora"])
def test_each_row_says_what_the_one_function_answers(world: World, name: str) -> None:
    person, rows = getattr(world, name), told(world, name)["rights"]
    assert [row["action"] for row in rows] == [action.value for action in RULES]
    for row in rows:
        action = Action(row["action"])
        assert row["may"] is can(person, action, world.northwind.id), action
        assert row["least"] == RULES[action].least.value
        because = "role" if row["may"] else "off" if name == "dora" else "other_role"
        assert row["because"] == because, action


@pytest.mark.parametrize("role", list(Role))
def test_the_least_role_that_is_told_is_the_first_that_may(world: World, role: Role) -> None:
    Membership.objects.filter(pk=membership(world, "rosa")).update(role=role)
    order = [Role.VIEWER, Role.REVIEWER, Role.BUILDER, Role.ADMIN]
    for row in told(world, "rosa")["rights"]:
        assert row["may"] is (order.index(role) >= order.index(Role(row["least"]))), row


@pytest.mark.parametrize(("name", "role"), [("alice", Role.ADMIN), ("bo", Role.BUILDER), ("rosa", Role.REVIEWER)])
def test_whose_connections_somebody_manages_is_what_their_keeper_answers(world: World, name: str, role: Role) -> None:
    person = getattr(world, name)
    (row,) = [one for one in told(world, name)["rights"] if one["action"] == Action.CONNECTION_MANAGE]
    own, other = Connection(owner=person), Connection(owner=world.vera)
    assert row["may"] is may_manage(row=own, user=person, role=role)
    assert (row["may"] and not row["own_only"]) is may_manage(row=other, user=person, role=role)


def test_a_token_is_told_by_what_it_may_and_never_with_its_secret(world: World) -> None:
    reads, text = make_token(world.northwind, world.bo, [Scope.READ])
    make_token(world.northwind, world.bo, days=-1)
    make_token(world.northwind, world.alice)
    found = told(world, "bo")["tokens"]
    assert [one["id"] for one in found] == [str(reads.id)], "neither one that has expired nor that of another"
    assert text not in json.dumps(found)
    assert found[0]["may"] == [action.value for action in RULES if can(reads, action, world.northwind.id)]
    assert Action.WORKFLOW_SEE in found[0]["may"]
    assert Action.WORKFLOW_EDIT not in found[0]["may"]
    Membership.objects.filter(pk=membership(world, "bo")).update(active=False)
    assert told(world, "bo")["tokens"][0]["may"] == []


def test_groups_and_whoever_is_stood_in_for_are_told_with_what_is_asked(world: World) -> None:
    finance = groups.make_group(
        workspace=world.northwind, name="Finance", members=[membership(world, "rosa"), membership(world, "vera")]
    )
    question(world, f"group:{finance.id}")
    question(world, world.bo.email)
    before = told(world, "rosa")
    assert [(one["name"], one["count"]) for one in before["groups"]] == [("Finance", 2)]
    assert (before["questions"], before["stands_in_for"], before["away"]) == (1, [], None)
    away = {"first_day": "2026-11-01", "last_day": None, "stand_in": str(membership(world, "rosa"))}
    assert world.as_alice.post(f"{world.here}/members/{membership(world, 'bo')}/absence", away).status == 201
    found = told(world, "rosa")
    assert [(one["name"], one["now"], one["last_day"]) for one in found["stands_in_for"]] == [("Bo", True, None)]
    assert found["questions"] == 2
    assert told(world, "bo")["away"]["name"] == "Rosa"


def test_a_stand_in_of_days_to_come_is_told_as_such(world: World) -> None:
    away = {"first_day": "2099-01-01", "last_day": "2099-01-05", "stand_in": str(membership(world, "rosa"))}
    assert world.as_alice.post(f"{world.here}/members/{membership(world, 'bo')}/absence", away).status == 201
    assert [(one["name"], one["now"]) for one in told(world, "rosa")["stands_in_for"]] == [("Bo", False)]
    assert told(world, "bo")["away"] is None


def test_it_is_told_to_those_who_manage_members_of_those_who_are_here(world: World) -> None:
    path = f"{world.here}/members/{membership(world, 'rosa')}/access"
    assert [one.get(path).status for one in (world.as_alice, world.as_bo, world.as_mallory)] == [200, 403, 404]
    assert world.as_alice.get(f"{world.here}/members/{uuid4()}/access").status == 404
    assert told(world, "alice")["instance_admin"] is True
    assert told(world, "rosa")["instance_admin"] is False


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_right_has_words(language: str) -> None:
    words = json.loads((WORDS / language / "access.json").read_text())["action"]
    found = {f"{area}.{name}" for area, names in words.items() for name in names}
    assert found == {action.value for action in Action}
