"""Role × route × workspace: every route of the URL table stands in `ROUTES`, and every cell is asked for.

A row says who gets in. `enter` is the status for those who do, with the body given; where the row's object is another
workspace's, the answer is always 404.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from builder.accounts.models import Role
from builder.accounts.rights import Scope
from builder.api.operation import Access, ApiView
from builder.connections import kinds
from builder.connections import services as connections
from tests.builder.conftest import World
from tests.builder.route_table import ADMIN, BUILD, PAGES, RANK, REVIEW, ROUTES, VIEW, Row
from tests.factories import Caller, browser_of, make_token


def routes_of_the_product() -> list[tuple[str, Any]]:
    """Every pattern below /api/v1, spelled out, with its view."""
    found: list[tuple[str, Any]] = []

    def walk(patterns: list[URLPattern | URLResolver], before: str) -> None:
        for pattern in patterns:
            here = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, here)
            else:
                found.append((here.removeprefix("api/v1/"), pattern.callback))

    walk(get_resolver().url_patterns, "")
    return found


def test_every_route_and_method_stands_in_the_table() -> None:
    listed = {(row.method, row.route) for row in ROUTES}
    real = set()
    for route, callback in routes_of_the_product():
        if route in PAGES:
            continue
        view = callback.view_class
        assert issubclass(view, ApiView), route
        handlers = {name.upper() for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)}
        assert handlers == set(view.operations()), f"{route} has a method without an operation"
        real |= {(method, route) for method in handlers}
    assert real == listed


def test_the_table_says_what_the_operations_say() -> None:
    from builder.accounts.rights import RULES

    views = {route: callback.view_class for route, callback in routes_of_the_product() if route not in PAGES}
    for row in ROUTES:
        access = views[row.route].operations()[row.method].access
        if isinstance(access, Access):
            assert access == row.least, row
        else:
            assert (RULES[access].least, RULES[access].scope) == (row.least, row.scope), row


@dataclass
class Things:
    """The objects that rows are about."""

    workflow: UUID
    connection: UUID


@pytest.fixture
def things(world: World) -> Things:
    """A workflow and a connection in Northwind."""
    kind = next(iter(kinds.specs()))
    connection = connections.create(
        workspace=world.northwind, by=world.bo, kind=kind["kind"], name="Bank", fields=filled(kind["fields"])
    )
    return Things(world.workflow().id, connection.id)


def filled(schema: dict[str, Any]) -> dict[str, Any]:
    """The fields a kind needs, with values that fit."""
    fields: dict[str, Any] = {}
    for name in schema.get("required", []):
        part = schema["properties"][name]
        default = {"integer": 587, "number": 1, "boolean": True, "object": {}, "array": []}
        fields[name] = (
            part.get("default") or (part.get("enum") or [default.get(part.get("type"), "https://x.example")])[0]
        )
    if "allowed_hosts" in schema["properties"]:
        fields["allowed_hosts"] = ["x.example"]  # a secret is for some hosts
    return fields


def path_of(row: Row, world: World, things: Things, *, workspace: UUID | None = None) -> str:
    """The row's path for these objects."""
    path = f"/{row.route}".replace("<uuid:workspace_id>", str(workspace or world.northwind.id))
    path = path.replace("<uuid:workflow_id>", str(things.workflow))
    path = path.replace("<uuid:connection_id>", str(things.connection))
    path = path.replace("<number:number>", "1").replace("<str:node_id>", "n_start")
    for name in (
        "member",
        "group",
        "token",
        "run",
        "other",
        "event",
        "task",
        "backfill",
        "schedule",
        "calendar",
        "bulk",
        "sending",
        "file",
        "table",
        "row",
        "view",
        "rule",
        "channel",
        "hold",
    ):
        path = path.replace(f"<uuid:{name}_id>", str(uuid4()))
    return path


def ids(row: Row) -> str:
    return f"{row.method} {row.route}"


@pytest.mark.parametrize("row", ROUTES, ids=ids)
@pytest.mark.parametrize("role", [VIEW, REVIEW, BUILD, ADMIN])
def test_a_role_gets_exactly_what_the_table_gives_it(world: World, things: Things, row: Row, role: Role) -> None:
    caller = browser_of({VIEW: world.vera, REVIEW: world.rosa, BUILD: world.bo, ADMIN: world.alice}[role])
    answer = caller.call(row.method, path_of(row, world, things), row.body)
    allowed = isinstance(row.least, Access) or RANK[role] >= RANK[row.least]
    assert answer.status in (row.enter if allowed else (403,)), (answer.status, answer.body)


