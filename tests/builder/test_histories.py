"""Each thing tells who did what to it, from the rows of the audit log."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

import pytest

from builder.api.deeds import DEEDS
from builder.audit.models import AuditRow
from tests.builder.audited_factors import SCENARIOS
from tests.builder.conftest import World
from tests.builder.test_audit_routes import quiet
from tests.factories import Answer

__all__ = ["quiet"]

pytestmark = pytest.mark.django_db(transaction=True)

#: Where the history of a kind of thing is, beneath its workspace.
WHERE: Final = {
    "workflow": "workflows", "connection": "connections", "run": "runs", "table": "tables", "member": "members",
    "group": "groups", "token": "tokens", "schedule": "schedules", "calendar": "calendars",
    "alert_rule": "alerts/rules", "alert_channel": "alerts/channels", "letter_group": "dead-letters",
}  # fmt: skip


def history(world: World, kind: str, object_id: object) -> Answer:
    return world.as_alice.get(f"{world.here}/{WHERE[kind]}/{object_id}/history")


@pytest.mark.parametrize("verb", sorted(verb for verb in SCENARIOS if verb in DEEDS and DEEDS[verb].kind in WHERE))
def test_what_was_done_to_a_thing_stands_in_its_history(verb: str, world: World) -> None:
    act = SCENARIOS[verb](world)
    assert act.send().status == act.status
    row = AuditRow.objects.filter(verb=verb, chain=str(world.northwind.id)).order_by("-sequence").first()
    assert row is not None
    answer = history(world, row.object_kind, row.object_id)
    if DEEDS[verb].ends and answer.status == 404:
        return
    newest = answer.body["items"][0]
    assert (answer.status, newest["verb"], newest["object"]["id"]) == (200, verb, row.object_id)
    assert not {"address", "agent", "request_id", "digest"} & set(newest), "from where is for the log alone"
    other = uuid4().hex if row.object_kind == "letter_group" else uuid4()
    assert history(world, row.object_kind, other).body.get("items", []) == []


def test_a_cause_that_is_none_has_no_history(world: World) -> None:
    for cause in ("nothing", "%00", "x" * 300):
        answer = history(world, "letter_group", cause)
        assert (answer.status, answer.body["items"]) == (200, []), cause
