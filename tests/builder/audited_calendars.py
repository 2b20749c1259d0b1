"""For each deed that is done to business calendars a request that does it: see `audited`."""

from __future__ import annotations

from tests.builder.audited import Act, short
from tests.builder.audited_alerts import SCENARIOS
from tests.builder.conftest import World

__all__ = ["OFFICE", "SCENARIOS", "calendar"]

OFFICE = {
    "name": "Head office",
    "country": "DE",
    "region": "BY",
    "days": [{"day": "12-24", "until": "01-02", "name": "Closed"}],
    "close": "last_workday",
}


def calendar(world: World, **more: object) -> str:
    """A calendar; its path."""
    made = world.as_alice.post(f"{world.here}/calendars", {**OFFICE, **more})
    assert made.status == 201, made.body
    return f"{world.here}/calendars/{made.body['id']}"


short("calendar.created", lambda world: Act(world.as_alice, "POST", f"{world.here}/calendars", OFFICE, 201))
short(
    "calendar.changed",
    lambda world: Act(world.as_alice, "PUT", calendar(world), {**OFFICE, "close": "", "default": True, "revision": 1}),
)
short("calendar.removed", lambda world: Act(world.as_alice, "DELETE", calendar(world), status=204))
