"""For each deed that is done to files, tables and connections a request that does it: see `audited`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from builder.connections import rotation
from builder.connections import services as connections
from runtime import api
from runtime.contracts.datatables import ColumnDraft
from runtime.store.models import Budget, Event, Trigger
from tests import factories
from tests.builder.audited import SCENARIOS, Act, at, does, flow_of, membership, short
from tests.builder.conftest import World
from tests.builder.test_backfills import scheduled
from tests.builder.test_intakes import COLUMNS, look

__all__ = ["FIELDS", "SCENARIOS"]


def file(world: World, data: bytes = b"Customer,Owes\nC-7,5\n") -> str:
    added = world.as_rosa.call("POST", f"{world.here}/files?name=a.csv", raw=data, headers={"Content-Type": "text/csv"})
    assert added.status == 201, added.body
    return str(added.body["id"])


short(
    "file.added",
    lambda world: Act(
        world.as_rosa, "POST", f"{world.here}/files?name=a.txt", raw=b"x", status=201,
        headers={"Content-Type": "text/plain"},
    ),
)  # fmt: skip
short("file.removed", lambda world: Act(world.as_bo, "DELETE", f"{world.here}/files/{file(world)}", status=204))
short("file.downloaded", lambda world: Act(world.as_vera, "GET", f"{world.here}/files/{file(world)}/content"))

short("file.shown", lambda world: Act(world.as_vera, "GET", f"{world.here}/files/{file(world)}/preview"))


@does("files.downloaded")
def _(world: World) -> Act:
    file(world)
    return Act(world.as_vera, "GET", f"{world.here}/files/archive")


@does("file.left_out_kept")
def _(world: World) -> Act:
    given = file(world, b"No;Total;On\n1;x;03/04/2026\n")
    workflow = flow_of(world)
    seen = look(world, workflow, given)
    body = {
        "file": given, "columns": COLUMNS, "format": {**seen["format"], "decimal": ",", "dates": "dmy"},
        "sources": {"invoice": "No", "amount": "Total", "due": "On"}, "keep_left_out": True,
    }  # fmt: skip
    return Act(world.as_rosa, "POST", f"{at(world, workflow)}/intake/check", body)


def table(world: World) -> str:
    columns = [ColumnDraft("Customer", "text", key=True), ColumnDraft("Owes", "amount")]
    made = api.add_table(workspace_id=world.northwind.id, name="Customers", columns=columns, by=world.alice.id)
    return f"{world.here}/tables/{made.id}"


def row(world: World) -> tuple[str, str]:
    here = table(world)
    made = world.as_rosa.post(f"{here}/rows", {"values": {"Customer": "C-7", "Owes": "1"}}).body
    return f"{here}/rows/{made['id']}", made["stamp"]


short(
    "table.created",
    lambda world: Act(world.as_bo, "POST", f"{world.here}/tables", {"name": "T", "columns": [{"name": "Number"}]}, 201),
)
short("table.changed", lambda world: Act(world.as_bo, "PATCH", table(world), {"revision": 1, "name": "Debtors"}))
short("table.removed", lambda world: Act(world.as_bo, "DELETE", table(world), status=204))
short(
    "table.row_added",
    lambda world: Act(world.as_rosa, "POST", f"{table(world)}/rows", {"values": {"Customer": "C-8"}}, 201),
)


@does("table.row_changed")
def _(world: World) -> Act:
    here, stamp = row(world)
    return Act(world.as_rosa, "PATCH", here, {"values": {"Owes": "2"}, "stamp": stamp})


@does("table.row_deleted")
def _(world: World) -> Act:
    here, stamp = row(world)
    return Act(world.as_rosa, "DELETE", f"{here}?stamp={stamp}", status=204)


@does("table.imported")
def _(world: World) -> Act:
    body = {"file": file(world), "columns": {"Customer": "Customer", "Owes": "Owes"}}
    return Act(world.as_rosa, "POST", f"{table(world)}/import", body)


short("table.exported", lambda world: Act(world.as_vera, "GET", f"{table(world)}/export"))

FIELDS: Final = {"token": "a long enough secret", "base_url": "https://bank.example"}


def connection(world: World) -> str:
    made = connections.create(workspace=world.northwind, by=world.bo, kind="http_bearer", name="Bank", fields=FIELDS)
    return f"{world.here}/connections/{made.id}"


short(
    "connection.created",
    lambda world: Act(
        world.as_bo, "POST", f"{world.here}/connections", {"kind": "http_bearer", "name": "B", "fields": FIELDS}, 201
    ),
)
short("connection.changed", lambda world: Act(world.as_bo, "PATCH", connection(world), {"name": "Other bank"}))
short("connection.removed", lambda world: Act(world.as_bo, "DELETE", connection(world), status=204))
short("connection.tested", lambda world: Act(world.as_bo, "POST", f"{connection(world)}/test", {}))


def let_in(world: World, *, rotated: bool) -> str:
    made = connections.create(
        workspace=world.northwind, by=world.bo, kind="webhook_secret", name="Shop", fields={"secret": "the first one"}
    )
    if rotated:
        with transaction.atomic():
            rotation.replace_incoming(row=made, secret="the second one", hours=24, now=datetime.now(UTC))
    return f"{world.here}/connections/{made.id}"


short(
    "connection.rotated",
    lambda world: Act(world.as_bo, "POST", f"{let_in(world, rotated=False)}/rotate", {"overlap_hours": 24}),
)
short(
    "connection.overlap_changed",
    lambda world: Act(world.as_bo, "PATCH", f"{let_in(world, rotated=True)}/previous-secret", {"hours": 48}),
)
short(
    "connection.previous_ended",
    lambda world: Act(world.as_bo, "DELETE", f"{let_in(world, rotated=True)}/previous-secret"),
)


@does("connection.pause_chosen")
def _(world: World) -> Act:
    return Act(world.as_bo, "PATCH", connection(world), {"if_broken": "wait"}, count=2)


def broken(world: World) -> str:
    here = connection(world)
    api.pause_if_broken(workspace_id=world.northwind.id, connection_id=UUID(here[-36:]), name="Bank", pauses=True)
    Budget.objects.update(broken_at=1, broken_reason="401")
    return here


@does("connection.repaired")
def _(world: World) -> Act:
    return Act(world.as_bo, "POST", f"{broken(world)}/test", {}, count=2)


@does("connection.replaced")
def _(world: World) -> Act:
    here = connection(world)
    other = connections.create(workspace=world.northwind, by=world.bo, kind="http_bearer", name="New", fields=FIELDS)
    call = ("call", "http.request@1", {"url": "https://bank.example/a", "connection": here[-36:]})
    world.workflow(graph=factories.graph(("start", "trigger.manual@1", {}), call))
    return Act(world.as_bo, "POST", f"{here}/replace", {"other": str(other.id)})


@does("connection.limited")
def _(world: World) -> Act:
    return Act(world.as_bo, "PATCH", connection(world), {"budget": {"calls": 10, "per": "minute"}}, count=2)


@does("connection.resumed")
def _(world: World) -> Act:
    here = connection(world)
    assert world.as_bo.patch(here, {"budget": {"calls": 10, "per": "minute"}}).status == 200
    Budget.objects.update(paused_until=9_000_000_000_000, paused_status=429)
    return Act(world.as_bo, "POST", f"{here}/go-on", {})


short("audit.exported", lambda world: Act(world.as_alice, "GET", f"{world.here}/audit/export"))


# --- what is kept, and for how long -------------------------------------------------------------------------------


def rules_of(world: World) -> str:
    here = f"{world.here}/retention"
    assert world.as_alice.call("PUT", here, {"revision": 0, "days": {"done": 90}}).status == 200
    return here


short(
    "retention.changed",
    lambda world: Act(world.as_alice, "PUT", f"{world.here}/retention", {"revision": 0, "days": {"done": 90}}),
)
short("retention.asked_for", lambda world: Act(world.as_alice, "POST", f"{rules_of(world)}/sweep"))
short(
    "retention.hold_set",
    lambda world: Act(
        world.as_alice, "POST", f"{world.here}/retention/holds", {"key": "R-1", "reason": "A dispute."}, 201
    ),
)


@does("retention.hold_lifted")
def _(world: World) -> Act:
    here = f"{world.here}/retention/holds"
    made = world.as_alice.post(here, {"key": "R-1", "reason": "A dispute."})
    return Act(world.as_alice, "DELETE", f"{here}/{made.body['id']}", status=204)


# --- schedules ----------------------------------------------------------------------------------------------------


def schedule(world: World) -> tuple[str, str]:
    """The path of a schedule, and its next start."""
    scheduled(world)
    (found,) = world.as_vera.get(f"{world.here}/schedules").body["items"]
    return f"{world.here}/schedules/{found['id']}", found["next"][0]["instant"]


@does("schedule.start_left_out")
def _(world: World) -> Act:
    here, instant = schedule(world)
    return Act(world.as_bo, "POST", f"{here}/skip", {"instant": instant})


@does("schedule.start_moved")
def _(world: World) -> Act:
    here, instant = schedule(world)
    return Act(world.as_bo, "POST", f"{here}/move", {"instant": instant, "to": in_days(2)})


@does("schedule.start_put_back")
def _(world: World) -> Act:
    here, instant = schedule(world)
    assert world.as_bo.post(f"{here}/skip", {"instant": instant}).status == 200
    return Act(world.as_bo, "POST", f"{here}/put-back", {"instant": instant})


short("schedule.paused", lambda world: Act(world.as_bo, "POST", f"{schedule(world)[0]}/pause", {"until": in_days(3)}))


@does("schedule.resumed")
def _(world: World) -> Act:
    here, _ = schedule(world)
    assert world.as_bo.post(f"{here}/pause", {"until": in_days(3)}).status == 200
    return Act(world.as_bo, "POST", f"{here}/resume", {})


@does("schedules.spread")
def _(world: World) -> Act:
    first, second = (schedule_id(world) for _ in range(2))
    return Act(world.as_bo, "POST", f"{world.here}/schedules/spread", {"schedules": [first, second], "minutes": 10})


def schedule_id(world: World) -> str:
    return str(scheduled(world)[1]["trigger"])


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


@does("event.replayed")
def _(world: World) -> Act:
    _, body = scheduled(world)
    trigger = Trigger.objects.get(pk=body["trigger"])
    event = Event.objects.create(
        workspace_id=world.northwind.id, workflow_id=trigger.workflow_id, trigger_id=trigger.pk, source="schedule",
        received_at=1, body=b"{}", body_size=2, body_sha256="", dedupe_key="1", verdict="skipped", reason="Left out.",
    )  # fmt: skip
    return Act(world.as_rosa, "POST", f"{world.here}/events/{event.pk}/replay", {}, 202)


def audit_view(world: World) -> str:
    made = world.as_alice.post(f"{world.here}/audit/views", {"name": "Sign-ins", "search": {"q": "session"}})
    assert made.status == 201, made.body
    return f"{world.here}/audit/views/{made.body['id']}"


short(
    "audit_view.saved",
    lambda world: Act(world.as_alice, "POST", f"{world.here}/audit/views", {"name": "All", "search": {}}, 201),
)
short("audit_view.changed", lambda world: Act(world.as_alice, "PATCH", audit_view(world), {"name": "Later"}))
short("audit_view.removed", lambda world: Act(world.as_alice, "DELETE", audit_view(world), status=204))
short(
    "profile.audit_view_chosen",
    lambda world: Act(
        world.as_alice, "PUT", f"{world.here}/audit/views", {"view": audit_view(world).rpartition("/")[2]}
    ),
)


@does("member.handed_over")
def _(world: World) -> Act:
    """What Bo owns goes to Alice: a row of the workflow, and one of Bo."""
    world.workflow()
    body = {"to": str(membership(world, "alice")), "reason": "Bo leaves."}
    return Act(world.as_alice, "POST", f"{world.here}/members/{membership(world, 'bo')}/handover", body, count=2)
