"""For each deed that is done to groups of dead letters a request that does it: see `audited`."""

from __future__ import annotations

from tests.builder.audited import Act, does, short
from tests.builder.audited_calendars import SCENARIOS
from tests.builder.conftest import World
from tests.builder.test_bulk_retries import letters

__all__ = ["SCENARIOS", "group"]


def group(world: World, *, muted: bool = False) -> str:
    """The path of a group of dead letters."""
    letters(world)
    path = f"{world.here}/dead-letters/c1"
    if muted:
        assert world.as_rosa.post(f"{path}/mute", {"days": None}).status == 200
    return path


@does("letter_group.noted")
def _(world: World) -> Act:
    body = {"note": "The ERP team knows.", "ticket": "https://tickets.example.org/4711", "revision": 0}
    return Act(world.as_rosa, "PUT", f"{group(world)}/note", body)


short("letter_group.muted", lambda world: Act(world.as_rosa, "POST", f"{group(world)}/mute", {"days": 7}))
short("letter_group.unmuted", lambda world: Act(world.as_rosa, "POST", f"{group(world, muted=True)}/unmute"))


def _sent(world: World, to: str = "") -> str:
    """The path of dead letters that Rosa sent, to Vera where nobody else is named."""
    body = {"runs": letters(world), "to": to or world.vera.email, "note": "Ask the ERP team."}
    answer = world.as_rosa.post(f"{world.here}/dead-letters/send", body)
    assert answer.status == 200, answer.body
    return f"{world.here}/inbox/letters/{answer.body['id']}"


@does("dead_letters.sent")
def _(world: World) -> Act:
    letters(world)
    body = {"cause": "c1", "to": world.vera.email, "note": "Ask the ERP team."}
    return Act(world.as_rosa, "POST", f"{world.here}/dead-letters/send", body)


short("letter_sending.done", lambda world: Act(world.as_vera, "POST", f"{_sent(world)}/done"))
short("letter_sending.taken_back", lambda world: Act(world.as_rosa, "POST", f"{_sent(world)}/take-back"))
short(
    "letter_sending.handed_over",
    lambda world: Act(world.as_vera, "POST", f"{_sent(world)}/hand-over", {"to": world.bo.email, "note": "Yours."}),
)


@does("dead_letters.exported")
def _(world: World) -> Act:
    group(world)
    return Act(world.as_vera, "GET", f"{world.here}/dead-letters/export?cause=c1")