@pytest.mark.parametrize("row", ROUTES, ids=ids)
def test_a_stranger_is_asked_to_sign_in(world: World, things: Things, row: Row) -> None:
    for caller in (world.as_nobody, world.as_deactivated):
        answer = caller.call(row.method, path_of(row, world, things), row.body)
        assert answer.status in (row.enter if row.least is Access.ANYONE else (401,)), answer.body


@pytest.mark.parametrize("row", [row for row in ROUTES if row.scope is not None], ids=ids)
def test_another_workspaces_member_finds_nothing(world: World, things: Things, row: Row) -> None:
    """S2: with ids swapped either way, what is not yours is not there."""
    foreign = world.as_mallory.call(row.method, path_of(row, world, things), row.body)
    assert foreign.status == 404, foreign.body
    mixed_path = path_of(row, world, things, workspace=world.southwind.id)
    mixed = world.as_mallory.call(row.method, mixed_path, row.body)
    if "workflow_id" in row.route or "connection_id" in row.route:
        # Her own workspace in the path, Northwind's object behind it.
        expected = (428, 404) if row.route.endswith("/restore") else (404,)
        assert mixed.status in expected, mixed.body
    assert str(world.northwind.name) not in mixed.raw.decode()


@pytest.mark.parametrize("row", ROUTES, ids=ids)
def test_a_token_does_what_its_scopes_say(world: World, things: Things, row: Row) -> None:
    for scope in Scope:
        caller = world.program(world.alice, scope)
        if row.further and scope == row.scope:
            assert caller.call(row.method, path_of(row, world, things), row.body).status == 403
            caller = world.program(world.alice, scope, *row.further)
        answer = caller.call(row.method, path_of(row, world, things), row.body)
        if row.scope is None:
            expected = row.enter if row.least is Access.ANYONE else (403,)
        else:
            expected = row.enter if scope == row.scope else (403,)
        assert answer.status in expected, (scope, answer.status, answer.body)


@pytest.mark.parametrize("row", ROUTES, ids=ids)
def test_a_token_that_is_no_longer_good_is_refused(world: World, things: Things, row: Row) -> None:
    expired = world.program(world.alice, *Scope, days=-1)
    of_the_deactivated = world.program(world.dora, *Scope)
    unknown = Caller(token="mlr_" + "x" * 43)
    foreign = Caller(token=make_token(world.southwind, world.mallory)[1])
    for caller in (expired, of_the_deactivated, unknown):
        assert caller.call(row.method, path_of(row, world, things), row.body).status == 401
    if row.scope is not None:
        assert foreign.call(row.method, path_of(row, world, things), row.body).status == 404


@pytest.mark.parametrize("row", [row for row in ROUTES if row.method != "GET"], ids=ids)
def test_an_unsafe_request_without_its_csrf_token_is_refused(world: World, things: Things, row: Row) -> None:
    """S12: whatever the session, whatever the disguise."""
    path = path_of(row, world, things)
    caller = world.as_alice
    token, caller.csrf = caller.csrf, ""
    try:
        assert caller.call(row.method, path, row.body).code == "csrf"
        for disguise in (
            {"Origin": "https://evil.example", "X-CSRFToken": token},
            {"Origin": "null", "X-CSRFToken": token},
            {"X-CSRFToken": "x" * 64},
        ):
            answer = caller.call(row.method, path, row.body, headers=disguise)
            assert (answer.status, answer.code) == (403, "csrf"), disguise
    finally:
        caller.csrf = token


def test_a_method_that_a_route_does_not_know_is_405(world: World, things: Things) -> None:
    for route in sorted({row.route for row in ROUTES}):
        known = {row.method for row in ROUTES if row.route == route}
        path = path_of(Row("", route, VIEW, None, ()), world, things)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
            if method not in known:
                answer = world.as_alice.call(method, path, {} if method != "GET" else None)
                assert answer.status == 405, (method, route, answer.status)


def test_method_override_headers_change_nothing(world: World, things: Things) -> None:
    path = f"{world.here}/workflows/{things.workflow}"
    answer = world.as_vera.get(path, headers={"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"})
    assert answer.status == 200
    assert world.as_vera.get(path).status == 200
