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
from tests import factories
from tests.builder.conftest import World
from tests.factories import Caller, browser_of, make_token

VIEW, REVIEW, BUILD, ADMIN = Role.VIEWER, Role.REVIEWER, Role.BUILDER, Role.ADMIN
RANK = {VIEW: 0, REVIEW: 1, BUILD: 2, ADMIN: 3}


@dataclass(frozen=True)
class Row:
    """One method of one route: the least role, the scope a token needs, a body, and the statuses of those let in."""

    method: str
    route: str
    least: Role | Access
    scope: Scope | None
    enter: tuple[int, ...]
    body: Any = None


W = "workspaces/<uuid:workspace_id>"
F = f"{W}/workflows/<uuid:workflow_id>"
B = f"{W}/runs/<uuid:run_id>/batches/<str:node_id>"
BACKFILL = {"trigger": "01890a5d-ac96-774b-bcce-b302099a8057", "begin": "2026-11-01", "end": "2026-11-02"}
LOOK = {"file": "01890a5d-ac96-774b-bcce-b302099a8057", "columns": [{"name": "a", "label": "A"}]}
CHANGES = {"changes": [{"number": 1, "version": 0, "state": "accepted"}]}
ROUTES = [
    Row("GET", "session", Access.ANYONE, None, (200,)),
    Row("POST", "session", Access.ANYONE, None, (401,), {"email": "nobody@example.org", "password": "wrong"}),
    Row("DELETE", "session", Access.ANYONE, None, (200,)),
    Row("POST", "setup", Access.ANYONE, None, (422,), {}),
    Row("GET", "system-checks", Access.ANYONE, None, (200, 401, 403)),
    Row("POST", "invitations/accept", Access.ANYONE, None, (422,), {}),
    Row("GET", "me", Access.SIGNED_IN, None, (200,)),
    Row("PATCH", "me", Access.SIGNED_IN, None, (200,), {}),
    Row("GET", "workspaces", Access.SIGNED_IN, None, (200,)),
    Row("POST", "workspaces", Access.SIGNED_IN, None, (201, 403), {"name": "Another"}),
    Row("GET", W, VIEW, Scope.READ, (200,)),
    Row("PATCH", W, ADMIN, Scope.ADMIN, (200,), {}),
    Row("GET", f"{W}/members", ADMIN, Scope.ADMIN, (200,)),
    Row("POST", f"{W}/members", ADMIN, Scope.ADMIN, (201,), {"email": "new@example.org", "role": "viewer"}),
    Row("PATCH", f"{W}/members/<uuid:member_id>", ADMIN, Scope.ADMIN, (404,), {}),
    Row("DELETE", f"{W}/members/<uuid:member_id>", ADMIN, Scope.ADMIN, (404,)),
    Row("GET", f"{W}/people", VIEW, Scope.READ, (200,)),
    Row("GET", f"{W}/groups", ADMIN, Scope.ADMIN, (200,)),
    Row("POST", f"{W}/groups", ADMIN, Scope.ADMIN, (201,), {"name": "Finance"}),
    Row("PATCH", f"{W}/groups/<uuid:group_id>", ADMIN, Scope.ADMIN, (404,), {}),
    Row("DELETE", f"{W}/groups/<uuid:group_id>", ADMIN, Scope.ADMIN, (404,)),
    Row("GET", f"{W}/tokens", ADMIN, Scope.ADMIN, (200,)),
    Row("POST", f"{W}/tokens", ADMIN, Scope.ADMIN, (201, 403), {"name": "x", "scopes": ["read"]}),
    Row("DELETE", f"{W}/tokens/<uuid:token_id>", ADMIN, Scope.ADMIN, (404,)),
    Row("GET", f"{W}/node-types", VIEW, Scope.READ, (200,)),
    Row("GET", f"{W}/functions", VIEW, Scope.READ, (200,)),
    Row("GET", f"{W}/connection-kinds", BUILD, Scope.BUILD, (200,)),
    Row("GET", f"{W}/workflows", VIEW, Scope.READ, (200,)),
    Row("POST", f"{W}/workflows", BUILD, Scope.BUILD, (201,), {"name": "New"}),
    Row("GET", F, VIEW, Scope.READ, (200,)),
    Row("PATCH", F, BUILD, Scope.BUILD, (200,), {}),
    Row("DELETE", F, BUILD, Scope.BUILD, (204, 404)),
    Row("POST", f"{F}/enable", BUILD, Scope.BUILD, (409, 404)),
    Row("POST", f"{F}/disable", BUILD, Scope.BUILD, (409, 404)),
    Row("POST", f"{F}/hold", BUILD, Scope.BUILD, (404,), {"reason": "x"}),
    Row("POST", f"{F}/let-go", BUILD, Scope.BUILD, (404,), {}),
    Row("GET", f"{F}/held-versions", VIEW, Scope.READ, (404,)),
    Row("PUT", f"{F}/breaker", BUILD, Scope.BUILD, (404,), {"failures": 3, "percent": 0, "minutes": 15}),
    Row("GET", f"{F}/draft", VIEW, Scope.READ, (200,)),
    Row("PUT", f"{F}/draft", BUILD, Scope.BUILD, (428,), {"graph": factories.graph()}),
    Row("POST", f"{F}/check", BUILD, Scope.BUILD, (200,), {"graph": factories.graph()}),
    Row("POST", f"{F}/publish", BUILD, Scope.BUILD, (409,), {"revision": 99}),
    Row("GET", f"{F}/versions", VIEW, Scope.READ, (200,)),
    Row("GET", f"{F}/versions/<number:number>", VIEW, Scope.READ, (404,)),
    Row("POST", f"{F}/versions/<number:number>/restore", BUILD, Scope.BUILD, (428,)),
    Row("GET", f"{F}/triggers", VIEW, Scope.READ, (200,)),
    Row("GET", f"{F}/backfills", VIEW, Scope.READ, (200,)),
    Row("POST", f"{F}/backfills", REVIEW, Scope.RUN, (404,), BACKFILL),
    Row("POST", f"{F}/backfills/plan", REVIEW, Scope.RUN, (404,), BACKFILL),
    Row("POST", f"{F}/backfills/<uuid:backfill_id>/stop", REVIEW, Scope.RUN, (404,)),
    Row("POST", f"{F}/runs", REVIEW, Scope.RUN, (409,), {}),
    Row("POST", f"{F}/intake/look", REVIEW, Scope.RUN, (404,), LOOK),
    Row("POST", f"{F}/intake/check", REVIEW, Scope.RUN, (404,), {**LOOK, "format": {}, "sources": {}}),
    Row("POST", f"{F}/test", BUILD, Scope.BUILD, (422,), {"graph": factories.graph()}),
    Row("GET", f"{F}/drill", VIEW, Scope.READ, (200,)),
    Row("POST", f"{F}/drill", BUILD, Scope.BUILD, (422,), {"graph": factories.graph()}),
    Row("GET", f"{F}/samples", VIEW, Scope.READ, (200,)),
    Row("POST", f"{W}/expressions/preview", BUILD, Scope.BUILD, (200,), {"template": "Hello"}),
    Row("GET", f"{W}/documents/designs", VIEW, Scope.READ, (200,)),
    Row("GET", f"{W}/documents/model", VIEW, Scope.READ, (200,)),
    Row("POST", f"{W}/documents/preview", BUILD, Scope.BUILD, (422,), {"design": {}, "data": {}}),
    Row("POST", f"{W}/schedules/preview", BUILD, Scope.BUILD, (200, 422), {"config": {}}),
    Row("GET", f"{W}/runs", VIEW, Scope.READ, (200,)),
    Row("GET", f"{W}/runs/<uuid:run_id>", VIEW, Scope.READ, (404,)),
    Row("GET", f"{W}/runs/<uuid:run_id>/snapshot", VIEW, Scope.READ, (404,)),
    Row("GET", f"{W}/runs/<uuid:run_id>/changes", VIEW, Scope.READ, (404,)),
    Row("GET", f"{W}/runs/<uuid:run_id>/items", VIEW, Scope.READ, (404, 400)),
    Row("GET", f"{W}/runs/<uuid:run_id>/steps/<str:node_id>", VIEW, Scope.READ, (404,)),
    Row("GET", f"{W}/runs/<uuid:run_id>/because", VIEW, Scope.READ, (404,)),
    Row("GET", f"{W}/runs/<uuid:run_id>/trail", VIEW, Scope.READ, (404,)),
    Row("GET", f"{W}/runs/<uuid:run_id>/export", VIEW, Scope.READ, (404,)),
    Row("POST", f"{W}/runs/<uuid:run_id>/cancel", REVIEW, Scope.RUN, (404,)),
    Row("POST", f"{W}/runs/<uuid:run_id>/pause", REVIEW, Scope.RUN, (404,), {}),
    Row("POST", f"{W}/runs/<uuid:run_id>/resume", REVIEW, Scope.RUN, (404,)),
    Row("GET", f"{W}/runs/<uuid:run_id>/retry-plan", VIEW, Scope.READ, (404,)),
    Row("GET", f"{W}/runs/<uuid:run_id>/retry-plan/items", VIEW, Scope.READ, (404, 400)),
    Row("POST", f"{W}/runs/<uuid:run_id>/retry", REVIEW, Scope.RUN, (404,), {"plan": "x"}),
    Row("GET", f"{W}/runs/<uuid:run_id>/undo-plan", VIEW, Scope.READ, (404,)),
    Row("POST", f"{W}/runs/<uuid:run_id>/undo", REVIEW, Scope.RUN, (404,), {"plan": "x", "reason": "y"}),
    Row("GET", f"{W}/runs/<uuid:run_id>/retries", VIEW, Scope.READ, (404,)),
    Row("POST", f"{W}/runs/<uuid:run_id>/replay", REVIEW, Scope.RUN, (404,), {}),
    Row("GET", f"{W}/runs/<uuid:run_id>/waits", VIEW, Scope.READ, (404,)),
    Row("GET", f"{W}/runs/<uuid:run_id>/waits/<str:node_id>/link", REVIEW, Scope.RUN, (404,)),
    Row("POST", f"{W}/runs/<uuid:run_id>/waits/<str:node_id>/resume", REVIEW, Scope.RUN, (404,), {}),
    Row("POST", f"{W}/sent-events", REVIEW, Scope.RUN, (202,), {"name": "order.shipped", "key": "PO-7"}),
    Row("GET", f"{W}/inbox", VIEW, Scope.READ, (200,)),
    Row("GET", f"{W}/inbox/count", VIEW, Scope.READ, (200,)),
    Row("GET", f"{W}/inbox/<uuid:task_id>", VIEW, Scope.READ, (404,)),
    Row("POST", f"{W}/inbox/<uuid:task_id>/decide", VIEW, Scope.RUN, (404,), {"outcome": "approved"}),
    Row("POST", f"{W}/inbox/<uuid:task_id>/take", VIEW, Scope.RUN, (404,), {}),
    Row("POST", f"{W}/inbox/<uuid:task_id>/give-back", VIEW, Scope.RUN, (404,)),
    Row("POST", f"{W}/inbox/<uuid:task_id>/hand-over", VIEW, Scope.RUN, (404,), {"to": "a@b.example", "reason": "x"}),
    Row("GET", f"{W}/inbox/<uuid:task_id>/review", VIEW, Scope.READ, (404,)),
    Row("GET", f"{W}/inbox/<uuid:task_id>/review/rows", VIEW, Scope.READ, (404,)),
    Row("POST", f"{W}/inbox/<uuid:task_id>/review/rows", VIEW, Scope.RUN, (404,), CHANGES),
    Row("GET", f"{W}/inbox/<uuid:task_id>/review/changes", VIEW, Scope.READ, (404,)),
    Row("GET", f"{W}/inbox/<uuid:task_id>/review/sheet", VIEW, Scope.READ, (404,)),
    Row("POST", f"{W}/inbox/<uuid:task_id>/review/hand-over", VIEW, Scope.RUN, (404,), {"revision": 1}),
    Row("POST", f"{W}/inbox/<uuid:task_id>/review/send-back", VIEW, Scope.RUN, (404,), {"reason": "x"}),
    Row("POST", f"{W}/inbox/<uuid:task_id>/review/release", VIEW, Scope.RUN, (404,), {"revision": 1}),
    Row("POST", f"{W}/inbox/<uuid:task_id>/review/reject", VIEW, Scope.RUN, (404,), {"reason": "x"}),
    Row("POST", f"{W}/inbox/decide", VIEW, Scope.RUN, (404,), {"tasks": [str(uuid4())], "outcome": "approved"}),
    Row("GET", f"{W}/dead-letters", VIEW, Scope.READ, (200,)),
    Row("GET", f"{W}/dead-letters/<str:cause>", VIEW, Scope.READ, (200,)),
    Row("GET", f"{W}/dead-letters/bulk-retries", VIEW, Scope.READ, (200,)),
    Row("POST", f"{W}/dead-letters/bulk-retries", REVIEW, Scope.RUN, (409,), {"cause": "x"}),
    Row("GET", f"{W}/dead-letters/bulk-retries/<uuid:bulk_id>", VIEW, Scope.READ, (404,)),
    Row("POST", f"{W}/dead-letters/bulk-retries/<uuid:bulk_id>/go-on", REVIEW, Scope.RUN, (404,)),
    Row("POST", f"{W}/dead-letters/bulk-retries/<uuid:bulk_id>/stop", REVIEW, Scope.RUN, (404,)),
    Row("POST", f"{W}/dead-letters/retry", REVIEW, Scope.RUN, (200,), {"runs": []}),
    Row("POST", f"{W}/dead-letters/solve", REVIEW, Scope.RUN, (200,), {"runs": [], "reason": "Paid by hand."}),
    Row("POST", f"{W}/dead-letters/discard", ADMIN, Scope.ADMIN, (200,), {"runs": [], "reason": "A test."}),
    Row("GET", f"{W}/events", VIEW, Scope.READ, (200,)),
    Row("GET", f"{W}/events/repeats", VIEW, Scope.READ, (200,)),
    Row("GET", f"{W}/events/figures", VIEW, Scope.READ, (200,)),
    Row("GET", f"{W}/events/<uuid:event_id>", VIEW, Scope.READ, (404,)),
    Row("GET", f"{B}", VIEW, Scope.READ, (404,)),
    Row("GET", f"{B}/manifest", VIEW, Scope.READ, (404,)),
    Row("POST", f"{B}/manifest", REVIEW, Scope.RUN, (404,)),
    Row("GET", f"{B}/checks", VIEW, Scope.READ, (404,)),
    Row("POST", f"{B}/checks", REVIEW, Scope.RUN, (404,)),
    Row(
        "POST",
        f"{B}/browser-checks",
        REVIEW,
        Scope.RUN,
        (404,),
        {"sha256": "0" * 64, "checked": 0},
    ),
    Row("GET", f"{B}/failed", VIEW, Scope.READ, (404,)),
    Row("GET", f"{B}/files", VIEW, Scope.READ, (404,)),
    Row("GET", f"{B}/passed-over", VIEW, Scope.READ, (404,)),
    Row("POST", f"{B}/retry", REVIEW, Scope.RUN, (404,), {}),
    Row(
        "POST",
        f"{B}/corrections",
        REVIEW,
        Scope.RUN,
        (404,),
        {"items": [{"index": 0, "item": 1}]},
    ),
    Row("GET", f"{B}/error-file", VIEW, Scope.READ, (404,)),
    Row("POST", f"{B}/error-file", REVIEW, Scope.RUN, (404,)),
    Row("GET", f"{W}/runs/<uuid:run_id>/reconciliations/<str:node_id>", VIEW, Scope.READ, (404,)),
    Row("GET", f"{W}/runs/<uuid:run_id>/reconciliations/<str:node_id>/outcomes", VIEW, Scope.READ, (404,)),
    Row("GET", f"{W}/files", VIEW, Scope.READ, (200,)),
    Row("POST", f"{W}/files", REVIEW, Scope.RUN, (400,)),
    Row("GET", f"{W}/files/archive", VIEW, Scope.READ, (404,)),
    Row("GET", f"{W}/files/total", VIEW, Scope.READ, (200,)),
    Row("GET", f"{W}/files/<uuid:file_id>", VIEW, Scope.READ, (404,)),
    Row("DELETE", f"{W}/files/<uuid:file_id>", BUILD, Scope.BUILD, (404,)),
    Row("GET", f"{W}/files/<uuid:file_id>/content", VIEW, Scope.READ, (404,)),
    Row("GET", f"{W}/files/<uuid:file_id>/uses", VIEW, Scope.READ, (404,)),
    Row("GET", f"{W}/tables", VIEW, Scope.READ, (200,)),
    Row("POST", f"{W}/tables", BUILD, Scope.BUILD, (201, 409), {"name": "Customers", "columns": [{"name": "Number"}]}),
    Row("GET", f"{W}/tables/like-file", VIEW, Scope.READ, (400,)),
    Row("GET", f"{W}/tables/<uuid:table_id>", VIEW, Scope.READ, (404,)),
    Row("PATCH", f"{W}/tables/<uuid:table_id>", BUILD, Scope.BUILD, (404,), {"revision": 1}),
    Row("DELETE", f"{W}/tables/<uuid:table_id>", BUILD, Scope.BUILD, (404,)),
    Row("GET", f"{W}/tables/<uuid:table_id>/uses", VIEW, Scope.READ, (404,)),
    Row("GET", f"{W}/tables/<uuid:table_id>/rows", VIEW, Scope.READ, (404,)),
    Row("POST", f"{W}/tables/<uuid:table_id>/rows", REVIEW, Scope.RUN, (404,), {"values": {}}),
    Row("GET", f"{W}/tables/<uuid:table_id>/rows/<uuid:row_id>", VIEW, Scope.READ, (404,)),
    Row(
        "PATCH",
        f"{W}/tables/<uuid:table_id>/rows/<uuid:row_id>",
        REVIEW,
        Scope.RUN,
        (404,),
        {"values": {}, "stamp": str(uuid4())},
    ),
    Row("DELETE", f"{W}/tables/<uuid:table_id>/rows/<uuid:row_id>", REVIEW, Scope.RUN, (404,)),
    Row("GET", f"{W}/tables/<uuid:table_id>/match", VIEW, Scope.READ, (400,)),
    Row("POST", f"{W}/tables/<uuid:table_id>/import", REVIEW, Scope.RUN, (404,), {"file": str(uuid4()), "columns": {}}),
    Row("GET", f"{W}/tables/<uuid:table_id>/export", VIEW, Scope.READ, (404,)),
    Row("GET", f"{W}/connections", BUILD, Scope.BUILD, (200,)),
    Row("POST", f"{W}/connections", BUILD, Scope.BUILD, (422,), {"kind": "no.such", "name": "x", "fields": {}}),
    Row("GET", f"{W}/connections/<uuid:connection_id>", BUILD, Scope.BUILD, (200,)),
    Row("PATCH", f"{W}/connections/<uuid:connection_id>", BUILD, Scope.BUILD, (200, 403), {}),
    Row("DELETE", f"{W}/connections/<uuid:connection_id>", BUILD, Scope.BUILD, (204, 403, 404)),
    Row("POST", f"{W}/connections/<uuid:connection_id>/test", BUILD, Scope.BUILD, (200, 403)),
    Row("POST", f"{W}/connections/<uuid:connection_id>/go-on", BUILD, Scope.BUILD, (200, 403)),
]
#: Plain pages of the API that describe it, for anyone, reading only; and the page of a mail's link.
PAGES = {"schema", "docs", "d/<str:token>"}


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
    for name in ("member", "group", "token", "run", "event", "task", "backfill", "bulk", "file", "table", "row"):
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
