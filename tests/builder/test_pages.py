"""Every list that can grow comes in pages of one shape, which follow each other without a gap or a repeat."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from builder.accounts import services as accounts
from builder.accounts.models import Role
from builder.accounts.rights import Scope
from builder.api.cursors import PageQuery
from builder.connections import services as connections
from builder.workflows import services
from tests import factories
from tests.builder.conftest import World
from tests.builder.route_table import PAGES, F, W
from tests.builder.test_routes import routes_of_the_product
from tests.factories import make_token

#: Lists that come whole: what one person may enter, what a build holds, what one version is armed with, what people
#: did with one run or it waits for, what runs failed of (at most 500 causes, beside the number of all runs), a
#: workspace's groups and data tables (at most 500), the fields its runs are found by and the searches a person can
#: choose from, how long runs of some workflows take and where they stand, columns of a file, the newest times that
#: were started late, the versions of held runs, what a person has said that has not taken effect (at most 200),
#: failed runs that were sent to an inbox (at most 200 sendings), and what was decided last of questions like one (at
#: most five). A run's record, alone and with what people did, has pages of its own kind, by seq; its film has at most
#: 4,000 frames, and 240 points for each step.
WHOLE: Final = {
    "workspaces", "system-checks", f"{W}/node-types", f"{W}/functions", f"{W}/connection-kinds", f"{F}/triggers",
    f"{W}/runs/<uuid:run_id>/retries", f"{W}/dead-letters", f"{W}/runs/<uuid:run_id>/waits",
    f"{W}/runs/<uuid:run_id>/cards",
    f"{W}/runs/<uuid:run_id>/trail", f"{W}/groups", f"{F}/backfills", f"{F}/held-versions",
    f"{W}/dead-letters/bulk-retries", f"{W}/documents/designs", f"{W}/files/<uuid:file_id>/uses",
    f"{W}/tables", f"{W}/tables/like-file", f"{W}/tables/<uuid:table_id>/uses", f"{W}/tables/<uuid:table_id>/match",
    f"{W}/runs/<uuid:run_id>/batches/<str:node_id>/checks", f"{W}/runs/fields", f"{W}/runs/usual",
    f"{W}/runs/timeline", f"{W}/runs/views", f"{W}/audit/views", f"{W}/runs/<uuid:run_id>/playback",
    f"{W}/workflows/recent", f"{F}/standing", f"{W}/inbox/given", f"{W}/inbox/letters", f"{W}/absences",
    f"{W}/inbox/<uuid:task_id>/alike", f"{W}/runs/<uuid:run_id>/happenings",
    f"{W}/calendars", f"{W}/calendars/countries", f"{W}/calendars/<uuid:calendar_id>/uses",
    f"{W}/schedules", f"{W}/expiring", f"{F}/broken-connections", f"{W}/connections/<uuid:connection_id>/uses",
}  # fmt: skip


def make_versions(world: World) -> str:
    workflow = world.workflow()
    for number in range(7):
        draft = factories.small_graph()
        draft["nodes"][1]["config"]["fields"][0]["value"] = str(number)
        services.save_draft(workflow=workflow, graph=draft, expected=number + 1, by=world.bo, now=datetime.now(UTC))
        services.publish(workflow=workflow, by=world.bo, note=str(number))
    return f"{world.here}/workflows/{workflow.id}/versions"


def make_members(world: World) -> str:
    for number in range(3):
        email = f"new-{number}@example.org"
        accounts.invite(workspace=world.northwind, email=email, role=Role.VIEWER, by=world.alice, now=datetime.now(UTC))
        factories.join(world.northwind, factories.make_person(f"Joined{number}"), Role.VIEWER)
    return f"{world.here}/members"


def make_tokens(world: World) -> str:
    for _ in range(7):
        make_token(world.northwind, world.alice, [Scope.READ])
    return f"{world.here}/tokens"


def make_connections(world: World) -> str:
    for number in range(7):
        fields = {"secret": "a long enough secret"}
        connections.create(
            workspace=world.northwind, by=world.bo, kind="webhook_secret", name=f"C{number}", fields=fields
        )
    return f"{world.here}/connections"


@pytest.mark.parametrize("make", [make_versions, make_members, make_tokens, make_connections])
def test_pages_follow_each_other_newest_first(world: World, make: Callable[[World], str]) -> None:
    path = make(world)
    whole = world.as_alice.get(f"{path}?limit=200").body
    assert whole["next_cursor"] is None
    assert len(whole["items"]) >= 7
    ids = [item["id"] for item in whole["items"]]
    assert ids == sorted(ids, reverse=True)
    for limit in (1, 3, len(ids)):
        seen: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            page = world.as_alice.get(f"{path}?limit={limit}&cursor={cursor}").body
            assert len(page["items"]) <= limit
            seen += page["items"]
            cursor = page["next_cursor"]
        assert seen == whole["items"]
    for query in ("limit=0", "limit=201", "cursor=!!!", "cursor=AAAA", "page=2"):
        assert world.as_alice.get(f"{path}?{query}").status == 400, query
    # A cursor of another list is no fault, and shows nothing that is not here.
    foreign = world.as_alice.get(f"{path}?cursor=_____________________w")
    assert (foreign.status, foreign.body["items"][0]["id"]) == (200, ids[0])


def test_every_list_that_can_grow_has_pages() -> None:
    whole = set()
    for route, callback in routes_of_the_product():
        found = None if route in PAGES else callback.view_class.operations().get("GET")
        if found is None or found.answer is None or "items" not in found.answer.model_fields:
            continue
        if found.query is None or not issubclass(found.query, PageQuery):
            whole.add(route)
    assert whole == WHOLE
